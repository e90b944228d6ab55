"""Groups that admins keep themselves; what an identity provider pushes is out of their reach, but for its policies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory import awaiting, extensions, groups, roster
from provisioning.directory.events import GroupDetached
from provisioning.directory.groups import Delta, GroupView
from provisioning.directory.models import Connection as ConnectionRow
from provisioning.directory.models import Group, HeldChange, Membership
from provisioning.directory.profile import GroupProfile
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid

_LONGEST_NAME = 200


def create(connection: Connection, *, workspace_id: UUID, name: str, by: Actor) -> GroupView:
    """Add a local group, with nobody in it.

    Raises:
        Invalid: the name can't be.
        Conflict: a local group has it already.
    """
    return groups.create(
        connection, workspace_id=workspace_id, profile=_profile(name), members=(), connection_id=None, by=by
    )


def _profile(name: str) -> GroupProfile:
    if not name.strip() or len(name) > _LONGEST_NAME or "\0" in name:
        raise Invalid(f"A group's name has 1 to {_LONGEST_NAME} characters.", field="name")
    return GroupProfile.of({"displayName": name})


def lock(connection: Connection, *, workspace_id: UUID, group_id: UUID) -> GroupView:
    """A local group, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has no group of this id.
        Conflict: an identity provider pushes it: its name and members are changed there.
    """
    group = groups.lock(connection, workspace_id=workspace_id, group_id=group_id)
    if group.connection_id is not None:
        here = (ConnectionRow.workspace_id == workspace_id, ConnectionRow.id == group.connection_id)
        name = connection.execute(select(ConnectionRow.name).where(*here)).scalar_one()
        raise Conflict(
            f"The connection {name} pushes this group: change its name and members in the identity provider.",
            field="userGroupId",
            connection=name,
        )
    return group


def detach(connection: Connection, *, workspace_id: UUID, group_id: UUID, by: Actor) -> GroupView:
    """Make a pushed group a local one: it keeps its members and policies, and the connection doesn't see it any more.

    A group that is pushed under its name or externalId later is another one.

    Raises:
        NotFound: the workspace has no group of this id.
        Conflict: it is a local group already, or one of its name is there.
    """
    group = groups.lock(connection, workspace_id=workspace_id, group_id=group_id)
    if group.connection_id is None:
        raise Conflict("This is a local group already.", field="userGroupId")
    own = {name: value for name, value in group.document.items() if name != "externalId"}
    profile = GroupProfile.of(own, extensions.kinds(connection, workspace_id=workspace_id).group)
    here = (Group.workspace_id == workspace_id, Group.id == group_id)
    values = {**profile.columns(), "connection_id": None, "version": Group.version + 1}
    changed = (
        update(Group)
        .where(*here)
        .values(**values, modified_at=func.clock_timestamp())
        .add_cte(
            groups.lost(group, group.connection_id).cte("lost"),
            awaiting.forgotten(workspace_id, group_id, all_but=()).cte("forgotten"),
            delete(HeldChange)
            .where(HeldChange.workspace_id == workspace_id, HeldChange.group_id == group_id)
            .cte("dropped"),
        )
    )
    fact = GroupDetached(group_id=group_id, display_name=group.display_name, connection_id=group.connection_id)
    try:
        connection.execute(outbox.together(connection, changed, fact, workspace_id=workspace_id, by=by))
    except IntegrityError:
        raise Conflict("A local group has this name: rename it first.", field="userGroupId") from None
    return groups.by_id(connection, workspace_id=workspace_id, group_id=group_id)


def rename(connection: Connection, *, group: GroupView, name: str, by: Actor) -> GroupView:
    """Call a locked group otherwise.

    Raises:
        Invalid: the name can't be.
        Conflict: another local group has it.
    """
    return groups.store(connection, group=group, profile=_profile(name), delta=Delta(), by=by)


def change_members(
    connection: Connection,
    *,
    group: GroupView,
    added: Iterable[UUID] = (),
    removed: Iterable[UUID] = (),
    cleared: bool = False,
    by: Actor,
) -> GroupView:
    """Put members of the workspace into a locked group, and others out; `cleared`: all but those who are put in."""
    delta = Delta(tuple(map(str, added)), tuple(map(str, removed)), cleared)
    profile = GroupProfile.of(group.document)
    return groups.store(connection, group=group, profile=profile, delta=delta, by=by)


def require_members(connection: Connection, *, workspace_id: UUID, emails: Sequence[str]) -> list[UUID]:
    """The members whom these addresses mean, each once.

    Raises:
        Invalid: one of them is nobody's in this workspace.
    """
    found = roster.ids_by_email(connection, workspace_id=workspace_id, emails=emails)
    unknown = [email for email in emails if email not in found]
    if unknown:
        raise Invalid(f"Nobody in this workspace has the address {unknown[0][:320]}.", field="emails")
    return sorted(set(found.values()))


def count_members(connection: Connection, *, workspace_id: UUID, group_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many members each of these groups has."""
    counted = (
        select(Membership.group_id, func.count())
        .where(Membership.workspace_id == workspace_id, Membership.group_id.in_(group_ids))
        .group_by(Membership.group_id)
    )
    return dict.fromkeys(group_ids, 0) | {row[0]: row[1] for row in connection.execute(counted)}
