"""The table of facts: written in the transaction that made them true, worked off later, once in effect.

A fact has a name, a workspace, a subject, a payload, and who did it. Facts of one subject are worked off in the order
in which they were written; those of different subjects in any order. What a fact means is none of this module's
business.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    Boolean,
    ColumnElement,
    Delete,
    Identity,
    Index,
    Insert,
    Select,
    Text,
    Update,
    Uuid,
    bindparam,
    case,
    column,
    exists,
    insert,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, aliased, mapped_column
from sqlalchemy.sql import func
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine

from provisioning import entropy, nudge
from provisioning.database import Base, after_commit, transaction
from provisioning.prepared import Prepared

_log = logging.getLogger(__name__)
MAX_ATTEMPTS = 10
_LONGEST_PAUSE = timedelta(minutes=5)
# A claimed fact is left alone for this long; by then its claimer holds it, or has died.
UNTIL_HELD = timedelta(seconds=2)
# Every task is shorter: whoever holds a fact for longer has frozen.
LONGEST_HELD = timedelta(minutes=5)


class Urgency(StrEnum):
    """How soon a fact's work wants doing, which is the queue that it waits in: none waits behind one of another."""

    URGENT = "urgent"
    LETTERS = "letters"
    HOUSEKEEPING = "housekeeping"


