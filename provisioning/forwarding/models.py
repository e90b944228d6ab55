"""The tables of what is told to the outside: endpoints, their secrets, and how far each listener has been told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from provisioning.database import Base

_NOW = func.clock_timestamp()
# Why an endpoint is told nothing: an owner said so, it failed for too long, or it answered 410.
BY_OWNER, UNREACHABLE, GONE = "owner", "unreachable", "gone"
REASONS = (BY_OWNER, UNREACHABLE, GONE)


class Endpoint(Base):
    """An address that is told what happens in a workspace, and how far it has been."""

    __tablename__ = "forwarding_endpoint"

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id"))
    id: Mapped[UUID]
    url: Mapped[str]
    # Names of facts, `noun.*` for all of a noun, `*` for all.
    events: Mapped[list[Any]]
    # The place up to which it has been told: a seal, and the `seq` of a fact under it.
    seal: Mapped[int]
    seq: Mapped[int]
    # Where the batch ends that is under way: tried again, it is the same one, under the same id.
    batch_seal: Mapped[int | None]
    batch_seq: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    error: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    # When its failing was told to the owners; until it is well again they hear no more of it.
    alarmed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_because: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        CheckConstraint(f"disabled_because IN {REASONS}", name="disabled_because"),
    )


class EndpointSecret(Base):
    """A secret that signs what an endpoint is sent, sealed; of several that are valid, each signs."""

    __tablename__ = "forwarding_secret"

    workspace_id: Mapped[UUID]
    endpoint_id: Mapped[UUID]
    id: Mapped[UUID]
    sealed: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "endpoint_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "endpoint_id"],
            ["forwarding_endpoint.workspace_id", "forwarding_endpoint.id"],
            ondelete="CASCADE",
        ),
    )


class SyslogPlace(Base):
    """How far the operator's syslog has been told of one chain of the audit trail."""

    __tablename__ = "syslog_place"

    # Of a workspace, or `audit.models.NOWHERE`; it outlives the workspace, as the facts do.
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    seal: Mapped[int]
    seq: Mapped[int]
