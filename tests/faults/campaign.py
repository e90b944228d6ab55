"""The random campaign: a whole service under load, struck again and again, while its sessions and tokens are probed.

`python -m tests.faults.campaign --seed N --faults M` prints one JSON document of counts, and exits with 1 when a
promise was broken. The seed decides which faults strike in which order; what they meet is up to the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from flask import current_app
from sqlalchemy import select

from config import settings
from provisioning import doctor, migration
from provisioning.app import create_app
from provisioning.audit import signatures, verification
from provisioning.context import context
from provisioning.database import db, reading, snapshot
from provisioning.directory.models import Membership
from provisioning.outbox import Event
from tests.faults.asking import Prober
from tests.faults.checker import History
from tests.faults.company import found
from tests.faults.load import Load
from tests.faults.looking import clearings, count, undone
from tests.faults.nemesis import Nemesis
from tests.faults.whole import Whole, whole
from tests.waiting import eventually

_DRAINED_SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What a campaign counted. What is wrong must be nothing; the rest tells how hard it tried."""

    seed: int
    faults: dict[str, int]
    kills: int
    probes: int
    unanswered: int
    operations: int
    lives: int
    wrong_accepts: int
    wrong_refusals: int
    wrong_reasons: int
    undone_events: int
    parked_events: int
    broken_invariants: dict[str, int]
    lost_or_doubled_members: int
    cleared_twice: int
    troubles_of_the_trail: int
    recovery_p95_s: float
    longest_request_s: float

    @property
    def is_right(self) -> bool:
        """Whether every promise was kept."""
        wrong = (self.wrong_accepts, self.wrong_refusals, self.wrong_reasons, self.undone_events, self.parked_events)
        found = (
            self.lost_or_doubled_members,
            self.cleared_twice,
            self.troubles_of_the_trail,
            len(self.broken_invariants),
        )
        return not any((*wrong, *found))


def strike(
    service: Whole,
    *,
    seed: int,
    until: Callable[[Nemesis, History], bool],
    companies: int,
    pause: float = 0.0,
    rest: float = 0.0,
) -> Outcome:
    """Strike at a service that is well, until enough is enough; let it come to rest, and judge it.

    Args:
        service: in whose application's context this is called.
        seed: which faults strike.
        until: asked after each of them, with what was heard so far.
        companies: how many workspaces are at work.
        pause: seconds between two questions of a prober; there are three.
        rest: seconds between two faults, in which all is well and asked about.
    """
    nemesis, history = Nemesis(service, seed), History()
    with Prober(service.webs, history, threads=3, pause=pause, seed=seed) as prober:
        loads = [Load(service, found(service.servers.environ), prober, seed + number) for number in range(companies)]
        for load in loads:
            load.settle()
        with _at_work(loads):
            while not until(nemesis, history):
                nemesis.strike()
                time.sleep(rest)
        with contextlib.suppress(AssertionError):
            eventually(lambda: undone() == 0, within=_DRAINED_SECONDS, every=0.2)
    longest = max(client.longest for client in (prober.client, *(load.client for load in loads)))
    return _outcome(nemesis, history, loads, longest)


@contextlib.contextmanager
def _at_work(loads: list[Load]) -> Iterator[None]:
    """Run every program of every company until the block ends; what breaks one breaks the campaign."""
    over, broken = threading.Event(), []
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to hand it on

    def run(load: Load, program: Callable[[random.Random], None]) -> None:
        try:
            with app.app_context():
                load.go_on(program, over)
        except BaseException as error:
            broken.append(error)
            raise

    threads = [threading.Thread(target=run, args=(load, each)) for load in loads for each in load.programs()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert broken == []


def answered(history: History) -> int:
    """How many questions somebody was there to answer."""
    return sum(probe.active is not None for probe in list(history.probes))


def _outcome(nemesis: Nemesis, history: History, loads: list[Load], longest: float) -> Outcome:
    rules = [violation.rule for violation in history.violations()]
    recoveries = sorted(nemesis.recoveries)
    with reading() as connection:
        findings = doctor.findings(connection, policy=context().session_policy, syslog=False)
    return Outcome(
        seed=nemesis.seed,
        faults=dict(nemesis.struck),
        kills=nemesis.kills,
        probes=len(history.probes),
        unanswered=len(history.probes) - answered(history),
        operations=sum(load.operations for load in loads),
        lives=len(history.lives),
        wrong_accepts=rules.count("accepted") + rules.count("revived"),
        wrong_refusals=rules.count("refused"),
        wrong_reasons=rules.count("reason"),
        undone_events=undone(),
        parked_events=count(Event, Event.parked_at.is_not(None)),
        broken_invariants={finding.name: finding.count for finding in findings if finding.count},
        lost_or_doubled_members=sum(map(_astray, loads)),
        cleared_twice=sum(times > 1 for times in clearings().values()),
        troubles_of_the_trail=_troubles_of_the_trail(),
        recovery_p95_s=round(recoveries[int(len(recoveries) * 0.95)], 2),
        longest_request_s=round(longest, 2),
    )


def _astray(load: Load) -> int:
    """How many people are in the group though they can't be, or can't be missing and are."""
    with reading() as connection:
        wanted = select(Membership.member_id).where(Membership.group_id == load.group)
        there = {str(member) for member in connection.execute(wanted).scalars()}
    return sum((person in there) not in load.memberships[person] for person in load.people)


def _troubles_of_the_trail() -> int:
    with reading() as connection:
        known = signatures.known(connection, vouching=context().notary.vouching)
        chains = verification.chains(connection)
    with snapshot() as connection:
        return sum(verification.verify(connection, chain=chain, known=known).trouble_count for chain in chains)


@contextlib.contextmanager
def well(service: Whole) -> Iterator[None]:
    """Have the service run on an empty database, and be in its application's context, until the block ends."""
    with create_app(settings.load(service.servers.environ)).app_context():
        migration.migrate()
        service.mend()
        service.ready()
        yield
        db.engine.dispose()


def main() -> None:
    """Run a campaign on servers of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 - printed, to be repeated
    parser.add_argument("--faults", type=int, default=150, help="How many faults strike; about two in three kill.")
    parser.add_argument("--probes", type=int, default=0, help="And until so many questions have been answered.")
    parser.add_argument("--rest", type=float, default=0.0, help="Seconds between two faults.")
    parser.add_argument("--companies", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder, whole(Path(folder)) as service, well(service):
        outcome = strike(
            service,
            seed=asked.seed,
            until=lambda nemesis, heard: nemesis.struck.total() >= asked.faults and answered(heard) >= asked.probes,
            companies=asked.companies,
            rest=asked.rest,
        )
    sys.stdout.write(orjson.dumps(asdict(outcome)).decode() + "\n")
    sys.exit(0 if outcome.is_right else 1)


if __name__ == "__main__":
    main()
