"""How long a change of HIPAA eligibility takes in a workspace of many members, and whether it binds at its commit.

The database's time is that of the transaction, commit included. Then every member's session is judged once, before any
worker has run, and the workers' walk over the members is timed.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from benchmarks.alone import alone
from provisioning.access.founding import found_workspace
from provisioning.context import context
from provisioning.database import reading, take_any_time, transaction
from provisioning.directory import workspaces
from provisioning.outbox import Actor
from provisioning.sessions import clearing, lifecycle

_BY = Actor("operator", "benchmark")
_PEOPLE = text(
    """
    WITH person AS (
        SELECT gen_random_uuid() AS user_id, gen_random_uuid() AS member_id, n || '@corp.example' AS name
        FROM generate_series(1, :members) AS n
    ), account AS (
        INSERT INTO user_account (id, email, email_key) SELECT user_id, name, name FROM person
    ), signed_in AS (
        INSERT INTO session (id, user_id, digest, policy, epoch)
        SELECT gen_random_uuid(), user_id, sha256(convert_to(:salt || name, 'UTF8')), 'standard',
            nextval('session_epoch')
        FROM person
    )
    INSERT INTO member (id, workspace_id, user_id, origin, active, user_name, user_name_key, document, search)
    SELECT member_id, :workspace, user_id, 'manual', true, name, name, jsonb_build_object('userName', name), '{}'
    FROM person
    """
)
_DIGESTS = text("SELECT digest FROM session ORDER BY random() LIMIT :some")
_AT_ONCE = 1000


def build(members: int) -> UUID:
    """A workspace of so many members, each with a session."""
    with transaction() as connection:
        take_any_time(connection)
        made = found_workspace(connection, slug="large", name="large", hipaa_eligible=False, by=_BY)
        asked = {"workspace": made.id, "members": members, "salt": secrets.token_hex(8)}
        connection.execute(_PEOPLE, asked)
    with reading() as connection:
        take_any_time(connection)
        connection.execute(text("VACUUM ANALYZE"))
    return made.id


def flip(*, on: bool) -> float:
    """Change the eligibility; how many seconds it took."""
    begun = time.perf_counter()
    with transaction() as connection:
        workspaces.set_hipaa_eligible(connection, slug="large", eligible=on, by=_BY)
    return time.perf_counter() - begun


def judge(some: int) -> tuple[int, float]:
    """Judge so many sessions: how many are accepted, and the seconds of one check."""
    with reading() as connection:
        digests = [bytes(one) for one in connection.execute(_DIGESTS, {"some": some}).scalars()]
        begun = time.perf_counter()
        policy = context().session_policy
        verdicts = [lifecycle.judge(connection, digest=digest, policy=policy)[0] for digest in digests]
        took = time.perf_counter() - begun
    return sum(verdict.active for verdict in verdicts), took / len(digests)


def clear(workspace_id: UUID) -> tuple[int, float]:
    """What the workers do afterwards: how many sessions they marked, and in how many seconds."""
    cleared, after, begun = 0, None, time.perf_counter()
    while True:
        with transaction() as connection:
            stretch = clearing.clear_workspace(
                connection, workspace_id=workspace_id, after=after, most=_AT_ONCE, by=_BY
            )
        if stretch.last_member is None:
            return cleared, time.perf_counter() - begun
        cleared, after = cleared + stretch.cleared, stretch.last_member


def measure(*, members: int, some: int) -> dict[str, Any]:
    """Build, check, flip, check again, clear away."""
    workspace_id = build(members)
    before, _ = judge(some)
    took = flip(on=True)
    accepted, check = judge(some)
    cleared, clearing_took = clear(workspace_id)
    back = flip(on=False)
    return {
        "members": members,
        "accepted_before": before,
        "flip_ms": round(took * 1000, 2),
        "flip_back_ms": round(back * 1000, 2),
        "accepted_after": accepted,
        "judged": some,
        "check_ms": round(check * 1000, 3),
        "cleared": cleared,
        "clearing_s": round(clearing_took, 2),
    }


def main() -> None:
    """Measure on a PostgreSQL of its own, without any worker, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--judged", type=int, default=5000)
    asked = parser.parse_args()
    with alone():
        found = measure(members=asked.members, some=min(asked.judged, asked.members))
    sys.stdout.write(orjson.dumps(found).decode() + "\n")


if __name__ == "__main__":
    main()
