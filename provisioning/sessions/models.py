"""The tables of sessions and of the one-time links that begin one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

_NOW = func.clock_timestamp()
_VOUCHED = text("ended_at IS NULL AND connection_id IS NOT NULL")


class Session(Base):
    """A session; only a keyed hash of its text is kept."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    # Drawn when the text was made: a later change of privileges calls for a new one.
    text_epoch: Mapped[int] = mapped_column(server_default=text("0"))
    # Of the text before, which requests that were on their way may still bring for a moment.
    former_digest: Mapped[bytes | None]
    former_until: Mapped[datetime | None]
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
    # How it was begun: see `sign_in.SignIn`.
    address: Mapped[str | None]
    user_agent: Mapped[str | None]
    connection_workspace_id: Mapped[UUID | None]
    connection_id: Mapped[UUID | None]
    authenticated_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    acr: Mapped[str | None]
    amr: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    provider_session: Mapped[str | None]
    id_token: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("policy IN ('standard', 'hipaa')", name="policy"),
        CheckConstraint("(connection_id IS NULL) = (connection_workspace_id IS NULL)", name="whole_connection"),
        ForeignKeyConstraint(
            ["connection_workspace_id", "connection_id"],
            ["connection.workspace_id", "connection.id"],
            ondelete="SET NULL",
        ),
        Index(
            "uq_session_former_digest",
            "former_digest",
            unique=True,
            postgresql_where=text("former_digest IS NOT NULL"),
        ),
        Index("ix_session_connection", "connection_id", postgresql_where=text("connection_id IS NOT NULL")),
        # Identity providers tell of sign-outs by their own session or by the person.
        Index("ix_session_live_provider", "connection_id", "provider_session", postgresql_where=_VOUCHED),
        Index("ix_session_live_vouched", "connection_id", "user_id", postgresql_where=_VOUCHED),
        Index("ix_session_live_user", "user_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_live_seen", "policy", "last_seen_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_live_created", "policy", "created_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_user", "user_id", "id"),
    )


class SessionLimit(Base):
    """The shorter limits that a workspace's owners have set, from one epoch until another.

    A limit that is no longer in force still binds the sessions that were begun while it was: relaxing lengthens none.
    """

    __tablename__ = "session_limit"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    since_epoch: Mapped[int]
    until_epoch: Mapped[int | None]
    idle_seconds: Mapped[int | None]
    absolute_seconds: Mapped[int | None]

    __table_args__ = (PrimaryKeyConstraint("workspace_id", "since_epoch"),)


class SignInLink(Base):
    """A link that signs one person in, once."""

    __tablename__ = "sign_in_link"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
