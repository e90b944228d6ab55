"""How far the long work of a fact has come: noted with each stretch of it, so that the next one goes on there.

A note goes when the fact's work is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base, reading, transaction
from provisioning.outbox import UNTIL_HELD, Claimed, Event


class Progress(Base):
    """How far the work of one fact has come."""

    __tablename__ = "progress"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), primary_key=True)
    # Where to go on: whatever the handler understands.
    place: Mapped[str | None]
    # How many of its things are done, and how many there were, where anybody has counted.
    done: Mapped[int]
    total: Mapped[int | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Come:
    """How far work has come: where it is, and how many of its things are done, of how many."""

    place: str | None = None
    done: int = 0
    total: int | None = None


def of(claimed: Claimed) -> Come | None:
    """How far the work of a fact had come when it was broken off; None where it has not begun."""
    wanted = select(Progress.place, Progress.done, Progress.total).where(Progress.event_id == claimed.id)
    with reading() as connection:
        row = connection.execute(wanted).one_or_none()
    return None if row is None else Come(*row)


def note(connection: Connection, claimed: Claimed, come: Come) -> None:
    """Note how far the work of a fact has come, in the transaction of the work itself."""
    values = {"place": come.place, "done": come.done, "total": come.total}
    connection.execute(
        insert(Progress)
        .values(event_id=claimed.id, **values)
        .on_conflict_do_update(
            index_elements=[Progress.event_id], set_={**values, "changed_at": func.clock_timestamp()}
        )
    )


def advance(connection: Connection, claimed: Claimed, more: int) -> None:
    """Note that so many more things are done, of work that needs no place to go on from."""
    new = insert(Progress).values(event_id=claimed.id, done=more)
    added = {"done": Progress.done + more, "changed_at": func.clock_timestamp()}
    connection.execute(new.on_conflict_do_update(index_elements=[Progress.event_id], set_=added))


def finish(connection: Connection, claimed: Claimed) -> None:
    """Forget how far the work has come, for it is done."""
    connection.execute(delete(Progress).where(Progress.event_id == claimed.id))


def forgive(claimed: Claimed) -> None:
    """Put a fact back whose work ran out of time: where it came further, that is no failure, and it goes on at once."""
    further = select(1).where(Progress.event_id == Event.id, Progress.changed_at > Event.due_at - UNTIL_HELD).exists()
    with transaction() as connection:
        connection.execute(
            update(Event)
            .where(Event.id == claimed.id, Event.done_at.is_(None), further)
            .values(attempts=0, due_at=func.clock_timestamp())
        )
