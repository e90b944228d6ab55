"""User groups and their memberships. Adding one member costs the same in a group of ten and in one of 100,000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory.events import GroupAdded, GroupMembersChanged, GroupRemoved, GroupUpdated
from provisioning.directory.filters import Order, group_condition, group_order
from provisioning.directory.models import Group, Member, Membership
from provisioning.directory.paging import Page, fetch
from provisioning.directory.profile import GroupProfile
from provisioning.outbox import Actor, Fact
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.scim.filter import Filter


@dataclass(frozen=True, slots=True)
class MemberReference:
    """A member of a group."""

    id: UUID
    display: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """A user group as stored, without its members."""

    id: UUID
    workspace_id: UUID
    connection_id: UUID | None
    document: dict[str, Any]
    version: int
    created_at: datetime
    modified_at: datetime

    @property
    def display_name(self) -> str:
        """The SCIM displayName."""
        return str(self.document["displayName"])

    @property
    def linked(self) -> bool:
        """Whether an identity provider pushes it."""
        return self.connection_id is not None


@dataclass(frozen=True, slots=True)
class Delta:
    """A change of membership: first everybody out if `cleared`, then `removed` out, then `added` in."""

    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()
    cleared: bool = False


_COLUMNS = (
    Group.id,
    Group.workspace_id,
    Group.connection_id,
    Group.document,
    Group.version,
    Group.created_at,
    Group.modified_at,
)
_VIEW: Select[*tuple[Any, ...]] = select(*_COLUMNS)
_ONE = _VIEW.where(Group.workspace_id == bindparam("workspace"), Group.id == bindparam("group"))


def _view(row: Row[*tuple[Any, ...]]) -> GroupView:
    return GroupView(*row)


def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    profile: GroupProfile,
    members: Sequence[UUID],
    connection_id: UUID | None,
    by: Actor,
) -> GroupView:
    """Add a user group, with its first members.

    Args:
        connection: in a transaction.
        workspace_id: whose group it is.
        profile: of the new group.
        members: ids of the workspace's members.
        connection_id: the identity provider that pushes it, or None for a local group.
        by: who did it.

    Raises:
        Conflict: the same source has a group of this name already.
        Invalid: a member is not one of the workspace.
    """
    new = insert(Group).values(
        id=entropy.new_id(), workspace_id=workspace_id, connection_id=connection_id, **profile.columns()
    )
    try:
        group = _view(connection.execute(new.returning(*_COLUMNS)).one())
    except IntegrityError:
        raise Conflict("There is a group with this displayName already.", field="displayName") from None
    facts: list[Fact] = [GroupAdded(group_id=group.id, display_name=profile.display_name)]
    if members and (added := _add(connection, group=group, members=members)):
        facts.append(GroupMembersChanged(group_id=group.id, added=added, removed=()))
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    return group


def by_id(connection: Connection, *, workspace_id: UUID, group_id: UUID) -> GroupView:
    """The workspace's group of this id.

    Raises:
        NotFound: the workspace has none.
    """
    row = connection.execute(_ONE, {"workspace": workspace_id, "group": group_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such group in this workspace.")
    return _view(row)


def lock(connection: Connection, *, workspace_id: UUID, group_id: UUID) -> GroupView:
    """The group, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    held = _ONE.with_for_update(key_share=True)
    row = connection.execute(held, {"workspace": workspace_id, "group": group_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such group in this workspace.")
    return _view(row)


def store(connection: Connection, *, group: GroupView, profile: GroupProfile, delta: Delta, by: Actor) -> GroupView:
    """Give a locked group a new profile and change its membership; what is equal already changes nothing.

    Args:
        connection: in the transaction that locked the group.
        group: as `lock` returned it.
        profile: the new one, whole.
        delta: who joins and who leaves.
        by: who did it.

    Raises:
        Conflict: the same source has another group of this name.
        Invalid: somebody who is to join is not a member of the workspace.
    """
    facts: list[Fact] = []
    changed = [n for n in ("displayName", "externalId") if group.document.get(n) != profile.document.get(n)]
    if changed:
        facts.append(GroupUpdated(group_id=group.id, attributes=tuple(changed)))
    added, removed = _change(connection, group=group, delta=delta)
    if added or removed:
        facts.append(GroupMembersChanged(group_id=group.id, added=added, removed=removed))
    if not facts:
        return group
    stored = (
        update(Group)
        .where(Group.workspace_id == group.workspace_id, Group.id == group.id)
        .values(**profile.columns(), version=Group.version + 1, modified_at=func.clock_timestamp())
        .returning(*_COLUMNS)
    )
    try:
        row = connection.execute(stored).one()
    except IntegrityError:
        raise Conflict("There is a group with this displayName already.", field="displayName") from None
    outbox.append(connection, *facts, workspace_id=group.workspace_id, by=by)
    return _view(row)


def _change(connection: Connection, *, group: GroupView, delta: Delta) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    removed = _remove(connection, group=group, delta=delta)
    added = _add(connection, group=group, members=delta.added) if delta.added else ()
    return added, removed


def _remove(connection: Connection, *, group: GroupView, delta: Delta) -> tuple[UUID, ...]:
    """Take members out; those that are to stay in are left alone, so that a replacement touches only the difference."""
    if not delta.cleared and not delta.removed:
        return ()
    leaving = delete(Membership).where(Membership.workspace_id == group.workspace_id, Membership.group_id == group.id)
    if delta.cleared:
        leaving = leaving.where(Membership.member_id != func.all(bindparam("staying", list(delta.added))))
    else:
        leaving = leaving.where(Membership.member_id == func.any(bindparam("leaving", list(delta.removed))))
    return tuple(connection.execute(leaving.returning(Membership.member_id)).scalars())


# Adds whom the workspace knows and counts them, so that somebody unknown is noticed in the same round trip.
_ADD = text(
    """
    WITH known AS (
        SELECT id FROM member WHERE workspace_id = :workspace AND id = ANY(:members) FOR KEY SHARE
    ), added AS (
        INSERT INTO membership (workspace_id, group_id, member_id)
        SELECT :workspace, :group, id FROM known ORDER BY id
        ON CONFLICT DO NOTHING RETURNING member_id
    )
    SELECT (SELECT count(*) FROM known), ARRAY(SELECT member_id FROM added)
    """
)


def _add(connection: Connection, *, group: GroupView, members: Sequence[UUID]) -> tuple[UUID, ...]:
    wanted = list(set(members))
    parameters = {"workspace": group.workspace_id, "group": group.id, "members": wanted}
    known, added = connection.execute(_ADD, parameters).one()
    if known < len(wanted):
        here = select(Member.id).where(Member.workspace_id == group.workspace_id, Member.id.in_(wanted))
        missing = set(wanted) - set(connection.execute(here).scalars())
        raise Invalid(f"There is no User {min(missing)} in this workspace.", field="members")
    return tuple(added)


def remove(connection: Connection, *, group: GroupView, by: Actor) -> None:
    """Take a locked group away; its members stay in the workspace."""
    connection.execute(delete(Group).where(Group.workspace_id == group.workspace_id, Group.id == group.id))
    fact = GroupRemoved(group_id=group.id, display_name=group.display_name)
    outbox.append(connection, fact, workspace_id=group.workspace_id, by=by)


def of_member(connection: Connection, *, workspace_id: UUID, member_id: UUID) -> Sequence[GroupView]:
    """The groups that a member is in."""
    belonging = (Membership.workspace_id == Group.workspace_id) & (Membership.group_id == Group.id)
    wanted = _VIEW.join(Membership, belonging).where(
        Membership.workspace_id == workspace_id, Membership.member_id == member_id
    )
    return [_view(row) for row in connection.execute(wanted)]


def members_of(
    connection: Connection, *, workspace_id: UUID, groups: Sequence[UUID], most: int | None = None
) -> dict[UUID, tuple[MemberReference, ...]]:
    """The members of some groups, in the order of their ids.

    Args:
        connection: to read with.
        workspace_id: the workspace of the groups.
        groups: their ids.
        most: stop after this many in all.
    """
    wanted = (
        select(Membership.group_id, Member.id, func.coalesce(Member.display_name, Member.user_name))
        .join(Member, (Member.workspace_id == Membership.workspace_id) & (Member.id == Membership.member_id))
        .where(Membership.workspace_id == workspace_id, Membership.group_id.in_(groups))
        .order_by(Membership.group_id, Membership.member_id)
        .limit(most)
    )
    found: dict[UUID, list[MemberReference]] = {group: [] for group in groups}
    for group_id, member_id, display in connection.execute(wanted):
        found[group_id].append(MemberReference(member_id, display))
    return {group: tuple(members) for group, members in found.items()}


def page(
    connection: Connection,
    *,
    workspace_id: UUID,
    condition: Filter | None,
    start_index: int,
    count: int,
    order: Order | None = None,
    linked_to: UUID | None = None,
) -> Page[GroupView]:
    """Some of the workspace's groups in the order in which they came, and how many there are in all.

    Args:
        connection: to read with.
        workspace_id: the workspace.
        condition: a SCIM filter over Groups, or None for all.
        start_index: the place of the first one wanted, from 1.
        count: how many at the most; 0 only counts.
        order: by what they are sorted; left out, by when they came.
        linked_to: only the groups that this connection pushes.

    Raises:
        InvalidFilter: the filter names what groups can't be found by.
    """
    wanted = [Group.workspace_id == workspace_id]
    if linked_to is not None:
        wanted.append(Group.connection_id == linked_to)
    if condition is not None:
        wanted.append(group_condition(condition))
    ordered = [group_order(order), Group.id] if order else [Group.id]
    return fetch(connection, _VIEW.where(*wanted).order_by(*ordered), start_index=start_index, count=count, read=_view)
