"""The table of API tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base


class ApiToken(Base):
    """An API token; only a keyed hash of its text is kept."""

    __tablename__ = "api_token"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    # The member whose token it is, and the activation of theirs under which it was made: a suspension ends it for
    # good. Tokens made by the operator have no owner.
    member_id: Mapped[UUID | None]
    member_epoch: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(["workspace_id", "member_id"], ["member.workspace_id", "member.id"], ondelete="CASCADE"),
        Index("ix_api_token_expiry", "expires_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_api_token_member", "workspace_id", "member_id", postgresql_where=text("member_id IS NOT NULL")),
    )
