"""Members as lists show them: texts as PostgreSQL writes them, which nobody reads only to write them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, cast, func, select
from sqlalchemy.engine import Connection

from provisioning.directory import tally
from provisioning.directory.conditions import in_utc
from provisioning.directory.models import Group, Member, Membership
from provisioning.directory.paging import Page, Walk, Window
from provisioning.prepared import Prepared


class MemberText(NamedTuple):
    """A team member for whom nothing is left to decide.

    Args:
        id: theirs.
        document: JSON, as stored.
        external_id: that the connection which looks gave them.
        version: of the member.
        created: when they came, in UTC, by milliseconds.
        modified: when they last changed.
    """

    id: str
    document: str
    external_id: str | None
    version: int
    created: str
    modified: str


class GroupName(NamedTuple):
    """A group that some of a list are in."""

    id: str
    display_name: str


_MEMBERS = Walk(
    select(
        cast(Member.id, Text),
        cast(Member.document, Text),
        Member.external_ids[bindparam("connection", type_=Text)].astext,
        Member.version,
        in_utc(Member.created_at),
        in_utc(Member.modified_at),
    ).where(Member.workspace_id == bindparam("workspace")),
    identifier=Member.id,
    counted=tally.total(bindparam("workspace", type_=Uuid)),
    read=MemberText._make,
)
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
