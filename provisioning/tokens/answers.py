"""Answers that are kept for a day under the key that a client gave its request, so that it can be sent again safely.

Written in the transaction of the change that they tell of: a key is known exactly if what it stands for was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    and_,
    bindparam,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base
from provisioning.refusals import Conflict, Invalid

KEPT = timedelta(hours=24)
FIELD = "Idempotency-Key"
# Of the advisory locks of two numbers, those of the second are ours.
_KIND = 2
_HOLD = text("SELECT pg_try_advisory_xact_lock(:kind, hashtext(:key))").bindparams(bindparam("kind", _KIND))


class KeptAnswer(Base):
    """What was answered to a program's request of this key."""

    __tablename__ = "kept_answer"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    # An API token or an OAuth client.
    program_id: Mapped[UUID]
    key: Mapped[str]
    # Of the request, so that a key never stands for two.
    fingerprint: Mapped[bytes]
    status: Mapped[int | None]
    body: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "program_id", "key"),
        Index("ix_kept_answer_created_at", "created_at"),
    )


class Key(TypedDict):
    """Whose key it is, and which."""

    workspace_id: UUID
    program_id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    body: str


def claim(connection: Connection, *, of: Key, fingerprint: bytes) -> Answer | None:
    """Take a key for a request that is about to be carried out in this transaction.

    Args:
        connection: in the transaction.
        of: whose key it is, and which.
        fingerprint: of the request.

    Returns:
        What was answered to the request already; None where it is to be carried out.

    Raises:
        Conflict: the first request with the key is being carried out at this moment.
        Invalid: the key stands for another request.
    """
    name = f"{of['workspace_id']} {of['program_id']} {of['key']}"
    if not connection.execute(_HOLD, {"key": name}).scalar_one():
        raise Conflict("The first request with this key is still being answered: send it again.", field=FIELD)
    new = insert(KeptAnswer).values(**of, fingerprint=fingerprint)
    forgotten = KeptAnswer.created_at < func.clock_timestamp() - KEPT
    again = {"fingerprint": fingerprint, "status": None, "body": None, "created_at": func.clock_timestamp()}
    taken = new.on_conflict_do_update(
        index_elements=["workspace_id", "program_id", "key"], set_=again, where=forgotten
    ).returning(KeptAnswer.key)
    if connection.execute(taken).one_or_none() is not None:
        return None
    seen = select(KeptAnswer.fingerprint, KeptAnswer.status, KeptAnswer.body).where(*_where(of))
    row = connection.execute(seen).one()
    if row.fingerprint != fingerprint:
        raise Invalid("This key was sent with another request: give each request a key of its own.", field=FIELD)
    return Answer(status=row.status, body=row.body)


def keep(connection: Connection, *, of: Key, answer: Answer) -> None:
    """Keep what is answered to the request that has taken the key."""
    connection.execute(update(KeptAnswer).where(*_where(of)).values(status=answer.status, body=answer.body))


def _where(of: Key) -> list[Any]:
    return [getattr(KeptAnswer, name) == value for name, value in of.items()]


def forget(connection: Connection, *, most: int) -> int:
    """Delete answers that need not be kept any more; how many there were, fewer than `most` when none are left."""
    old = (
        select(KeptAnswer.workspace_id, KeptAnswer.program_id, KeptAnswer.key)
        .where(KeptAnswer.created_at < func.clock_timestamp() - KEPT)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    same = and_(*(getattr(KeptAnswer, name) == old.c[name] for name in ("workspace_id", "program_id", "key")))
    return connection.execute(delete(KeptAnswer).where(same)).rowcount
