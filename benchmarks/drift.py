"""What a report of drift costs in a large workspace, kind by kind, in pages, and as it is counted daily."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from provisioning import drift
from provisioning.access.founding import found_workspace
from provisioning.app import create_app
from provisioning.cli.service import settings_of
from provisioning.database import db, reading, take_any_time, transaction
from provisioning.differences import Of
from provisioning.directory import connections
from provisioning.directory.paging import Window
from provisioning.outbox import Actor
from tests.service import start

_BY = Actor("operator", "benchmark")
# One in a thousand came by hand; one in ten was suspended and restored; one in 500 was suspended by another connection.
_FILL = (
    """
    INSERT INTO user_account (id, email, email_key)
    SELECT CAST(lpad(n::text, 32, '0') AS uuid), 'p' || n || '@bench.example', 'p' || n || '@bench.example'
    FROM generate_series(1, :members) AS n
    """,
    """
    INSERT INTO member (id, workspace_id, user_id, connection_id, origin, active, user_name, user_name_key,
                        external_ids, document, search)
    SELECT gen_random_uuid(), :of, CAST(lpad(n::text, 32, '0') AS uuid), CASE WHEN n % 1000 <> 0 THEN :idp END,
           CASE WHEN n % 1000 <> 0 THEN 'scim' ELSE 'manual' END, n % 500 <> 1, 'p' || n, 'p' || n,
           CASE WHEN n % 1000 <> 0 THEN jsonb_build_object(CAST(:idp AS text), 'e' || n) ELSE '{}' END,
           jsonb_build_object('userName', 'p' || n), '{}'
    FROM generate_series(1, :members) AS n
    """,
    """
    INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, actor_id, done_at)
    SELECT gen_random_uuid(), :of, said.name, 'user:' || CAST(lpad(n::text, 32, '0') AS uuid),
           jsonb_build_object('active', true, 'origin', 'scim', 'member_id', n), 'connection', said.by,
           clock_timestamp()
    FROM (VALUES (1, 'member.added', CAST(:idp AS text), 1, 0), (2, 'member.suspended', CAST(:idp AS text), 10, 1),
                 (3, 'member.activated', CAST(:idp AS text), 10, 1),
                 (4, 'member.suspended', CAST(:other AS text), 500, 1)) AS said (place, name, by, every, rest),
         generate_series(1, :members) AS n
    WHERE n % said.every = said.rest AND n % 1000 <> 0 ORDER BY said.place
    """,
    """
    INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, actor_id, done_at)
    SELECT gen_random_uuid(), :of, 'member.updated', 'user:' || CAST(lpad(n::text, 32, '0') AS uuid), '{}',
           'connection', CAST(:idp AS text), clock_timestamp()
    FROM generate_series(1, :members) AS n, generate_series(1, 5)
    """,
    """
    INSERT INTO user_group (id, workspace_id, connection_id, display_name, display_name_key, document, search)
    SELECT gen_random_uuid(), :of, :idp, 'g' || n, 'g' || n, jsonb_build_object('displayName', 'g' || n),
           jsonb_build_object('displayName', 'g' || n)
    FROM generate_series(1, 2000) AS n
    """,
    """
    INSERT INTO mapping (id, workspace_id, name, resource_type, condition)
    SELECT gen_random_uuid(), :of, 'm' || n, 'Group',
           'displayName eq "' || CASE WHEN n % 10 = 0 THEN 'never' ELSE 'g' END || n || '"'
    FROM generate_series(1, 500) AS n
    """,
    """
    INSERT INTO journal_entry (id, workspace_id, connection_id, at, method, path, status, milliseconds)
    SELECT gen_random_uuid(), :of, :idp, clock_timestamp(), 'PATCH', '/Users/x', 200, 1
    FROM generate_series(1, 3 * :members)
    """,
)


def fill(*, members: int) -> Of:
    """A workspace with two connections that disagree about a few of its members."""
    with transaction() as connection:
        take_any_time(connection)
        of = found_workspace(connection, slug="drifting", name="Drifting", hipaa_eligible=False, by=_BY).id
        idp, other = (
            connections.create(connection, workspace_id=of, name=name, dialect="okta", digest=name.encode(), by=_BY).id
            for name in ("idp", "other")
        )
        for statement in _FILL:
            wanted = text(statement)
            named = {"of": of, "idp": idp, "other": other, "members": members}
            connection.execute(wanted, {name: named[name] for name in wanted.compile().params})
    with reading() as connection:
        take_any_time(connection)
        connection.execute(text("VACUUM ANALYZE"))
    return Of(of)


def _milliseconds(ask: Callable[[Any], Any]) -> int:
    """The least time of three."""
    took = []
    for _ in range(3):
        with reading() as connection:
            begun = time.perf_counter()
            ask(connection)
            took.append(time.perf_counter() - begun)
    return round(min(took) * 1000)


def measure(data_dir: str, *, members: int) -> dict[str, Any]:
    """Milliseconds of each kind, of a first page, of the next one, and of the daily count."""
    with create_app(settings_of(data_dir)).app_context():
        of = fill(members=members)
        with reading() as connection:
            statements = drift.statements(connection, of)
            first = drift.report(connection, of=of, window=Window(100))
        following = Window(100, after=first.next)
        kinds = {
            kind: _milliseconds(lambda connection, one=one: connection.execute(one).all())
            for kind, one in statements.items()
        }
        pages = {
            "first_page_ms": _milliseconds(lambda connection: drift.report(connection, of=of, window=Window(100))),
            "next_page_ms": _milliseconds(lambda connection: drift.report(connection, of=of, window=following)),
            "count_ms": _milliseconds(lambda connection: drift.counts(connection, of=of)),
        }
        db.engine.dispose()
    return {"members": members, "differences": first.total, **pages, "kinds_ms": kinds}


def main() -> None:
    """Fill a workspace, ask for its report, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as service:
        measured = measure(str(service.data_dir), members=asked.members)
    sys.stdout.write(orjson.dumps(measured).decode() + "\n")


if __name__ == "__main__":
    main()
