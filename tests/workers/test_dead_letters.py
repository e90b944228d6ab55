"""Work that fails again and again is put aside with an alarm, holds up nobody, and is done when the fault is mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

import orjson
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from click.testing import CliRunner
from sqlalchemy import select, update
from sqlalchemy.sql import func

from provisioning import outbox, progress
from provisioning.cli.main import provisioning
from provisioning.database import reading, transaction
from provisioning.outbox import Event, EventParked, Fact, Urgency
from provisioning.progress import Come
from provisioning.worklist import EventReplayed
from tests.conftest import TEST
from tests.workers.test_processes import company, flip
from workers import drain, revocation

GOOD = 1000


@dataclass(frozen=True, slots=True)
class Errand(Fact):
    name: ClassVar[str] = "test.errand"
    calls_for_work: ClassVar[bool] = True
    number: int

    @property
    def subject(self) -> str:
        return f"errand:{self.number}"


pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def handler(monkeypatch):
    """What errands call for: the numbers that were done, and those that can't be."""
    done, bad = [], set()

    def handle(claimed) -> None:
        number = claimed.payload["number"]
        if number in bad:
            raise ValueError(number)
        done.append(number)

    monkeypatch.setattr(drain, "HANDLERS", {Errand.name: (handle,)})
    return done, bad


@pytest.fixture
def run(bench):
    """Runs a command on the bench."""

    def run(*words: str, code: int = 0):
        made = CliRunner().invoke(provisioning, [*words, "--json"], env={**bench, "PROVISIONING_SMTP_URL": ""})
        assert made.exit_code == code, made.output or repr(made.exception)
        return orjson.loads(made.stdout) if code == 0 else made

    return run


def write(*numbers: int) -> None:
    with transaction() as connection:
        outbox.append(connection, *(Errand(number=n) for n in numbers), workspace_id=None, by=TEST)


def facts(name: str):
    with reading() as connection:
        return connection.execute(select(Event).where(Event.name == name)).all()


def make_due() -> None:
    with transaction() as connection:
        waiting = update(Event).where(Event.done_at.is_(None), Event.parked_at.is_(None))
        connection.execute(waiting.values(due_at=func.clock_timestamp()))


def drain_all() -> int:
    """Work until nothing is due, however many turns that takes."""
    total = 0
    while done := drain.drain(Urgency.HOUSEKEEPING):
        total += done
    return total


def test_one_poison_among_a_thousand_is_parked_with_one_alarm_and_replayed(handler, run):
    done, bad = handler
    bad.add(500)
    write(*range(GOOD))
    drain_all()
    assert sorted(done) == [n for n in range(GOOD) if n != 500]
    for _ in range(outbox.MAX_ATTEMPTS):
        make_due()
        drain.drain(Urgency.HOUSEKEEPING)
    (parked,) = run("events", "list", "--parked")["events"]
    assert (parked["subject"], parked["attempts"], parked["error"]) == ("errand:500", 10, "ValueError")
    assert run("events", "list", "--undone")["total"] == 0
    (alarm,) = facts(EventParked.name)
    assert alarm.payload == {
        "event_id": parked["id"],
        "event_name": "test.errand",
        "attempts": 10,
        "error": "ValueError",
    }
    bad.clear()
    assert run("events", "replay", parked["id"])["replayed"] == 1
    (audited,) = facts(EventReplayed.name)
    assert (audited.actor_kind, audited.payload["event_id"]) == ("operator", parked["id"])
    assert drain_all() == 1
    assert done[-1] == 500
    assert run("events", "list", "--parked")["total"] == 0


def test_what_is_not_parked_or_not_there_is_not_replayed_and_nothing_is_changed(handler, run):
    _, bad = handler
    bad.add(1)
    write(1)
    drain.drain(Urgency.HOUSEKEEPING)
    (waiting,) = facts(Errand.name)
    assert "is not parked" in str(run("events", "replay", str(waiting.id), code=1).exception)
    nobody = str(UUID(int=7))
    assert "There is no event" in str(run("events", "replay", nobody, code=1).exception)
    assert run("events", "replay", "--all")["replayed"] == 0
    assert facts(EventReplayed.name) == []
    assert facts(Errand.name)[0].attempts == 1


def test_a_fact_whose_work_kills_its_process_each_time_is_parked_too():
    write(1)
    names = {Errand.name}
    for _ in range(outbox.MAX_ATTEMPTS):
        make_due()
        assert outbox.claim(Urgency.HOUSEKEEPING, names=names) is not None
    make_due()
    assert outbox.claim(Urgency.HOUSEKEEPING, names=names) is None
    assert facts(Errand.name)[0].error == "WorkerLost"
    assert len(facts(EventParked.name)) == 1


def test_a_fact_that_a_newer_version_wrote_waits_for_a_newer_worker(monkeypatch, handler):
    done, _ = handler
    newer = drain.HANDLERS
    monkeypatch.setattr(drain, "HANDLERS", {})
    write(1)
    assert drain.drain(Urgency.HOUSEKEEPING) == 0
    assert facts(Errand.name)[0].attempts == 0
    monkeypatch.setattr(drain, "HANDLERS", newer)
    assert drain.drain(Urgency.HOUSEKEEPING) == 1
    assert done == [1]


def test_long_work_goes_on_where_it_was_broken_off_and_shows_how_far_it_is(monkeypatch, run):
    slug = company(7)
    monkeypatch.setattr(revocation, "MOST_TOLD", 2)
    flip(slug)
    looked_at, told = [], progress.note

    def note(connection, claimed, come: Come) -> None:
        told(connection, claimed, come)
        looked_at.append(come.done)
        if come.done == 4:
            raise SoftTimeLimitExceeded

    monkeypatch.setattr(progress, "note", note)
    with pytest.raises(SoftTimeLimitExceeded):
        drain.drain(Urgency.URGENT)
    (waiting,) = run("events", "list", "--undone")["events"]
    assert (waiting["progress"], waiting["attempts"]) == ({"done": 2, "total": 7}, 0)
    monkeypatch.setattr(progress, "note", told)
    gone_on = []
    clear = revocation.clearing.clear_workspace
    monkeypatch.setattr(
        revocation.clearing,
        "clear_workspace",
        lambda connection, **where: gone_on.append(where["after"]) or clear(connection, **where),
    )
    assert drain.drain(Urgency.URGENT) == 1
    assert (looked_at, len(gone_on), gone_on[0] is None) == ([2, 4], 4, False)
    assert run("events", "list", "--undone")["total"] == 0
