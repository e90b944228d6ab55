"""Groups that admins keep themselves; what an identity provider pushes is out of their reach, but for its policies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory import awaiting, extensions, groups, invitations, roster
from provisioning.directory.events import GroupDetached, GroupInvitationsChanged
from provisioning.directory.groups import GroupView
from provisioning.directory.invitations import InvitationView
from provisioning.directory.memberships import Delta
from provisioning.directory.models import Connection as ConnectionRow
from provisioning.directory.models import Group, HeldChange, InvitationGroup, Membership
from provisioning.directory.profile import GroupProfile
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.scim.compare import fold

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class People:
    """Whom addresses mean: members of the workspace, and those who are invited to it."""

    members: tuple[UUID, ...] = ()
    invitations: tuple[UUID, ...] = ()


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


def by_name(connection: Connection, *, workspace_id: UUID, name: str) -> GroupView:
    """The local group of this name.

    Raises:
        NotFound: the workspace has none.
    """
    here = (Group.workspace_id == workspace_id, Group.connection_id.is_(None), Group.display_name_key == fold(name))
    row = connection.execute(groups.VIEW.where(*here)).one_or_none()
    if row is None:
        raise NotFound(f"There is no local group {name[:64]!r} in this workspace.")
    return groups.view(row)


def lock(connection: Connection, *, workspace_id: UUID, group_id: UUID) -> GroupView:
    """A local group, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has no group of this id.
        Conflict: an identity provider pushes it: its name and members are changed there.
    """
    return _local(connection, groups.lock(connection, workspace_id=workspace_id, group_id=group_id))


def by_id(connection: Connection, *, workspace_id: UUID, group_id: UUID) -> GroupView:
    """A local group, to be looked at.

    Raises:
        NotFound: the workspace has no group of this id.
        Conflict: an identity provider pushes it: its name and members are changed there.
    """
    return _local(connection, groups.by_id(connection, workspace_id=workspace_id, group_id=group_id))


def _local(connection: Connection, group: GroupView) -> GroupView:
    if group.connection_id is None:
        return group
    here = (ConnectionRow.workspace_id == group.workspace_id, ConnectionRow.id == group.connection_id)
    name = connection.execute(select(ConnectionRow.name).where(*here)).scalar_one()
    raise Conflict(
        f"The connection {name} pushes this group: change its name and members in the identity provider.",
        field="userGroupId",
        connection=name,
    )


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
            awaiting.forgotten(workspace_id, group_id).cte("forgotten"),
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


def require_people(connection: Connection, *, workspace_id: UUID, emails: Sequence[str]) -> People:
    """The members and invitations that these addresses mean, each once; an address may mean both.

    Raises:
        Invalid: one of them is nobody's in this workspace.
    """
    found = roster.ids_by_email(connection, workspace_id=workspace_id, emails=emails)
    invited = invitations.ids_by_email(connection, workspace_id=workspace_id, emails=emails)
    unknown = [email for email in emails if email not in found and email not in invited]
    if unknown:
        raise Invalid(f"Nobody in this workspace has the address {unknown[0][:320]}.", field="emails")
    return People(tuple(sorted(set(found.values()))), tuple(sorted(set(invited.values()))))


def put_in(connection: Connection, *, group: GroupView, people: People, by: Actor, alone: bool = False) -> GroupView:
    """Put people into a locked group; those who are invited will be in it.

    Args:
        connection: in the transaction that locked the group.
        group: as `lock` returned it.
        people: who comes.
        by: who did it.
        alone: whether everybody else goes.
    """
    change_invited(connection, group=group, added=people.invitations, cleared=alone, by=by)
    return change_members(connection, group=group, added=people.members, cleared=alone, by=by)


def take_out(connection: Connection, *, group: GroupView, people: People, by: Actor) -> GroupView:
    """Take people out of a locked group; those who are invited won't be in it."""
    change_invited(connection, group=group, removed=people.invitations, by=by)
    return change_members(connection, group=group, removed=people.members, by=by)


def change_invited(
    connection: Connection,
    *,
    group: GroupView,
    added: Iterable[UUID] = (),
    removed: Iterable[UUID] = (),
    cleared: bool = False,
    by: Actor,
) -> None:
    """Have people who are invited be in a locked group when they have accepted, and others not.

    Args:
        connection: in the transaction that locked the group.
        group: as `lock` returned it.
        added: the invitations of those who come.
        removed: the invitations of those who don't come any more.
        cleared: whether nobody comes but those who are added.
        by: who did it.
    """
    here = (InvitationGroup.workspace_id == group.workspace_id, InvitationGroup.group_id == group.id)
    coming, leaving = list(added), list(removed)
    gone = delete(InvitationGroup).where(*here)
    whom = InvitationGroup.invitation_id
    gone = gone.where(whom.not_in(coming) if cleared else whom.in_(leaving))
    out = tuple(connection.execute(gone.returning(whom)).scalars()) if cleared or leaving else ()
    new: tuple[UUID, ...] = ()
    # Somebody who is accepting at this moment is held, and not here any more when that is done.
    if there := invitations.hold(connection, workspace_id=group.workspace_id, ids=coming):
        rows = [{"workspace_id": group.workspace_id, "group_id": group.id, "invitation_id": one} for one in there]
        place = insert_or(InvitationGroup).values(rows).on_conflict_do_nothing()
        new = tuple(connection.execute(place.returning(whom)).scalars())
    if new or out:
        fact = GroupInvitationsChanged(group_id=group.id, added=new, removed=out)
        outbox.append(connection, fact, workspace_id=group.workspace_id, by=by)


def hold_of_invitation(connection: Connection, *, invitation: InvitationView) -> list[GroupView]:
    """The local groups that somebody invited is going to be in, held until the transaction ends."""
    belonging = (InvitationGroup.workspace_id == Group.workspace_id) & (InvitationGroup.group_id == Group.id)
    wanted = groups.VIEW.join(InvitationGroup, belonging).where(
        InvitationGroup.workspace_id == invitation.workspace_id,
        InvitationGroup.invitation_id == invitation.id,
        Group.connection_id.is_(None),
    )
    held = wanted.order_by(Group.id).with_for_update(key_share=True, of=Group)
    return [groups.view(row) for row in connection.execute(held)]


def count_members(connection: Connection, *, workspace_id: UUID, group_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many members each of these groups has."""
    counted = (
        select(Membership.group_id, func.count())
        .where(Membership.workspace_id == workspace_id, Membership.group_id.in_(group_ids))
        .group_by(Membership.group_id)
    )
    return dict.fromkeys(group_ids, 0) | {row[0]: row[1] for row in connection.execute(counted)}
