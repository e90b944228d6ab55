"""The tables that prove the trail: its seals, the head of each chain of them, and the keys that signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.database import Base
from provisioning.outbox import Event

# The chain of the facts that belong to no workspace.
NOWHERE = UUID(int=0)

Index("ix_event_unsealed", Event.workspace_id, Event.seq, postgresql_where=text("seal_number IS NULL"))
Index(
    "ix_event_sealed",
    Event.workspace_id,
    Event.seal_number,
    Event.seq,
    postgresql_where=text("seal_number IS NOT NULL"),
)


class Seal(Base):
    """One seal: which facts it is about, their hashes, the hash of the seal before it, and its signature.

    `rows` has 40 bytes a fact: its `seq`, and the SHA-256 of its canonical form. `dropped` is a signature, too: the
    word of the service that retention has dropped the facts.
    """

    __tablename__ = "audit_seal"

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    sealed_at: Mapped[datetime]
    previous: Mapped[bytes]
    rows: Mapped[bytes]
    hash: Mapped[bytes]
    signature: Mapped[str]
    dropped: Mapped[str | None]

    __table_args__ = (Index("ix_audit_seal_undropped", "last_at", postgresql_where=text("dropped IS NULL")),)


class Head(Base):
    """The signed number of a chain's last seal, written over by each new one: what tells that seals were cut off."""

    __tablename__ = "audit_head"

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    signature: Mapped[str]


class Key(Base):
    """The public part of a key that signed seals, and its name sealed under the secret key, which vouches for it."""

    __tablename__ = "audit_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public: Mapped[dict[str, Any]]
    voucher: Mapped[str]


def of_chain(chain: UUID) -> ColumnElement[bool]:
    """What facts belong to a chain."""
    return Event.workspace_id.is_(None) if chain == NOWHERE else Event.workspace_id == chain
