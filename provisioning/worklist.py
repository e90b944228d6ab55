"""The facts that call for work, how far it has come, and those whose work failed too often, which operators replay."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import nudge, outbox
from provisioning.database import after_commit
from provisioning.invariants import Finding, look
from provisioning.outbox import Actor, Event, Fact
from provisioning.progress import Progress
from provisioning.refusals import Conflict, NotFound


class State(Enum):
    """Which facts are meant."""

    ANY = "any"
    UNDONE = "undone"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class EventReplayed(Fact):
    """The operator had the work of a parked fact tried again, from the first attempt on."""

    name: ClassVar[str] = "event.replayed"
    event_id: UUID
    event_name: str

    @property
    def subject(self) -> str:
        """The fact."""
        return f"event:{self.event_id}"


@dataclass(frozen=True, slots=True)
class Item:
    """A fact, and how far its work is."""

    id: UUID
    name: str
    subject: str
    workspace_id: UUID | None
    occurred_at: datetime
    urgency: str
    attempts: int
    error: str | None
    due_at: datetime
    done_at: datetime | None
    parked_at: datetime | None
    progress_done: int | None
    progress_total: int | None

    @property
    def state(self) -> str:
        """Where it is: `done`, `parked` or `waiting`."""
        if self.done_at is not None:
            return "done"
        return "waiting" if self.parked_at is None else "parked"


def _meant(state: State) -> tuple[ColumnElement[bool], ...]:
    if state is State.ANY:
        return ()
    parked = Event.parked_at.is_not(None) if state is State.PARKED else Event.parked_at.is_(None)
    return (Event.done_at.is_(None), parked)


_ITEM: Select[*tuple[Any, ...]] = select(
    *(Event.id, Event.name, Event.subject, Event.workspace_id, Event.occurred_at, Event.urgency, Event.attempts),
    *(Event.error, Event.due_at, Event.done_at, Event.parked_at),
    *(Progress.done.label("progress_done"), Progress.total.label("progress_total")),
).outerjoin(Progress, Progress.event_id == Event.id)


def selection(state: State) -> Select[*tuple[Any, ...]]:
    """The facts that are meant, as rows that `Item` is made of."""
    return _ITEM.where(*_meant(state))


def every(connection: Connection, *, state: State, most: int) -> tuple[Sequence[Item], int | None]:
    """Facts, newest first, and how many there are in all; nobody counts all that ever happened."""
    wanted = selection(state).order_by(Event.seq.desc()).limit(most)
    found = [Item(*row) for row in connection.execute(wanted)]
    if state is State.ANY:
        return found, None
    counted = select(func.count()).select_from(Event).where(*_meant(state))
    return found, connection.execute(counted).scalar_one()


def replay(connection: Connection, *, event_ids: Collection[UUID] | None, by: Actor) -> Sequence[UUID]:
    """Have the work of parked facts tried again.

    Args:
        connection: in a transaction.
        event_ids: which; None means all that are parked.
        by: who has it tried again.

    Returns:
        The ids of the facts that are due again.

    Raises:
        NotFound: there is no such fact.
        Conflict: it is not parked.
    """
    parked = update(Event).where(*_meant(State.PARKED))
    if event_ids is not None:
        parked = parked.where(Event.id.in_(event_ids))
    due = parked.values(parked_at=None, attempts=0, due_at=func.clock_timestamp())
    rows = connection.execute(due.returning(Event.id, Event.name, Event.workspace_id, Event.urgency)).all()
    if missing := set(event_ids or ()) - {row.id for row in rows}:
        _refuse(connection, min(missing))
    for row in rows:
        told = EventReplayed(event_id=row.id, event_name=row.name)
        outbox.append(connection, told, workspace_id=row.workspace_id, by=by)
        after_commit(connection, nudge.teller(row.urgency))
    return [row.id for row in rows]


def _refuse(connection: Connection, event_id: UUID) -> None:
    if connection.execute(select(1).where(Event.id == event_id)).one_or_none() is None:
        raise NotFound(f"There is no event {event_id}.")
    raise Conflict(f"The event {event_id} is not parked.")


def findings(connection: Connection, *, within: timedelta) -> Sequence[Finding]:
    """Facts whose work should have been done so long ago, and those that are parked."""
    late = Event.occurred_at < func.clock_timestamp() - within
    return [
        look(connection, "events_undone_for_long", select(Event.id).where(*_meant(State.UNDONE), late)),
        look(connection, "events_parked", select(Event.id).where(*_meant(State.PARKED))),
    ]
