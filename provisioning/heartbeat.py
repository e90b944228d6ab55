"""When the parts of the service were last heard of: beat, for each queue the workers that serve it, and each job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

BEAT = "beat"
_OFTEN = timedelta(seconds=1)


class Heartbeat(Base):
    """One part, and when it last showed that it lives, by the database's clock."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def show_life(connection: Connection, name: str, *, every: timedelta = _OFTEN) -> bool:
    """Note that a part lives, or that a job begins.

    Args:
        connection: in a transaction; of two at once the second one waits for its end.
        name: of the part or job.
        every: at most so often.

    Returns:
        Whether it was noted: the last time was longer ago.
    """
    now = func.clock_timestamp()
    noted = (
        insert(Heartbeat)
        .values(name=name)
        .on_conflict_do_update(
            index_elements=[Heartbeat.name], set_={"beat_at": now}, where=Heartbeat.beat_at < now - every
        )
    )
    return connection.execute(noted.returning(Heartbeat.name)).one_or_none() is not None


def ages(connection: Connection) -> Mapping[str, timedelta]:
    """How long ago each part was last heard of."""
    wanted = select(Heartbeat.name, (func.clock_timestamp() - Heartbeat.beat_at).label("age"))
    return {row.name: row.age for row in connection.execute(wanted)}
