"""This service, run by `provisioning up` as anybody runs it; only its limits of requests a minute are lifted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import psutil
import psycopg
from click.testing import CliRunner

from benchmarks import company
from benchmarks.company import BASE, Person, World, name_of, numbers
from benchmarks.driver import Address, Request, Script, Wrong, carry_out
from benchmarks.targets import Place, Target
from config.roles import CATALOGUE
from provisioning.access import policies, resources
from provisioning.access.policies import Giver, Subject, Terms
from provisioning.access.resources import Registration
from provisioning.access.roles import Catalogue
from provisioning.app import create_app
from provisioning.cli import instance
from provisioning.cli.main import provisioning
from provisioning.cli.service import settings_of
from provisioning.database import db, transaction
from provisioning.directory import workspaces
from provisioning.directory.models import Member
from provisioning.outbox import Actor
from tests.service import start

UNLIMITED = {
    f"PROVISIONING_{door}_PER_MINUTE": "1000000"
    for door in ("SCIM_REQUESTS", "INTROSPECTIONS", "OAUTH_REQUESTS", "API_REQUESTS")
}
# What the tests hasten goes at everybody's pace here.
_CALM = {"PROVISIONING_SWEEP_INTERVAL": "", "PROVISIONING_EXPIRY_INTERVAL": ""}
_AT_REST_SECONDS, _REST_WITHIN_SECONDS = 0.1, 30.0
_BY = Giver(Actor("operator", "benchmark"), Catalogue(CATALOGUE))
_TABLES = ("user_account", "member", "membership")
# One person comes through the door; all others are copies of that row, with another name and ids of their own.
_COLUMNS = [column.name for column in Member.__table__.columns if column.computed is None]
_PEOPLE = f"""
    WITH pushed AS MATERIALIZED (
        SELECT to_jsonb(member) AS member, to_jsonb(user_account) AS account, user_name AS name
        FROM member JOIN user_account ON user_account.id = member.user_id WHERE member.id = %(pushed)s
    ), fresh AS MATERIALIZED (
        SELECT 'person-' || lpad(n::text, 7, '0') || '@corp.example' AS name, %(slug)s || '-' || n AS address,
            uuidv7() AS id, uuidv7() AS user_id
        FROM generate_series(1, %(people)s - 1) AS n
    ), accounts AS (
        INSERT INTO user_account SELECT (jsonb_populate_record(NULL::user_account, pushed.account || jsonb_build_object(
            'id', fresh.user_id, 'email', fresh.address, 'email_key', fresh.address))).*
        FROM pushed, fresh
    )
    INSERT INTO member ({", ".join(_COLUMNS)}) SELECT {", ".join(f"made.{name}" for name in _COLUMNS)}
    FROM pushed, fresh, jsonb_populate_record(NULL::member,
        replace(pushed.member::text, pushed.name, fresh.name)::jsonb
        || jsonb_build_object('id', fresh.id, 'user_id', fresh.user_id)) AS made
"""  # noqa: S608 - constants
_MEMBERS = """
    INSERT INTO membership (workspace_id, group_id, member_id)
    SELECT workspace_id, %(group)s, id FROM member WHERE workspace_id = %(workspace)s ORDER BY id LIMIT %(size)s
