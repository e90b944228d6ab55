"""The floor: see `served.floor`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from uuid import uuid4

import psycopg

from benchmarks import company
from benchmarks.company import Person, World, name_of, numbers
from benchmarks.driver import Address
from benchmarks.served.floor import TABLES, whole
from benchmarks.targets import Place, Target, free_port, granian, own_database, served

_EMPTY = "TRUNCATE person, team, belonging, access, token, size RESTART IDENTITY"
# One person is written, all others are copies with another name and id.
_PEOPLE = """
    INSERT INTO person (id, name, document)
    SELECT fresh.id, fresh.name, replace(replace(%(document)s, %(id)s, fresh.id::text), %(name)s, fresh.name)
    FROM (
        SELECT uuidv7() AS id, 'person-' || lpad(n::text, 7, '0') || '@corp.example' AS name
        FROM generate_series(0, %(people)s - 1) AS n
    ) AS fresh
"""
_MEMBERS = "INSERT INTO belonging (team_id, person_id) SELECT %s, id FROM person WHERE position <= %s"


@dataclass(frozen=True, slots=True)
class _Floor:
    address: Address
    database: str

    def fill(self, people: int) -> tuple[Address, World]:
        known, outside = numbers(people)
        template, name = str(uuid4()), name_of(0)
        document = whole("User", template, company.user(name)).decode()
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(_EMPTY)
            values = {"document": document, "id": template, "name": name, "people": people + company.OUTSIDE}
            connection.execute(_PEOPLE, values)
            connection.execute("INSERT INTO size VALUES (%s)", (people + company.OUTSIDE,))
            groups = {size: _group(connection, size) for size in company.GROUPS if size <= people}
            connection.execute("INSERT INTO access VALUES ('ada', 'source.update', 's')")
            answer = whole("User", template, {"schemas": [], "active": True, "kind": "session"}).decode()
            connection.execute("INSERT INTO token VALUES (%s, %s)", ("s" * 50, answer))
            connection.execute("VACUUM ANALYZE")
            found = dict(connection.execute("SELECT position - 1, id::text FROM person").fetchall())
        places = (tuple(Person(found[one], name_of(one)) for one in some) for some in (known, outside))
        evaluation = b'{"subject":{"type":"user","id":"ada"},"action":{"name":"source.update"},'
        evaluation += b'"resource":{"type":"source","id":"s"}}'
        return self.address, World(people, *places, groups, evaluation, b"token=" + b"s" * 50)


def _group(connection: psycopg.Connection[tuple[object, ...]], size: int) -> str:
    identifier = str(uuid4())
    document = whole("Group", identifier, company.group(f"team-{size}")).decode()
    connection.execute("INSERT INTO team VALUES (%s, %s, %s)", (identifier, f"team-{size}", document))
    connection.execute(_MEMBERS, (identifier, size))
    return identifier


@contextmanager
def _run(place: Place) -> Iterator[_Floor]:
    database, port = own_database(place.postgres, "floor"), free_port()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)
    command = granian("benchmarks.served.floor:wsgi", port, processes=place.processes, threads=place.threads)
    with served(command, port, place.folder / "floor.log", FLOOR_DATABASE_URL=database):
        yield _Floor(Address(port), database)


TARGET = Target("floor", f"Flask {version('flask')}, psycopg {psycopg.__version__}", _run)
