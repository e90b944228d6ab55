"""The table of facts: written in the transaction that made them true, worked off later, once in effect.

A fact has a name, a workspace, a subject, a payload, and who did it. Facts of one subject are worked off in the order
in which they were written; those of different subjects in any order. What a fact means is none of this module's
business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Delete,
    Identity,
    Index,
    Insert,
    Text,
    Update,
    Uuid,
    bindparam,
    case,
    column,
    insert,
    literal,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, aliased, mapped_column
from sqlalchemy.sql import func

from provisioning import entropy, nudge
from provisioning.database import Base, after_commit, transaction

MAX_ATTEMPTS = 10
_LONGEST_PAUSE = timedelta(minutes=5)
# A claimed fact is left alone for this long; by then its claimer holds it, or has died.
_UNTIL_HELD = timedelta(seconds=2)


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
    # In which seal of the audit trail it is: set once, by whoever seals.
    seal_number: Mapped[int | None]

    __table_args__ = (
        Index("ix_event_undone", "due_at", postgresql_where=text("done_at IS NULL AND parked_at IS NULL")),
        Index("ix_event_undone_subject", "subject", "seq", postgresql_where=text("done_at IS NULL")),
        Index("ix_event_workspace_id_seq", "workspace_id", "seq"),
        Index("ix_event_actor_id_occurred_at", "actor_id", "occurred_at"),
    )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a `connection`, `token`, OAuth `client`, `person`, answered `invitation`, `operator` or `system`."""

    kind: str
    id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """The base of every fact that a room declares: frozen, in the past tense, with only plain values in it."""

    name: ClassVar[str]
    calls_for_work: ClassVar[bool] = False

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


Change = TypeVar("Change", Insert, Update, Delete)
_WRITTEN = ("id", "workspace_id", "name", "subject", "payload", "actor_kind", "actor_id", "request_id", "done_at")


def append(connection: Connection, *facts: Fact, workspace_id: UUID | None, by: Actor) -> None:
    """Write facts in the transaction that makes them true; when one calls for work, a nudge follows the commit."""
    if facts:
        connection.execute(_insertion(connection, facts, workspace_id, by))


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
    return change.add_cte(_insertion(connection, facts, workspace_id, by).cte("facts"))


def _insertion(connection: Connection, facts: Sequence[Fact], workspace_id: UUID | None, by: Actor) -> Insert:
    """The facts as one parameter, so that PostgreSQL sees the same statement however many there are."""
    if any(fact.calls_for_work for fact in facts):
        after_commit(connection, nudge.drain)
    rows = [
        {
            "id": entropy.new_id(),
            "name": fact.name,
            "subject": fact.subject,
            "payload": _payload(fact),
            "calls_for_work": fact.calls_for_work,
        }
        for fact in facts
    ]
    columns = (column("id", Uuid), column("name", Text), column("subject", Text), column("payload", JSONB))
    row = (
        func.jsonb_to_recordset(bindparam("facts", rows, JSONB))
        .table_valued(*columns, column("calls_for_work", Boolean), name="fact")
        .render_derived(with_types=True)
    )
    done = case((row.c.calls_for_work, null()), else_=func.clock_timestamp())
    who = (literal(by.kind), literal(by.id, Text), literal(by.request_id, Text))
    written = select(row.c.id, literal(workspace_id, Uuid), row.c.name, row.c.subject, row.c.payload, *who, done)
    return insert(Event).from_select(_WRITTEN, written)


def _payload(fact: Fact) -> dict[str, Any]:
    return {field: getattr(fact, field) for field in fact.__dataclass_fields__}


_earlier = aliased(Event)
_NEXT_DUE = (
    select(Event.id)
    .where(
        Event.done_at.is_(None),
        Event.parked_at.is_(None),
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
    .values(attempts=Event.attempts + 1, due_at=func.clock_timestamp() + _UNTIL_HELD)
    .returning(Event.id, Event.workspace_id, Event.name, Event.payload, Event.attempts)
)


def claim() -> Claimed | None:
    """Take up the next fact that is due, if there is one.

    The attempt is counted and committed before any work is done, so that a fact whose work kills its process is
    parked in the end, too.
    """
    with transaction() as connection:
        row = connection.execute(_CLAIM).one_or_none()
    return None if row is None else Claimed(*row)


@contextmanager
def held(claimed: Claimed) -> Iterator[Connection | None]:
    """Hold a claimed fact while its work is done; leaving without an error settles it.

    The row is locked by an open transaction, however long the work takes; the lock of a killed process is gone at
    once. Yields None where another process has it.
    """
    mine = (
        select(Event.id)
        .where(Event.id == claimed.id, Event.attempts == claimed.attempts, Event.done_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    with transaction() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        if connection.execute(mine).one_or_none() is None:
            yield None
            return
        yield connection
        connection.execute(
            update(Event).where(Event.id == claimed.id).values(done_at=func.clock_timestamp(), error=None)
        )


_FAIL = (
    update(Event)
    .where(Event.id == bindparam("event_id"), Event.done_at.is_(None))
    .values(
        error=bindparam("message"),
        due_at=func.clock_timestamp() + bindparam("pause", type_=None, required=True),
        parked_at=text("CASE WHEN attempts >= :most THEN clock_timestamp() END"),
    )
)


def fail(claimed: Claimed, error: Exception) -> None:
    """Put a fact back whose work failed, for later; after the last attempt park it, so that the others flow.

    Only the error's type is kept: its text may quote what must not be stored.
    """
    pause = min(timedelta(seconds=2 ** min(claimed.attempts, 20)), _LONGEST_PAUSE)
    with transaction() as connection:
        connection.execute(
            _FAIL, {"event_id": claimed.id, "message": type(error).__name__, "pause": pause, "most": MAX_ATTEMPTS}
        )
