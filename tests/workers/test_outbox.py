"""Facts wait until their work is done: in order for one subject, whoever is killed, and never for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.database import DatabaseFailure, reading, transaction
from provisioning.outbox import Event, Fact, Urgency
from tests.conftest import TEST
from tests.waiting import eventually


@dataclass(frozen=True, slots=True)
class Happened(Fact):
    """A fact that no worker of the running service takes up: it lies in the future until the test wants it."""

    name: ClassVar[str] = "test.happened"
    calls_for_work: ClassVar[bool] = True
    about: str
    number: int

    @property
    def subject(self) -> str:
        return f"test:{self.about}"


def write(*facts: Fact) -> None:
    with transaction() as connection:
        outbox.append(connection, *facts, workspace_id=None, by=TEST)


def row(about: str, number: int):
    with reading() as connection:
        return connection.execute(
            select(Event).where(Event.subject == f"test:{about}", Event.payload["number"].as_integer() == number)
        ).one()


def claim():
    return outbox.claim(Urgency.HOUSEKEEPING, names={Happened.name})


def claim_all() -> list[tuple[str, int]]:
    taken = []
    while (claimed := claim()) is not None:
        with outbox.held(claimed):
            taken.append((claimed.payload["about"], claimed.payload["number"]))
    return taken


pytestmark = pytest.mark.usefixtures("alone")


def test_facts_of_one_subject_are_taken_up_one_after_the_other():
    write(*(Happened(about=about, number=number) for number in range(3) for about in ("a", "b")))
    first = claim()
    second = claim()
    assert {(c.payload["about"], c.payload["number"]) for c in (first, second)} == {("a", 0), ("b", 0)}
    assert claim() is None
    for claimed in (first, second):
        with outbox.held(claimed):
            pass
    assert claim_all() == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_a_fact_that_is_held_is_nobody_elses():
    write(Happened(about="a", number=0), Happened(about="a", number=1))
    claimed = claim()
    with outbox.held(claimed) as held:
        assert held is not None
        assert claim() is None
    assert row("a", 0).done_at is not None
    assert claim().payload["number"] == 1


def test_a_fact_whose_holder_breaks_off_stays_undone_and_is_free_at_once():
    write(Happened(about="a", number=0))
    claimed = claim()
    with pytest.raises(RuntimeError), outbox.held(claimed):
        raise RuntimeError
    again = eventually(claim)
    assert (again.id, again.attempts) == (claimed.id, 2)


def test_a_fact_whose_holder_froze_is_free_again_in_the_end(monkeypatch):
    monkeypatch.setattr(outbox, "LONGEST_HELD", timedelta(seconds=1))
    write(Happened(about="a", number=0))
    frozen = claim()

    def sleep() -> None:
        with outbox.held(frozen):
            monkeypatch.undo()
            again = eventually(claim)
            eventually(lambda: settle(again))

    # Whoever wakes up finds that it holds nothing any more.
    with pytest.raises(DatabaseFailure):
        sleep()
    assert row("a", 0).done_at is not None


def settle(claimed) -> bool:
    with outbox.held(claimed) as held:
        return held is not None


def test_a_fact_stays_held_for_as_long_as_its_work_takes():
    write(Happened(about="a", number=0))
    with outbox.held(claim()):
        eventually(is_due)
        assert claim() is None
    assert row("a", 0).done_at is not None


def is_due() -> bool:
    with reading() as connection:
        return connection.execute(select(Event.due_at <= func.clock_timestamp())).scalar_one()


def test_a_claim_that_another_has_overtaken_is_not_worked_on():
    write(Happened(about="a", number=0))
    late, early = claim(), eventually(claim)
    with outbox.held(late) as held:
        assert held is None
    with outbox.held(early) as held:
        assert held is not None


def test_a_failing_fact_waits_longer_each_time_and_is_parked_in_the_end():
    write(Happened(about="bad", number=0), Happened(about="bad", number=1))
    pauses = []
    for _ in range(outbox.MAX_ATTEMPTS):
        with transaction() as connection:
            connection.execute(update(Event).where(Event.subject == "test:bad").values(due_at=func.clock_timestamp()))
        claimed = claim()
        assert claimed.payload["number"] == 0
        outbox.fail(claimed, ValueError("secret words of the error"))
        with reading() as connection:
            left = select(Event.due_at - func.clock_timestamp()).where(Event.id == claimed.id)
            pauses.append(connection.execute(left).scalar_one())
    parked = row("bad", 0)
    assert parked.parked_at is not None
    assert parked.error == "ValueError"
    assert pauses[:5] == sorted(pauses[:5])
    assert ("bad", 1) in claim_all()


def test_a_fact_is_written_with_its_change_or_not_at_all():
    about = uuid4().hex

    def break_off() -> None:
        with transaction() as connection:
            outbox.append(connection, Happened(about=about, number=0), workspace_id=None, by=TEST)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    with reading() as connection:
        assert connection.execute(select(func.count()).where(Event.subject == f"test:{about}")).scalar_one() == 0
