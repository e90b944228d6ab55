"""The tables of sessions and of the one-time links that begin one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

_NOW = func.clock_timestamp()


class Session(Base):
    """A session; only a keyed hash of its text is kept."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    # The only workspace that it opens, where one of its admins began it; without one it opens all of the person's.
    reach_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspace.id"))
    # The policy under which it began; a HIPAA session never becomes a standard one.
    policy: Mapped[str]
    # Drawn when it began: whatever ends the person's sessions later has a greater number.
    epoch: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    last_seen_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]
    ended_workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspace.id", ondelete="SET NULL"))

    __table_args__ = (
        CheckConstraint("policy IN ('standard', 'hipaa')", name="policy"),
        Index("ix_session_live_user", "user_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_live_seen", "policy", "last_seen_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_live_created", "policy", "created_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_user", "user_id", "id"),
    )


class SignInLink(Base):
    """A link that signs one person in, once."""

    __tablename__ = "sign_in_link"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
