"""Groups that their identity providers push no more: what they were, for those who had rested something on their ids.

An id is never given out again, and a name means nothing here: only the connection that pushed a group can bring it
back, by the externalId that it gave the group.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, delete, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.directory.models import Connection as ConnectionRow
from provisioning.directory.models import Group, LostGroup


@dataclass(frozen=True, slots=True)
class LostGroupView:
    """A group as it was when it was lost."""

    id: UUID
    workspace_id: UUID
    connection_id: UUID
    connection: str
    external_id: str | None
    display_name: str
    lost_at: datetime


_OF = (ConnectionRow.workspace_id == LostGroup.workspace_id) & (ConnectionRow.id == LostGroup.connection_id)
_VIEW = select(
    LostGroup.id,
    LostGroup.workspace_id,
    LostGroup.connection_id,
    ConnectionRow.name,
    LostGroup.external_id,
    LostGroup.display_name,
    LostGroup.lost_at,
).join(ConnectionRow, _OF)


def noting(*, workspace_id: UUID, group_id: UUID, connection_id: UUID, document: dict[str, Any]) -> Insert:
    """The note that a group is lost, to be written in the statement that loses it."""
    return insert(LostGroup).values(
        workspace_id=workspace_id,
        id=group_id,
        connection_id=connection_id,
        external_id=document.get("externalId"),
        display_name=document["displayName"],
    )


def of(connection: Connection, *, workspace_id: UUID, ids: Collection[UUID]) -> dict[UUID, LostGroupView]:
    """Those of some groups of a workspace that are lost."""
    if not ids:
        return {}
    rows = connection.execute(_VIEW.where(LostGroup.workspace_id == workspace_id, LostGroup.id.in_(ids)))
    return {row.id: LostGroupView(*row) for row in rows}


def returned(connection: Connection, *, lost: LostGroupView) -> Sequence[UUID]:
    """The groups that the same connection pushes now under the externalId of a lost one."""
    same = (Group.connection_id == lost.connection_id, Group.external_id == lost.external_id)
    return connection.execute(select(Group.id).where(Group.workspace_id == lost.workspace_id, *same)).scalars().all()


def take(connection: Connection, *, older_than: timedelta, most: int) -> Sequence[LostGroupView]:
    """Delete notes that need not be kept any more, and tell what they said."""
    old = _VIEW.where(LostGroup.lost_at < func.clock_timestamp() - older_than).order_by(LostGroup.lost_at)
    rows = connection.execute(old.limit(most).with_for_update(of=LostGroup, skip_locked=True)).all()
    for row in rows:
        here = (LostGroup.workspace_id == row.workspace_id, LostGroup.id == row.id)
        connection.execute(delete(LostGroup).where(*here))
    return [LostGroupView(*row) for row in rows]
