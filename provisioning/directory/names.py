"""What the people, groups and connections of a workspace are called, of whose ids something tells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.engine import Connection

from provisioning.directory.models import Connection as ConnectionRow
from provisioning.directory.models import Group, Member


@dataclass(frozen=True, slots=True)
class Named:
    """Who or what an id means.

    Args:
        kind: what it is.
        id: in the workspace: a person's is that of the member, also where the account's was asked for.
        name: what it is called.
    """

    kind: Literal["member", "group", "connection", "mapping"]
    id: UUID
    name: str


def of_ids(connection: Connection, *, workspace_id: UUID, ids: Collection[UUID]) -> dict[UUID, Named]:
    """What ids mean in a workspace; one that means nothing there, or nothing any more, is left out.

    Args:
        connection: to read with; one statement is sent.
        workspace_id: where.
        ids: of members, their accounts, groups or connections.
    """
    if not ids:
        return {}
    person = func.coalesce(Member.display_name, Member.user_name)
    arms = (
        (Member, Member.id, "member", person),
        (Member, Member.user_id, "member", person),
        (Group, Group.id, "group", Group.display_name),
        (ConnectionRow, ConnectionRow.id, "connection", ConnectionRow.name),
    )
    wanted = union_all(
        *(
            select(asked.label("asked"), literal(kind).label("kind"), table.id.label("id"), name.label("name")).where(
                table.workspace_id == workspace_id, asked.in_(ids)
            )
            for table, asked, kind, name in arms
        )
    )
    return {row.asked: Named(row.kind, row.id, row.name) for row in connection.execute(wanted)}
