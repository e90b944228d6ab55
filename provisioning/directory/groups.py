"""User groups. What becomes of one costs the same with ten members and with 100,000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Insert,
    Integer,
    Select,
    Uuid,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import lost_groups, memberships
from provisioning.directory.events import GroupAdded, GroupMembersChanged, GroupRemoved, GroupUpdated
from provisioning.directory.memberships import Delta
from provisioning.directory.models import Group, Member, Membership
from provisioning.directory.profile import GroupProfile
from provisioning.outbox import Actor, Fact
from provisioning.prepared import Prepared
from provisioning.refusals import Conflict, NotFound, ProtectedMember


@dataclass(frozen=True, slots=True)
class MemberReference:
    """A member of a group."""

    id: UUID
    display: str


class GroupView(NamedTuple):
    """A user group as stored."""

    id: UUID
    workspace_id: UUID
    connection_id: UUID | None
    document: dict[str, Any]
    version: int
    created_at: datetime
    modified_at: datetime
    # The ids of its members; None where nobody asked for them: their table is not touched then.
    members: tuple[UUID, ...] | None = None

    @property
    def display_name(self) -> str:
        """The SCIM displayName."""
        return str(self.document["displayName"])

    @property
    def linked(self) -> bool:
        """Whether an identity provider pushes it."""
        return self.connection_id is not None


COLUMNS = (
    Group.id,
    Group.workspace_id,
    Group.connection_id,
    Group.document,
    Group.version,
    Group.created_at,
    Group.modified_at,
)
VIEW: Select[*tuple[Any, ...]] = select(*COLUMNS)


def _members(most: int | BindParameter[int] | None) -> Any:
    """The ids of a group's members, in their order: from the table of memberships alone."""
    some = memberships.ids_in(Group.workspace_id, Group.id).limit(most).correlate(Group).scalar_subquery()
    return func.array(some, type_=ARRAY(Uuid)).label("members")


WITH_MEMBERS = VIEW.add_columns(_members(None))
_ONE = VIEW.where(Group.workspace_id == bindparam("workspace"), Group.id == bindparam("group"))
_BY_ID, _HELD = Prepared(_ONE), Prepared(_ONE.with_for_update(key_share=True))
_PARAMETERS: dict[str, Any] = {name: bindparam(name) for name in ("id", "workspace_id", *GroupProfile.COLUMNS)}
_CREATE = Prepared(
    outbox.telling(insert(Group).values(**_PARAMETERS, connection_id=bindparam("connection_id")).returning(*COLUMNS))
)
_CHANGE = (
    update(Group)
    .where(Group.workspace_id == _PARAMETERS["workspace_id"], Group.id == _PARAMETERS["id"])
    .values(
        **{name: _PARAMETERS[name] for name in GroupProfile.COLUMNS},
        version=Group.version + 1,
        modified_at=func.clock_timestamp(),
    )
)
_STORE = Prepared(outbox.telling(_CHANGE.returning(*COLUMNS)))
_STORE_AND_SHOW = Prepared(outbox.telling(_CHANGE.returning(*COLUMNS, _members(bindparam("most", type_=Integer)))))


def view(row: Sequence[Any]) -> GroupView:
    """A row of `VIEW` or `WITH_MEMBERS` as a value."""
    own = len(COLUMNS)
    group = GroupView(*row[:own])
    return group if len(row) == own else group._replace(members=tuple(row[own]))


def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    profile: GroupProfile,
    members: Sequence[str],
    connection_id: UUID | None,
    by: Actor,
    awaits: bool = True,
) -> GroupView:
    """Add a user group, with its first members.

    Args:
        connection: in a transaction.
        workspace_id: whose group it is.
        profile: of the new group.
        members: ids of the workspace's members, or externalIds of the connection.
        connection_id: the identity provider that pushes it, or None for a local group.
        by: who did it.
        awaits: whether members may be named who are still to come.

    Raises:
        Conflict: the same source has a group of this name already.
        Invalid: nobody pushes the group, and a member is not one of the workspace.
    """
    group_id = entropy.new_id()
    new = {"id": group_id, "workspace_id": workspace_id, "connection_id": connection_id, **profile.columns()}
    fact = GroupAdded(group_id=group_id, display_name=profile.display_name)
    told = outbox.told(connection, fact, workspace_id=workspace_id, by=by)
    group = _written(_CREATE, connection, {**new, **told})
    if not members:
        return group._replace(members=())
    added = memberships.join(connection, group=group, members=members, by=by, awaits=awaits)
    if added:
        changed = GroupMembersChanged(group_id=group.id, added=added, removed=())
        outbox.append(connection, changed, workspace_id=workspace_id, by=by)
    return group._replace(members=tuple(sorted(added)))


def _written(change: Prepared, connection: Connection, values: dict[str, Any]) -> GroupView:
    try:
        return view(change.one(connection, values))
    except IntegrityError:
        raise Conflict("There is a group with this displayName already.", field="displayName") from None


def by_id(connection: Connection, *, workspace_id: UUID, group_id: UUID, most: int | None = 0) -> GroupView:
    """The workspace's group of this id.

    Args:
        connection: to read with.
        workspace_id: whose group it is.
        group_id: which one.
        most: how many of its members are told; None for all.

    Raises:
        NotFound: the workspace has none.
    """
    if most == 0:
        row = _BY_ID.one_or_none(connection, {"workspace": workspace_id, "group": group_id})
    else:
        wanted = VIEW.add_columns(_members(most)).where(Group.workspace_id == workspace_id, Group.id == group_id)
        row = connection.execute(wanted).one_or_none()
    return found(row)


