"""django-scim2 on PostgreSQL, with the models of its guide."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from benchmarks import company
from benchmarks.company import Person, World, name_of, numbers
from benchmarks.driver import Address
from benchmarks.targets import ROOT, Place, Target, free_port, granian, own_database, peers, served

_EMPTY = "TRUNCATE django_site_person, django_site_team RESTART IDENTITY CASCADE"
_PEOPLE = """
    INSERT INTO django_site_person (id, password, is_superuser, username, first_name, last_name, email, is_staff,
        is_active, date_joined, scim_id, scim_external_id, scim_username)
    SELECT n + 1, '', false, name, 'Ada', 'Lovelace', name, false, true, now(), (n + 1)::text, '', name
    FROM (
        SELECT n, 'person-' || lpad(n::text, 7, '0') || '@corp.example' AS name FROM generate_series(0, %s - 1) AS n
    ) AS fresh
"""
_NEXT = "SELECT setval(pg_get_serial_sequence('django_site_person', 'id'), %s)"
_GROUP = """
    INSERT INTO django_site_team (name, scim_id, scim_external_id, scim_display_name)
    VALUES (%(name)s, (SELECT count(*) + 1 FROM django_site_team), '', %(name)s) RETURNING id
"""
_MEMBERS = """
    INSERT INTO django_site_person_scim_groups (person_id, team_id)
    SELECT id, %s FROM django_site_person WHERE id <= %s
"""


@dataclass(frozen=True, slots=True)
class _Server:
    address: Address
    database: str

    def fill(self, people: int) -> tuple[Address, World]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(_EMPTY)
            connection.execute(_PEOPLE, (people + company.OUTSIDE,))
            connection.execute(_NEXT, (people + company.OUTSIDE,))
            groups = {}
            for size in company.GROUPS:
                if size <= people:
                    row = connection.execute(_GROUP, {"name": f"team-{size}"}).fetchone()
                    groups[size] = str(row[0]) if row else ""
                    connection.execute(_MEMBERS, (groups[size], size))
            connection.execute("VACUUM ANALYZE")
        known, outside = (tuple(Person(str(one + 1), name_of(one)) for one in some) for some in numbers(people))
        return self.address, World(people, known, outside, groups, removes_by_path=False)


@contextmanager
def _run(place: Place) -> Iterator[_Server]:
    python, port = peers.python(place), free_port()
    database = own_database(place.postgres, "django")
    application = "django.core.wsgi:get_wsgi_application"
    environ = {"DJANGO_DATABASE": database, "DJANGO_SETTINGS_MODULE": "benchmarks.served.django_site.settings"}
    tables = [python, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
    subprocess.run(tables, cwd=ROOT, env={"PYTHONPATH": str(ROOT), **environ}, check=True)  # noqa: S603 - ours
    command = granian(application, port, python=python, processes=place.processes, threads=place.threads)
    with served(command, port, place.folder / "django-scim2.log", **environ):
        yield _Server(Address(port), database)


TARGET = Target(
    "django-scim2",
    f"{peers.locked('django-scim2')} on Django",
    _run,
    {
        **peers.DOORS,
        "page of 100, deep by cursor": "it has no cursors",
        "create a group": "it ignores the members of a new group",
        "Bulk": "it has no Bulk",
        "one group, eight writers": "it ignores the members of a new group",
        "read a group": "it ignores excludedAttributes",
        peers.ENTRA_INITIAL: "it finds no group by its name",
        peers.OKTA_INITIAL: "it ignores the members of a new group",
    },
    most_members=(1_000, "a change takes seconds"),
)
