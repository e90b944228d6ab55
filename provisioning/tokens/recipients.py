"""Who is told about a token: its owner, or where it has none the owners of the workspace."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection

from provisioning.directory.models import Member

_MOST = 100


def of(connection: Connection, *, workspace_id: UUID, member_id: UUID | None) -> tuple[UUID, ...]:
    """The active members who are to be told, in the order in which they came."""
    wanted = select(Member.id).where(Member.workspace_id == workspace_id, Member.active)
    whom = wanted.where(Member.owner) if member_id is None else wanted.where(Member.id == member_id)
    return tuple(connection.execute(whom.order_by(Member.id).limit(_MOST)).scalars())
