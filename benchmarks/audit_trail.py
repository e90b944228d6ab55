"""What the audit trail costs: how fast it is sealed, checked and dropped, and what writes notice of sealing.

Writes are timed in turns, with the workers of a whole service sealing as ever, and with the chain held so that they
leave it alone; each write is a transaction of its own with one fact, as fast as they come.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, ClassVar
from uuid import UUID

import orjson
from sqlalchemy import func, select, text

from benchmarks.alone import alone
from provisioning import entropy, outbox
from provisioning.app import create_app
from provisioning.audit import seals, signatures, verification
from provisioning.cli.service import settings_of
from provisioning.context import context
from provisioning.database import db, reading, snapshot, take_any_time, transaction
from provisioning.outbox import Actor, Event, Fact
from tests.service import start
from workers import sealing
from workers.app import settle_in

_BY = Actor("operator", "benchmark")
# Older than any retention that is set here.
_OLD_DAYS = 3000

_FACTS = text(
    """
    INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, actor_id, request_id, occurred_at, done_at)
    SELECT gen_random_uuid(), :chain, 'group.members_changed', 'group:' || gen_random_uuid(),
           jsonb_build_object('group_id', gen_random_uuid(), 'display_name', 'Group ' || n, 'added',
                              jsonb_build_array(gen_random_uuid()), 'removed', '[]'::jsonb),
           'connection', gen_random_uuid(), gen_random_uuid(),
           clock_timestamp() - make_interval(days => :age), clock_timestamp()
    FROM generate_series(1, :count) AS n
    """
)


def fill(chain: UUID, *, facts: int, age: int = 0) -> float:
    """Write facts of so many days ago and seal them here, with nobody else at it; seconds that the sealing took."""
    with transaction() as connection:
        take_any_time(connection)
        seals.held(connection, chain=chain)
        connection.execute(_FACTS, {"chain": chain, "count": facts, "age": age})
        begun = time.perf_counter()
        while seals.seal(connection, chain=chain, most=1000, notary=context().notary):
            pass
        return time.perf_counter() - begun


def check(chain: UUID, *, facts: int) -> float:
    """Check the chain as `provisioning audit verify` does; seconds."""
    begun = time.perf_counter()
    with snapshot() as connection:
        known = signatures.known(connection, vouching=context().notary.vouching)
        found = verification.verify(connection, chain=chain, known=known)
    took = time.perf_counter() - begun
    if found.trouble_count or found.facts != facts:
        sys.exit(f"the trail is not in order: {found}")
    return took


def measure(data_dir: str, *, facts: int) -> tuple[float, float, int]:
    """Seconds of sealing and of checking, and by how many KiB this process grew while it checked."""
    with create_app(settings_of(data_dir)).app_context():
        chain = entropy.new_id()
        sealing = fill(chain, facts=facts)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        checking = min(check(chain, facts=facts) for _ in range(3))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        db.engine.dispose()
    return sealing, checking, grown


@dataclass(frozen=True, slots=True)
class Written(Fact):
    """What is written while others seal."""

    name: ClassVar[str] = "benchmark.written"
    number: int

    @property
    def subject(self) -> str:
        """Each by itself."""
        return f"benchmark:{self.number}"


def write(chain: UUID, *, sealed: bool, seconds: float) -> list[float]:
    """Write for a while, with the workers at the chain or kept away from it; how many milliseconds each write took."""
    took: list[float] = []
    with nullcontext() if sealed else transaction() as holder:
        while holder is not None and not seals.held(holder, chain=chain):
            time.sleep(0.05)
        until = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < until:
            with transaction() as connection:
                outbox.append(connection, Written(len(took)), workspace_id=chain, by=_BY)
            took.append((time.perf_counter() - begun) * 1000)
    return took


def notice(data_dir: str, *, rounds: int, seconds: float) -> dict[str, Any]:
    """What writes take with nobody sealing and with the workers at it, in turns."""
    taken: dict[bool, list[float]] = {False: [], True: []}
    with create_app(settings_of(data_dir)).app_context():
        chain = entropy.new_id()
        for _ in range(rounds):
            for sealed in taken:
                taken[sealed] += write(chain, sealed=sealed, seconds=seconds)
        wanted = select(func.count()).where(Event.workspace_id == chain, Event.seal_number.is_not(None))
        with reading() as connection:
            count = connection.execute(wanted).scalar_one()
        db.engine.dispose()
    tails = {sealed: (median(took), quantiles(took, n=100)[98]) for sealed, took in taken.items()}
    without, beside = tails[False], tails[True]
    return {
        "writes": {"without_sealing": len(taken[False]), "with": len(taken[True]), "sealed": count},
        "write_p50_ms_without_and_with": [round(without[0], 2), round(beside[0], 2)],
        "write_p99_ms_without_and_with": [round(without[1], 2), round(beside[1], 2)],
        "throughput_ratio": round(len(taken[True]) / len(taken[False]), 2),
    }


def drop(*, facts: int) -> float:
    """Facts a second that the workers' own task drops when their time is over, with nobody else at it."""
    with alone():
        fill(entropy.new_id(), facts=facts, age=_OLD_DAYS)
        settle_in()
        begun = time.perf_counter()
        if (dropped := sealing.drop_audit()) != facts:
            sys.exit(f"{dropped} of {facts} facts were dropped")
        return facts / (time.perf_counter() - begun)


def main() -> None:
    """Seal, check, write beside it and drop, and print rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3, help="of ten seconds of writes, with and without sealing")
    asked = parser.parse_args()
    load = [round(load, 1) for load in os.getloadavg()]
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as service:
        sealing_took, checking, grown = measure(str(service.data_dir), facts=asked.facts)
        noticed = notice(str(service.data_dir), rounds=asked.rounds, seconds=10.0)
    rates = {"sealed_per_s": round(asked.facts / sealing_took), "checked_per_s": round(asked.facts / checking)}
    dropped = {"dropped_per_s": round(drop(facts=asked.facts))}
    found = {"load": load, "facts": asked.facts, **rates, "grown_kib": grown, **noticed, **dropped}
    sys.stdout.write(orjson.dumps(found).decode() + "\n")


if __name__ == "__main__":
    main()