def found(row: Sequence[Any] | None) -> GroupView:
    """The group of a row.

    Raises:
        NotFound: there is none.
    """
    if row is None:
        raise NotFound("There is no such group in this workspace.")
    return view(row)


def lock(connection: Connection, *, workspace_id: UUID, group_id: UUID) -> GroupView:
    """The group, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    return found(_HELD.one_or_none(connection, {"workspace": workspace_id, "group": group_id}))


def store(
    connection: Connection,
    *,
    group: GroupView,
    profile: GroupProfile,
    delta: Delta,
    by: Actor,
    most: int = 0,
    awaits: bool = True,
) -> GroupView:
    """Give a locked group a new profile and change its membership; what is equal already changes nothing.

    Args:
        connection: in the transaction that locked the group.
        group: as `lock` returned it.
        profile: the new one, whole.
        delta: who joins and who leaves.
        by: who did it.
        most: how many of the members are told of a group that has changed; 0 tells none.
        awaits: whether members may be named who are still to come.

    Raises:
        Conflict: the same source has another group of this name.
        ProtectedMember: the identity provider would take out a member whom an owner protects.
        Invalid: nobody pushes the group, and somebody who is to join is not a member of the workspace.
    """
    facts: list[Fact] = []
    names = group.document.keys() | profile.document.keys()
    changed = sorted(name for name in names if group.document.get(name) != profile.document.get(name))
    if changed:
        facts.append(GroupUpdated(group_id=group.id, attributes=tuple(changed)))
    removed = memberships.leave(connection, group=group, delta=delta, by=by)
    added = memberships.join(connection, group=group, members=delta.added, by=by, awaits=awaits) if delta.added else ()
    if added or removed:
        facts.append(GroupMembersChanged(group_id=group.id, added=added, removed=removed))
    if not facts:
        return group
    new = {"id": group.id, "workspace_id": group.workspace_id, "most": most, **profile.columns()}
    told = outbox.told(connection, *facts, workspace_id=group.workspace_id, by=by)
    return _written(_STORE_AND_SHOW if most else _STORE, connection, {**new, **told})


def remove(connection: Connection, *, group: GroupView, by: Actor) -> None:
    """Take a locked group away; its members stay in the workspace. Of a linked one a note is kept.

    Raises:
        ProtectedMember: the identity provider would take it from a member whom an owner protects.
    """
    gone = delete(Group).where(Group.workspace_id == group.workspace_id, Group.id == group.id)
    if group.connection_id is not None:
        gone = gone.add_cte(lost(group, group.connection_id).cte("lost"))
    fact = GroupRemoved(group_id=group.id, display_name=group.display_name)
    statement = outbox.together(connection, gone, fact, workspace_id=group.workspace_id, by=by)
    if by.kind != "connection":
        connection.execute(statement)
    elif connection.execute(statement.returning(_HOLDS_PROTECTED)).scalar_one():
        raise ProtectedMember(
            "An owner of this workspace protects a member of this group: it stays until an owner detaches it."
        )


_HOLDS_PROTECTED = (
    exists()
    .where(
        Membership.workspace_id == Group.workspace_id,
        Membership.group_id == Group.id,
        Member.workspace_id == Membership.workspace_id,
        Member.id == Membership.member_id,
        Member.protected,
    )
    .correlate(Group)
)


def lost(group: GroupView, connection_id: UUID) -> Insert:
    """The note that a connection pushes a group no more."""
    return lost_groups.noting(
        workspace_id=group.workspace_id, group_id=group.id, connection_id=connection_id, document=group.document
    )


def of_member(connection: Connection, *, workspace_id: UUID, member_id: UUID) -> Sequence[GroupView]:
    """The groups that a member is in."""
    belonging = (Membership.workspace_id == Group.workspace_id) & (Membership.group_id == Group.id)
    wanted = VIEW.join(Membership, belonging).where(
        Membership.workspace_id == workspace_id, Membership.member_id == member_id
    )
    return [view(row) for row in connection.execute(wanted)]


def members_of(connection: Connection, *, workspace_id: UUID, group_id: UUID) -> Sequence[MemberReference]:
    """The members of a group with their names, in the order of their ids: for people to read.

    Raises:
        NotFound: the workspace has no such group.
    """
    by_id(connection, workspace_id=workspace_id, group_id=group_id)
    wanted = (
        select(Member.id, func.coalesce(Member.display_name, Member.user_name))
        .join(Membership, (Member.workspace_id == Membership.workspace_id) & (Member.id == Membership.member_id))
        .where(*memberships.inside(workspace_id, group_id))
        .order_by(Membership.group_id, Membership.member_id)
    )
    return [MemberReference(*row) for row in connection.execute(wanted)]


def names(connection: Connection, *, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What these groups are called, as far as they are there."""
    wanted = select(Group.id, Group.display_name).where(Group.workspace_id == workspace_id, Group.id.in_(ids))
    return {row[0]: row[1] for row in connection.execute(wanted)}
