"""The table of the provisioning log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.database import Base


class JournalEntry(Base):
    """One request of a connection, or one operation of its Bulk requests."""

    __tablename__ = "journal_entry"

    id: Mapped[UUID]
    workspace_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    at: Mapped[datetime]
    method: Mapped[str]
    path: Mapped[str]
    filter: Mapped[str | None]
    status: Mapped[int]
    scim_type: Mapped[str | None]
    detail: Mapped[str | None]
    resource_type: Mapped[str | None]
    resource_id: Mapped[str | None]
    # Of each attribute that has changed: what it was, and what it is.
    changes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    # Deviations of the identity provider that were put right, and attributes that were ignored.
    notes: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    milliseconds: Mapped[int]
    request_id: Mapped[str | None]

    __table_args__ = (
        PrimaryKeyConstraint("workspace_id", "id"),
        ForeignKeyConstraint(
            ["workspace_id", "connection_id"], ["connection.workspace_id", "connection.id"], ondelete="CASCADE"
        ),
        Index("ix_journal_entry_connection", "workspace_id", "connection_id", "at", "id"),
        Index("ix_journal_entry_at", "at"),
        # What was refused for the sake of protected members, and some more: few entries.
        Index(
            "ix_journal_entry_protected",
            "workspace_id",
            "connection_id",
            "resource_id",
            "at",
            postgresql_where=text("scim_type = 'mutability'"),
        ),
    )
