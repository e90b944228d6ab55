"""How long locks are held while the workers sweep a million expired tokens.

The workers' own task marks them, with a fact for each. How long one of its transactions takes, its end included, is how
long it can hold a lock. How busy the machine was is printed beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.default import DefaultDialect

from config import settings
from provisioning import migration
from provisioning.access.founding import found_workspace
from provisioning.app import create_app
from provisioning.database import db, reading, take_any_time, transaction
from provisioning.outbox import Actor
from tests.bench import servers
from workers import expiry
from workers.app import settle_in

_BY = Actor("operator", "benchmark")
_TOKENS = text(
    """
    INSERT INTO api_token (id, workspace_id, name, expires_at)
    SELECT gen_random_uuid(), :workspace, 'token ' || n, clock_timestamp() - n * interval '1 second'
    FROM generate_series(1, :tokens) AS n
    """
)
_FOUND = text(
    "SELECT count(*) FILTER (WHERE ended_at IS NULL), (SELECT count(*) FROM event WHERE name = :name) FROM api_token"
)


def build(*, tokens: int, workspaces: int) -> None:
    """So many tokens whose time is over, in so many workspaces."""
    for number in range(workspaces):
        with transaction() as connection:
            take_any_time(connection)
            slug = f"w{number}"
            made = found_workspace(connection, slug=slug, name=slug, hipaa_eligible=False, by=_BY)
            connection.execute(_TOKENS, {"workspace": made.id, "tokens": tokens // workspaces})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        take_any_time(connection)
        connection.execute(text("VACUUM ANALYZE"))


class Stopwatch:
    """Measures each transaction of this process, from its beginning to the answer to its end, whichever that is."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        # What of it was its end: a commit waits for the disk.
        self.ends: list[float] = []
        self._begun = 0.0
        event.listen(Engine, "begin", self._begin)
        for name in ("do_commit", "do_rollback"):
            setattr(DefaultDialect, name, self._timed(getattr(DefaultDialect, name)))

    def _timed(self, end: Callable[[DefaultDialect, Any], None]) -> Callable[[DefaultDialect, Any], None]:
        def timed(dialect: DefaultDialect, connection: Any) -> None:
            before = time.perf_counter()
            end(dialect, connection)
            if self._begun:
                self.ends.append(time.perf_counter() - before)
                self.seconds.append(time.perf_counter() - self._begun)
                self._begun = 0.0

        return timed

    def _begin(self, _connection: Connection) -> None:
        self._begun = time.perf_counter()


def measure(*, tokens: int, workspaces: int) -> dict[str, Any]:
    """Build, sweep, and count what was found marked and told of."""
    build(tokens=tokens, workspaces=workspaces)
    settle_in()
    stopwatch, begun = Stopwatch(), time.perf_counter()
    marked = 0
    while more := expiry.expire_tokens():
        marked += more
    took = time.perf_counter() - begun
    # What is asked from here on is no work of the sweep.
    held, last = sorted(stopwatch.seconds), sorted(stopwatch.ends)
    with reading() as connection:
        left, told = connection.execute(_FOUND, {"name": "api_token.expired"}).one()
    return {
        "tokens": tokens,
        "marked": marked,
        "left": left,
        "told": told,
        "seconds": round(took, 1),
        "transactions": len(held),
        "held_ms": {
            "p50": round(held[len(held) // 2] * 1000, 1),
            "p99": round(held[int(len(held) * 0.99)] * 1000, 1),
            "longest": round(held[-1] * 1000, 1),
            "longest_end": round(last[-1] * 1000, 1),
        },
        "load": [round(load, 1) for load in os.getloadavg()],
        "over_100_ms": sum(seconds > 0.1 for seconds in held),  # noqa: PLR2004 - the bound that was set
    }


def main() -> None:
    """Measure on a PostgreSQL of its own, with nobody else at it, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--workspaces", type=int, default=10)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        servers(Path(folder), durable=True) as running,
        create_app(settings.load(running.environ)).app_context(),
    ):
        migration.migrate()
        found = measure(tokens=asked.tokens, workspaces=asked.workspaces)
        db.engine.dispose()
    sys.stdout.write(orjson.dumps(found).decode() + "\n")


if __name__ == "__main__":
    main()
