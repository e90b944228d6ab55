"""Members as they are shown: texts as PostgreSQL writes them, which nobody reads only to write them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, cast, func, select
from sqlalchemy.engine import Connection

from provisioning.directory import looks, roster, tally
from provisioning.directory.conditions import in_utc
from provisioning.directory.looks import Look
from provisioning.directory.models import Group, Member, Membership
from provisioning.directory.paging import Page, Walk, Window
from provisioning.prepared import Prepared, Row
from provisioning.scim.compare import fold


class MemberText(NamedTuple):
    """A team member for whom nothing is left to decide.

    Args:
        id: theirs.
        document: JSON, as stored.
        external_id: that the connection which looks gave them, as JSON; None where it gave them none.
        version: of the member.
        created: when they came, in UTC, by milliseconds.
        modified: when they last changed; None where they never have.
    """

    id: str
    document: str
    external_id: str | None
    version: int
    created: str
    modified: str | None


class GroupName(NamedTuple):
    """A group that some of a list are in."""

    id: str
    display_name: str


def _texts(connection_id: Any) -> Select[*tuple[Any, ...]]:
    return select(
        cast(Member.id, Text),
        cast(Member.document, Text),
        cast(Member.external_ids[connection_id], Text),
        Member.version,
        in_utc(Member.created_at),
        in_utc(func.nullif(Member.modified_at, Member.created_at)),
    )


_MEMBERS = Walk(
    _texts(bindparam("connection", type_=Text)).where(Member.workspace_id == bindparam("workspace")),
    identifier=Member.id,
    counted=tally.total(bindparam("workspace", type_=Uuid)),
    read=MemberText._make,
)


def _along(condition: ColumnElement[bool]) -> Prepared:
    """The member for whom a condition holds, in the workspace of the connection that asks, with their groups."""

    def wanted(asking: Any) -> Select[*tuple[Any, ...]]:
        texts = _texts(cast(asking.id, Text)).add_columns(cast(roster.GROUPS, Text))
        return texts.where(Member.workspace_id == asking.workspace_id, condition)

    return looks.along(wanted)


_BY_ID, _BY_NAME = _along(Member.id == bindparam("member")), _along(Member.user_name_key == bindparam("key"))
# One row a group, however many of the list are in it: the names are looked up after that.
_HELD = (
    select(Membership.group_id, func.string_agg(cast(Membership.member_id, Text), ",").label("members"))
    .where(
        Membership.workspace_id == bindparam("workspace"),
        Membership.member_id.between(bindparam("first"), bindparam("last")),
    )
    .group_by(Membership.group_id)
    .cte("held")
    .prefix_with("MATERIALIZED")
)
_GROUPS = Prepared(
    select(cast(Group.id, Text), Group.display_name, _HELD.c.members)
    .join(_HELD, Group.id == _HELD.c.group_id)
    .where(Group.workspace_id == bindparam("workspace"))
    .order_by(Group.display_name_key, Group.id)
)


def look(member_id: UUID) -> Look:
    """The member of this id, in the workspace of the connection that asks: a row for `one`."""
    return Look(_BY_ID, {"member": member_id})


def look_up(name: str) -> Look:
    """The member of this userName, in the workspace of the connection that asks: a row for `one`."""
    return Look(_BY_NAME, {"key": fold(name)})


def one(row: Row) -> tuple[MemberText, tuple[GroupName, ...]]:
    """The member of a row, and the groups that they are in."""
    *member, groups = row
    return MemberText._make(member), tuple(map(GroupName._make, orjson.loads(groups))) if groups else ()


def members(connection: Connection, *, workspace_id: UUID, connection_id: UUID, window: Window) -> Page[MemberText]:
    """Some of all of the workspace's members, in the order in which they came, and how many there are.

    Args:
        connection: to read with.
        workspace_id: the workspace.
        connection_id: of the identity provider that looks.
        window: which part.
    """
    return _MEMBERS.fetch(connection, {"workspace": workspace_id, "connection": str(connection_id)}, window)


def groups_of(
    connection: Connection, *, workspace_id: UUID, members: Sequence[MemberText]
) -> Mapping[str, Sequence[GroupName]]:
    """The groups that the members of a page are in, by the member's id; whoever is in none is left out.

    Args:
        connection: to read with.
        workspace_id: theirs.
        members: at least one; all who are between the first and the last.
    """
    found: dict[str, list[GroupName]] = {}
    ends = {"first": members[0].id, "last": members[-1].id}
    for identifier, name, ids in _GROUPS.rows(connection, {"workspace": workspace_id, **ends}):
        group = GroupName(identifier, name)
        for member in ids.split(","):
            found.setdefault(member, []).append(group)
    return found