class Event(Base):
    """One fact, and how far its work has come. A fact that calls for no work is done from birth."""

    __tablename__ = "event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    workspace_id: Mapped[UUID | None]
    name: Mapped[str]
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    request_id: Mapped[str | None]
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    due_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    done_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    urgency: Mapped[str] = mapped_column(server_default=text("'housekeeping'"))
    # In which seal of the audit trail it is: set once, by whoever seals.
    seal_number: Mapped[int | None]

    __table_args__ = (
        Index("ix_event_undone", "urgency", "due_at", postgresql_where=text("done_at IS NULL AND parked_at IS NULL")),
        Index("ix_event_undone_subject", "subject", "seq", postgresql_where=text("done_at IS NULL")),
        Index("ix_event_workspace_id_seq", "workspace_id", "seq"),
        Index("ix_event_actor_id_occurred_at", "actor_id", "occurred_at"),
        # What has become of each person's membership of a workspace, and who has said so last.
        Index(
            "ix_event_membership",
            "workspace_id",
            "subject",
            "seq",
            postgresql_include=["name", "actor_id"],
            postgresql_where=text("name IN ('member.added', 'member.activated', 'member.suspended', 'member.removed')"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a `connection`, `token`, OAuth `client`, `person`, answered `invitation`, `operator` or `system`."""

    kind: str
    id: str | None = None
    request_id: str | None = None


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Fact:
    """The base of every fact that a room declares: frozen, in the past tense, with only plain values in it."""

    name: ClassVar[str]
    calls_for_work: ClassVar[bool] = False
    urgency: ClassVar[Urgency] = Urgency.HOUSEKEEPING

    @property
    def subject(self) -> str:
        """What the fact is about, as `kind:id`; facts of one subject are worked off in order."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Claimed:
    """A fact that this process has taken up."""

    id: UUID
    workspace_id: UUID | None
    name: str
    payload: dict[str, Any]
    attempts: int


def known_names() -> frozenset[str]:
    """What facts there are, by name: those that the rooms of this process declare."""
    waiting, found = list(Fact.__subclasses__()), set()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found.add(getattr(kind, "name", ""))
    return frozenset(found - {""})


class WorkerLost(Exception):
    """The process that worked on a fact died, or was ended, at its last attempt."""


@dataclass(frozen=True, slots=True)
class EventParked(Fact):
    """An alarm: the work that a fact calls for failed again and again, and waits for somebody to look at it."""

    name: ClassVar[str] = "event.parked"
    event_id: UUID
    event_name: str
    attempts: int
    error: str

    @property
    def subject(self) -> str:
        """The fact."""
        return f"event:{self.event_id}"


Change = TypeVar("Change", Insert, Update, Delete)
_WHAT = ("id", "workspace_id", "name", "subject", "payload", "urgency")
_WRITTEN = (*_WHAT, "actor_kind", "actor_id", "request_id", "done_at")


def append(connection: Connection, *facts: Fact, workspace_id: UUID | None, by: Actor) -> None:
    """Write facts in the transaction that makes them true; when one calls for work, a nudge follows the commit."""
    append_each(connection, [(workspace_id, fact) for fact in facts], by=by)


def append_each(connection: Connection, facts: Sequence[tuple[UUID | None, Fact]], *, by: Actor) -> None:
    """Write facts of several workspaces with one statement, in the transaction that makes them true.

    Args:
        connection: in the transaction.
        facts: each with its workspace.
        by: who did it.
    """
    if facts:
        _APPEND.run(connection, _told(connection, facts, by))


def together(connection: Connection, change: Change, *facts: Fact, workspace_id: UUID | None, by: Actor) -> Change:
    """A change and its facts as one statement: neither is ever without the other, and they cost one round trip.

    Args:
        connection: in the transaction in which the statement is going to be executed.
        change: an INSERT, UPDATE or DELETE that is certain to happen.
        facts: what it makes true.
        workspace_id: where.
        by: who did it.
    """
    if not facts:
        return change
    return change.add_cte(_insertion(**told(connection, *facts, workspace_id=workspace_id, by=by)).cte("facts"))


def telling(change: Change) -> Change:
    """A change and its facts as `together` makes them, to be prepared: what `told` gives are its parameters, too."""
    return change.add_cte(_insertion().cte("facts"))


def telling_if_any(change: ReturningUpdate[Any]) -> Select[*tuple[Any, ...]]:
    """The same for an UPDATE that may find nothing: then there is no fact, and no row comes back.

    Args:
        change: returns the row that it has changed.
    """
    changed = change.cte("changed")
    return select(changed).add_cte(facts_of(changed))


def facts_of(changed: CTE, *, more: ColumnElement[Any] | None = None, subject: ColumnElement[str] | None = None) -> CTE:
    """The facts of a change that may find nothing, as a part of its statement: such as call for no work.

    Args:
        changed: has a row if they are true.
        more: an object of what only the statement knows: it is laid over what each fact says.
        subject: what all of them are about, where only the statement knows it.
    """
    return _insertion(exists().select_from(changed), more=more, subject=subject).cte("facts")


def told(connection: Connection, *facts: Fact, workspace_id: UUID | None, by: Actor) -> dict[str, Any]:
    """The parameters by which a change that was made with `telling` tells its facts; the arguments are `together`'s."""
    return _told(connection, [(workspace_id, fact) for fact in facts], by)


def _told(connection: Connection, facts: Sequence[tuple[UUID | None, Fact]], by: Actor) -> dict[str, Any]:
    """All facts are one parameter, so that PostgreSQL sees the same statement however many there are."""
    for queue in {fact.urgency for _, fact in facts if fact.calls_for_work}:
        after_commit(connection, nudge.teller(queue))
    rows = [
        {
            "id": entropy.new_id(),
            "workspace_id": workspace_id,
            "name": fact.name,
            "subject": fact.subject,
            "payload": _payload(fact),
            "urgency": fact.urgency,
            "calls_for_work": fact.calls_for_work,
        }
        for workspace_id, fact in facts
    ]
    return {"facts": rows, "fact_actor_kind": by.kind, "fact_actor_id": by.id, "fact_request_id": by.request_id}


def _insertion(
    *conditions: ColumnElement[bool],
    more: ColumnElement[Any] | None = None,
    subject: ColumnElement[str] | None = None,
    **values: Any,
) -> Insert:
    """The facts that these values tell, or those that parameters of their names are going to, if conditions hold.

    Args:
        conditions: all of them.
        more: laid over the payload of each.
        subject: in place of the subject of each.
        values: of the parameters.
    """

    def given(name: str, kind: TypeEngine[Any]) -> BindParameter[Any]:
        return bindparam(name, values[name], kind) if name in values else bindparam(name, type_=kind)

    where = (column("id", Uuid), column("workspace_id", Uuid))
    columns = (*where, column("name", Text), column("subject", Text), column("payload", JSONB))
    how = (column("urgency", Text), column("calls_for_work", Boolean))
    row = (
        func.jsonb_to_recordset(given("facts", JSONB()))
        .table_valued(*columns, *how, name="fact")
        .render_derived(with_types=True)
    )
    done = case((row.c.calls_for_work, null()), else_=func.clock_timestamp())
    who = (given(f"fact_{name}", Text()) for name in ("actor_kind", "actor_id", "request_id"))
    payload = row.c.payload if more is None else row.c.payload.concat(more)
    about = row.c.subject if subject is None else subject
    what = (row.c.id, row.c.workspace_id, row.c.name, about, payload, row.c.urgency)
    return insert(Event).from_select(_WRITTEN, select(*what, *who, done).where(*conditions))


_APPEND = Prepared(_insertion())


def _payload(fact: Fact) -> dict[str, Any]:
    """What a fact says: its fields, and not what is so for all of its name."""
    return {field.name: getattr(fact, field.name) for field in dataclasses.fields(fact)}


_earlier = aliased(Event)
_NEXT_DUE = (
    select(Event.id)
    .where(
        Event.done_at.is_(None),
        Event.parked_at.is_(None),
        Event.urgency == bindparam("queue"),
        Event.name.in_(bindparam("names", expanding=True)),
        Event.due_at <= func.clock_timestamp(),
        ~select(1)
        .where(
            _earlier.subject == Event.subject,
            _earlier.seq < Event.seq,
            _earlier.done_at.is_(None),
            _earlier.parked_at.is_(None),
        )
        .exists(),
    )
    .order_by(Event.due_at)
    .limit(1)
    .with_for_update(skip_locked=True, of=Event)
    .scalar_subquery()
)
_CLAIM = (
    update(Event)
    .where(Event.id == _NEXT_DUE)
    .values(attempts=Event.attempts + 1, due_at=func.clock_timestamp() + UNTIL_HELD)
    .returning(Event.id, Event.workspace_id, Event.name, Event.payload, Event.attempts)
)


def claim(urgency: Urgency, *, names: Collection[str]) -> Claimed | None:
    """Take up the next fact that is due, if there is one.

    The attempt is counted and committed before any work is done, so that a fact whose work kills its process is
    parked in the end, too.

    Args:
        urgency: of which queue.
        names: the facts that the caller can work on. One that a newer version wrote waits for a newer worker.
    """
    wanted = {"queue": urgency, "names": sorted(names)}
    while True:
        with transaction() as connection:
            row = connection.execute(_CLAIM, wanted).one_or_none()
        if row is None:
            return None
        claimed = Claimed(*row)
        if claimed.attempts <= MAX_ATTEMPTS:
            return claimed
        fail(claimed, WorkerLost())


_HOLD = text("SELECT set_config('idle_in_transaction_session_timeout', :longest, true)")


@contextmanager
def held(claimed: Claimed) -> Iterator[Connection | None]:
    """Hold a claimed fact while its work is done; leaving without an error settles it.

    The row is locked by an open transaction for as long as the work takes; the lock of a killed process is gone at
    once, and that of a frozen one when no work takes so long. Yields None where another process has it.
    """
    mine = (
        select(Event.id)
        .where(Event.id == claimed.id, Event.attempts == claimed.attempts, Event.done_at.is_(None))
        # Not its key: how far the work has come is noted in rows that refer to it.
        .with_for_update(skip_locked=True, key_share=True)
    )
    with transaction() as connection:
        connection.execute(_HOLD, {"longest": f"{LONGEST_HELD.total_seconds():.0f}s"})
        if connection.execute(mine).one_or_none() is None:
            yield None
            return
        yield connection
        connection.execute(
            update(Event).where(Event.id == claimed.id).values(done_at=func.clock_timestamp(), error=None)
        )


def pause_after(attempts: int, *, longest: timedelta) -> timedelta:
    """How long to leave alone what has failed so often: 2, 4, 8 ... seconds, up to the longest.

    A quarter more or less by chance: what failed together does not come back together.
    """
    return min(timedelta(seconds=2 ** min(attempts, 20)), longest) * (0.75 + entropy.fraction() / 2)


_FAIL = (
    update(Event)
    .where(Event.id == bindparam("event_id"), Event.done_at.is_(None), Event.parked_at.is_(None))
    .values(
        error=bindparam("message"),
        due_at=func.clock_timestamp() + bindparam("pause", type_=None, required=True),
        parked_at=text("CASE WHEN attempts >= :most THEN clock_timestamp() END"),
    )
    .returning(Event.parked_at)
)


def fail(claimed: Claimed, error: Exception) -> None:
    """Put a fact back whose work failed, for later; after the last attempt park it, so that the others flow.

    Only the error's type is kept: its text may quote what must not be stored. Parking raises an alarm, once.
    """
    kind = type(error).__name__
    pause = pause_after(claimed.attempts, longest=_LONGEST_PAUSE)
    with transaction() as connection:
        told = {"event_id": claimed.id, "message": kind, "pause": pause, "most": MAX_ATTEMPTS}
        if connection.execute(_FAIL, told).scalar_one_or_none() is None:
            return
        alarm = EventParked(event_id=claimed.id, event_name=claimed.name, attempts=claimed.attempts, error=kind)
        append(connection, alarm, workspace_id=claimed.workspace_id, by=SYSTEM)
    _log.error("fact %s (%s) is parked after %d attempts: %s", claimed.id, claimed.name, claimed.attempts, kind)
