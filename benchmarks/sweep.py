"""How long the workers' sweep takes to clear tokens whose time is over: access tokens go, API tokens are marked.

Beside it the least that PostgreSQL can do is timed: one deletion of as many rows, in one transaction that is too long
for a service that runs.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from benchmarks.alone import alone
from provisioning.access.founding import found_workspace
from provisioning.database import reading, take_any_time, transaction
from provisioning.outbox import Actor
from workers import expiry
from workers.app import settle_in

_BY = Actor("operator", "benchmark")
_CLIENT = text("INSERT INTO oauth_client (id, workspace_id, name) VALUES (:workspace, :workspace, 'program')")
# Half of the access tokens are over; whoever sweeps must not walk through the others.
_ACCESS_TOKENS = text(
    """
    INSERT INTO access_token (id, workspace_id, client_id, digest, scope, expires_at)
    SELECT gen_random_uuid(), :workspace, :workspace, sha256(convert_to(:salt || n, 'UTF8')), 'api',
        clock_timestamp() + CASE WHEN n % 2 = 0 THEN interval '-1 hour' ELSE interval '1 hour' END
    FROM generate_series(1, 2 * :count) AS n
    """
)
_API_TOKENS = text(
    """
    INSERT INTO api_token (id, workspace_id, name, expires_at)
    SELECT gen_random_uuid(), :workspace, 'token ' || n, clock_timestamp() - interval '1 hour'
    FROM generate_series(1, :count) AS n
    """
)
_ONE_DELETION = text("DELETE FROM access_token WHERE expires_at <= clock_timestamp()")


def build(count: int) -> UUID:
    """A workspace with tokens whose time is over, and as many that live."""
    with transaction() as connection:
        take_any_time(connection)
        workspace_id = found_workspace(connection, slug="large", name="large", hipaa_eligible=False, by=_BY).id
        connection.execute(_CLIENT, {"workspace": workspace_id})
    _renew(workspace_id, count)
    return workspace_id


def _renew(workspace_id: UUID, count: int) -> None:
    with transaction() as connection:
        take_any_time(connection)
        asked = {"workspace": workspace_id, "count": count, "salt": secrets.token_hex(8)}
        connection.execute(_ACCESS_TOKENS, asked)
    with reading() as connection:
        take_any_time(connection)
        connection.execute(text("VACUUM ANALYZE"))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    done = work()
    return done, time.perf_counter() - begun


def _at_one_stroke() -> int:
    with transaction() as connection:
        take_any_time(connection)
        return connection.execute(_ONE_DELETION).rowcount


def measure(*, count: int, api_count: int) -> dict[str, Any]:
    """Sweep away access tokens, then API tokens, and as many access tokens at one stroke."""
    workspace_id = build(count)
    settle_in()
    _, swept = _timed(expiry.expire_tokens)
    _renew(workspace_id, count)
    deleted, stroke = _timed(_at_one_stroke)
    with transaction() as connection:
        connection.execute(_API_TOKENS, {"workspace": workspace_id, "count": api_count})
    marked, marking = _timed(expiry.expire_tokens)
    if (deleted, marked) != (count, api_count):
        sys.exit(f"{deleted} and {marked} tokens were over, and there were {count} and {api_count}")
    return {
        "load": [round(load, 1) for load in os.getloadavg()],
        "access_tokens": count,
        "swept_s": round(swept, 2),
        "at_one_stroke_s": round(stroke, 2),
        "ratio": round(stroke / swept, 2),
        "api_tokens": api_count,
        "marked_per_s": round(api_count / marking),
    }


def main() -> None:
    """Measure on a PostgreSQL of its own, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=1_000_000, help="access tokens that are over")
    parser.add_argument("--api-tokens", type=int, default=20_000, help="API tokens that are over")
    asked = parser.parse_args()
    with alone():
        found = measure(count=asked.tokens, api_count=asked.api_tokens)
    sys.stdout.write(orjson.dumps(found).decode() + "\n")


if __name__ == "__main__":
    main()