"""
_IDS = "SELECT user_name, id::text FROM member WHERE workspace_id = %s"


@dataclass(frozen=True, slots=True)
class Running:
    """The service that runs."""

    base_url: str
    data_dir: Path
    database: str

    def fill(self, people: int) -> tuple[Address, World]:
        """A workspace of its own with so many people; one of each size."""
        slug = f"n{people}"
        run = _command(self.data_dir)
        workspace = run("workspace", "create", "--slug", slug, "--name", slug)["id"]
        idp = run("connection", "create", "--workspace", slug, "--name", "idp")
        address = Address(urlsplit(self.base_url).port or 0, f"Bearer {idp['token']}")
        first = carry_out(address, _pushed("Users", company.user(name_of(0))))
        sizes = [size for size in company.GROUPS if size <= people]
        groups = {size: carry_out(address, _pushed("Groups", company.group(f"team-{size}"))) for size in sizes}
        ids = self._copies(workspace, slug, first, people + company.OUTSIDE, groups)
        known, outside = (tuple(Person(ids[name_of(one)], name_of(one)) for one in some) for some in numbers(people))
        doors, introspection = self._doors(run, slug)
        self._give(slug, groups[company.GROUPS[0]])
        evaluation = {
            "subject": {"type": "user", "id": known[0].id},
            "action": {"name": "source.update"},
            "resource": {"type": "source", "id": "s"},
        }
        return address, World(people, known, outside, groups, orjson.dumps(evaluation), introspection, doors=doors)

    def _copies(self, workspace: str, slug: str, first: str, people: int, groups: dict[int, str]) -> dict[str, str]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("SET statement_timeout = 0")
            connection.execute(_PEOPLE, {"pushed": first, "slug": slug, "people": people})
            for size, group in groups.items():
                connection.execute(_MEMBERS, {"group": group, "workspace": workspace, "size": size})
            connection.execute("VACUUM ANALYZE")
            return dict(connection.execute(_IDS, (workspace,)).fetchall())

    def _doors(self, run: Callable[..., Any], slug: str) -> tuple[dict[str, str], bytes]:
        """What is sent for authorization at the other doors, and the introspection of a session that lives."""
        owner = ("--workspace", slug, "--name", "bench", "--role", "workspace-owner")
        token = f"Bearer {run('token', 'create', *owner)['token']}"
        session = run("session", "create", "--email", name_of(0))["token"]
        return {"/access/v1/evaluation": token, "/oauth/introspect": token}, f"token={session}".encode()

    def _give(self, slug: str, group: str) -> None:
        """Let a group's members update one source."""
        with create_app(settings_of(str(self.data_dir))).app_context():
            with transaction() as connection:
                workspace_id = workspaces.by_slug(connection, slug).id
                source = [Registration("source", "s", "S")]
                resources.register(connection, workspace_id=workspace_id, resources=source, by=_BY.by)
                subject, terms = Subject("group", group), Terms("source-admin", (), ("source:s",))
                policies.give(connection, workspace_id=workspace_id, subject=subject, terms=terms, giver=_BY)
            db.engine.dispose()


def _pushed(where: str, body: dict[str, Any]) -> Script[str]:
    answer = yield Request("POST", f"{BASE}/{where}", orjson.dumps(body))
    if answer.status != 201:  # noqa: PLR2004 - RFC 9110's Created
        raise Wrong(f"{answer.status}: {answer.body[:300]!r}")
    return str(answer.document["id"])


def _command(data_dir: Path) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(provisioning, [*arguments, "--data-dir", str(data_dir), "--json"])
        if done.exit_code != 0:
            raise RuntimeError(f"{' '.join(arguments[:2])}: {done.output}")
        return orjson.loads(done.stdout)

    return run


@contextmanager
def running(folder: Path, *, processes: int, threads: int) -> Iterator[Running]:
    """The service, in an empty folder."""
    size = {"PROVISIONING_WEB_PROCESSES": str(processes), "PROVISIONING_WEB_THREADS": str(threads)}
    with start(folder, **UNLIMITED, **_CALM, **size) as service:
        found = instance.read(service.data_dir)
        if found is None:
            raise RuntimeError("the service does not say where it is")
        url = found.database_url.replace("postgresql+psycopg://", "postgresql://")
        _come_to_rest(service.process.pid)
        yield Running(service.base_url, service.data_dir, url)


def _come_to_rest(pid: int) -> None:
    """Wait until all processes are up: those that begin once the web server answers cost nobody's figures anything."""
    before, until = 0.0, time.monotonic() + _REST_WITHIN_SECONDS
    while abs((now := _taken(pid)) - before) > _AT_REST_SECONDS and time.monotonic() < until:
        before = now
        time.sleep(1)


def _taken(pid: int) -> float:
    """The processor's time that a process and all below it have taken."""
    taken = 0.0
    for one in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            taken += sum(one.cpu_times()[:2])
    return taken


@contextmanager
def _already(service: Running) -> Iterator[Running]:
    yield service


def target(service: Running) -> Target:
    """The service that runs already, for its PostgreSQL is the one that all share."""

    def run(_place: Place) -> Any:
        return _already(service)

    return Target("service", version("provisioning"), run)
