"""For the workers: remove what belongs to a deleted workspace. It is there for nobody already; twice does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnClause, Table, column, delete, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.database import Base
from provisioning.directory.models import Member, Workspace
from provisioning.invariants import Finding, look

# The facts of a workspace outlive it, and so does what proves them, and how far they have been told.
KEPT = frozenset({"event", "audit_seal", "audit_head", "syslog_place"})


def is_deleted(connection: Connection, *, workspace_id: UUID) -> bool:
    """Whether a workspace is deleted: nothing is ever removed from one that is not."""
    gone = select(Workspace.deleted_at.is_not(None)).where(Workspace.id == workspace_id)
    return bool(connection.execute(gone).scalar_one_or_none())


def lately(connection: Connection, *, within: timedelta) -> Sequence[UUID]:
    """The workspaces that were deleted lately: a request that was on its way may have left something behind."""
    since = func.clock_timestamp() - within
    return connection.execute(select(Workspace.id).where(Workspace.deleted_at > since)).scalars().all()


def tables() -> Sequence[Table]:
    """The tables whose rows belong to a workspace, each before those that it refers to."""
    found = reversed(Base.metadata.sorted_tables)
    return [table for table in found if "workspace_id" in table.columns and table.name not in KEPT]


def remove_members(connection: Connection, *, workspace_id: UUID, up_to: UUID) -> None:
    """Remove the members up to this one in the order of ids, with their places in groups."""
    connection.execute(delete(Member).where(Member.workspace_id == workspace_id, Member.id <= up_to))


def remove_rows(connection: Connection, *, table: Table, workspace_id: UUID, most: int) -> int:
    """Remove some rows of a table.

    Args:
        connection: in a transaction of its own.
        table: one of `tables`.
        workspace_id: of the deleted workspace.
        most: how many at once.

    Returns:
        How many were removed; fewer than `most` when none are left.
    """
    place: ColumnClause[Any] = column("ctid")
    some = select(place).select_from(table).where(table.c.workspace_id == workspace_id).limit(most)
    return connection.execute(delete(table).where(place.in_(some))).rowcount


def findings(connection: Connection, *, within: timedelta) -> Sequence[Finding]:
    """The workspaces that were deleted so long ago and of which rows are left, for each table that has some."""
    then = func.clock_timestamp() - within
    found = [
        look(
            connection,
            f"orphans_in_{table.name}",
            select(Workspace.id)
            .join(table, table.c.workspace_id == Workspace.id)
            .where(Workspace.deleted_at < then)
            .distinct(),
        )
        for table in tables()
    ]
    return [finding for finding in found if finding.count]
