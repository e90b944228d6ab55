"""Team members: a user in one workspace. The verbs lock, refuse or change, record the fact, return what is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import users
from provisioning.directory.events import (
    LastOwnerLost,
    MemberActivated,
    MemberAdded,
    MemberRemoved,
    MemberSuspended,
    MemberUpdated,
    OwnerAppointed,
)
from provisioning.directory.filters import Order, member_condition, member_order
from provisioning.directory.models import SESSION_EPOCHS, Group, Member, Membership
from provisioning.directory.paging import Page, fetch
from provisioning.directory.profile import Profile
from provisioning.outbox import Actor, Fact
from provisioning.refusals import Conflict, NotFound, ProtectedMember
from provisioning.scim.filter import Filter

BY_HAND, SCIM = "manual", "scim"


@dataclass(frozen=True, slots=True)
class GroupReference:
    """A group that a member is in."""

    id: UUID
    display_name: str


@dataclass(frozen=True, slots=True)
class MemberView:
    """A team member as stored, with the groups they are in."""

    id: UUID
    workspace_id: UUID
    user_id: UUID
    connection_id: UUID | None
    origin: str
    owner: bool
    protected: bool
    active: bool
    document: dict[str, Any]
    version: int
    created_at: datetime
    modified_at: datetime
    groups: tuple[GroupReference, ...] = ()

    @property
    def user_name(self) -> str:
        """The SCIM userName, as it was pushed."""
        return str(self.document["userName"])

    @property
    def display_name(self) -> str:
        """What people see: the displayName, else the userName."""
        return str(self.document.get("displayName") or self.user_name)


_COLUMNS = (
    Member.id,
    Member.workspace_id,
    Member.user_id,
    Member.connection_id,
    Member.origin,
    Member.owner,
    Member.protected,
    Member.active,
    Member.document,
    Member.version,
    Member.created_at,
    Member.modified_at,
)
_GROUPS = (
    select(
        func.json_agg(aggregate_order_by(func.json_build_array(Group.id, Group.display_name), Group.display_name_key))
    )
    .join_from(Membership, Group, (Group.workspace_id == Membership.workspace_id) & (Group.id == Membership.group_id))
    .where(Membership.workspace_id == Member.workspace_id, Membership.member_id == Member.id)
    .correlate(Member)
    .scalar_subquery()
)
_VIEW: Select[*tuple[Any, ...]] = select(*_COLUMNS, _GROUPS.label("groups"))
_ONE = _VIEW.where(Member.workspace_id == bindparam("workspace"), Member.id == bindparam("member"))


def _view(row: Row[*tuple[Any, ...]]) -> MemberView:
    groups = tuple(GroupReference(UUID(identifier), name) for identifier, name in row[-1] or ())
    return replace(MemberView(*row[:-1]), groups=groups)


def create(
    connection: Connection, *, workspace_id: UUID, profile: Profile, connection_id: UUID | None, by: Actor
) -> MemberView:
    """Add a person to a workspace, with minimal access.

    Args:
        connection: in a transaction.
        workspace_id: the workspace joined.
        profile: of the new member.
        connection_id: the identity provider that speaks for the member, or None when added by hand.
        by: who did it.

    Raises:
        Conflict: the userName, or the person, is in the workspace already.
    """
    user_id = users.join(connection, workspace_id=workspace_id, email=profile.email, active=profile.active, by=by)
    origin = BY_HAND if connection_id is None else SCIM
    new = insert(Member).values(
        id=entropy.new_id(),
        workspace_id=workspace_id,
        user_id=user_id,
        connection_id=connection_id,
        origin=origin,
        active_since_epoch=SESSION_EPOCHS.next_value(),
        **profile.columns(),
    )
    try:
        row = connection.execute(new.returning(*_COLUMNS)).one()
    except IntegrityError as error:
        raise _taken(error) from None
    member = MemberView(*row)
    fact = MemberAdded(user_id=user_id, member_id=member.id, active=member.active, origin=origin)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return member


def _taken(error: IntegrityError) -> Conflict:
    if "uq_member_user_name" in str(error.orig):
        return Conflict("A member of this workspace has this userName already.", field="userName")
    return Conflict("A member of this workspace has this address already.", field="emails")


def by_id(connection: Connection, *, workspace_id: UUID, member_id: UUID) -> MemberView:
    """The workspace's member of this id.

    Raises:
        NotFound: the workspace has none.
    """
    row = connection.execute(_ONE, {"workspace": workspace_id, "member": member_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such member in this workspace.")
    return _view(row)


def by_email(connection: Connection, *, workspace_id: UUID, email: str) -> MemberView:
    """The workspace's member whose account has this address.

    Raises:
        NotFound: the workspace has none.
    """
    account = users.by_email(connection, email)
    if account is not None:
        wanted = _VIEW.where(Member.workspace_id == workspace_id, Member.user_id == account[0])
        row = connection.execute(wanted).one_or_none()
        if row is not None:
            return _view(row)
    raise NotFound(f"The workspace has no member with the address {email}.")


def provision(
    connection: Connection, *, workspace_id: UUID, profile: Profile, connection_id: UUID, by: Actor
) -> MemberView:
    """Create a member as an identity provider asks for it, or restore the suspended one that it means.

    A person is meant again only by the externalId that the same connection gave them before.

    Raises:
        Conflict: the userName, or the person, is in the workspace already.
        ProtectedMember: an owner has put this member out of the identity provider's reach.
    """
    if profile.external_id is not None:
        suspended = select(Member.id).where(
            Member.workspace_id == workspace_id,
            Member.connection_id == connection_id,
            Member.external_id == profile.external_id,
            Member.active.is_(False),
        )
        member_id = connection.execute(suspended.limit(1)).scalar_one_or_none()
        if member_id is not None:
            member = lock(connection, workspace_id=workspace_id, member_id=member_id)
            return store(connection, member=member, profile=profile, connection_id=connection_id, by=by)
    return create(connection, workspace_id=workspace_id, profile=profile, connection_id=connection_id, by=by)


def lock(connection: Connection, *, workspace_id: UUID, member_id: UUID) -> MemberView:
    """The member, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    row = connection.execute(
        _ONE.with_for_update(of=Member), {"workspace": workspace_id, "member": member_id}
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such member in this workspace.")
    return _view(row)


def store(
    connection: Connection, *, member: MemberView, profile: Profile, connection_id: UUID | None, by: Actor
) -> MemberView:
    """Give a locked member a new profile, and end the sessions that the change calls for.

    A profile equal to the stored one changes nothing: no version, no time stamp, no fact.

    Args:
        connection: in the transaction that locked the member.
        member: as `lock` returned it.
        profile: the new one, whole.
        connection_id: the identity provider that speaks, if one does: it speaks for the member from now on.
        by: who did it.

    Raises:
        ProtectedMember: an owner has put this member out of the identity provider's reach.
        Conflict: the new userName or address belongs to another member.
    """
    if profile.document == member.document:
        return member
    _refuse_protected(member, by=by)
    user_id = _settle_sessions(connection, member=member, profile=profile, by=by)
    activated = profile.active and not member.active
    values: dict[str, Any] = {"active_since_epoch": SESSION_EPOCHS.next_value()} if activated else {}
    changed = (
        update(Member)
        .where(Member.workspace_id == member.workspace_id, Member.id == member.id)
        .values(
            **profile.columns(),
            **values,
            user_id=user_id,
            connection_id=member.connection_id or connection_id,
            version=Member.version + 1,
            modified_at=func.clock_timestamp(),
        )
        .returning(*_COLUMNS)
    )
    try:
        row = connection.execute(changed).one()
    except IntegrityError as error:
        raise _taken(error) from None
    facts = _facts(connection, member=member, profile=profile, user_id=user_id)
    outbox.append(connection, *facts, workspace_id=member.workspace_id, by=by)
    return replace(MemberView(*row), groups=member.groups)


class _Where(TypedDict):
    workspace_id: UUID
    by: Actor


def _settle_sessions(connection: Connection, *, member: MemberView, profile: Profile, by: Actor) -> UUID:
    """End the sessions that a change of state or of address calls for.

    Returns:
        Whose membership it is from now on: a new address is a new person.
    """
    where: _Where = {"workspace_id": member.workspace_id, "by": by}
    if _key(profile.email) != _key(Profile.of(member.document).email):
        if member.active:
            reason = "removed" if profile.active else "suspended"
            users.end_sessions(connection, user_id=member.user_id, reason=reason, **where)
        return users.join(connection, email=profile.email, active=profile.active, **where)
    if member.active and not profile.active:
        users.end_sessions(connection, user_id=member.user_id, reason="suspended", **where)
    elif profile.active and not member.active:
        users.rejoin(connection, user_id=member.user_id, **where)
    return member.user_id


def _key(email: str | None) -> str | None:
    return None if email is None else users.address_key(email)


def _facts(connection: Connection, *, member: MemberView, profile: Profile, user_id: UUID) -> list[Fact]:
    facts: list[Fact] = []
    about = {"user_id": user_id, "member_id": member.id}
    if changed := _differing(member.document, profile.document) - {"active"}:
        facts.append(MemberUpdated(**about, attributes=tuple(sorted(changed))))
    if profile.active and not member.active:
        facts.append(MemberActivated(**about))
    if member.active and not profile.active:
        facts.append(MemberSuspended(**about))
        facts.extend(_alarm(connection, member=member))
    return facts


def _differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _refuse_protected(member: MemberView, *, by: Actor) -> None:
    if member.protected and by.kind == "connection":
        raise ProtectedMember("An owner of this workspace protects this member from changes by the identity provider.")


def _alarm(connection: Connection, *, member: MemberView) -> list[Fact]:
    """The identity provider's deactivation of the last owner is obeyed; that nobody is left is told."""
    if not member.owner:
        return []
    others = select(Member.id).where(
        Member.workspace_id == member.workspace_id, Member.owner, Member.active, Member.id != member.id
    )
    if connection.execute(others.limit(1)).one_or_none() is not None:
        return []
    return [LastOwnerLost(user_id=member.user_id, member_id=member.id)]


def remove(connection: Connection, *, member: MemberView, by: Actor) -> None:
    """Take a locked member out of the workspace, with their places in groups; an active one's sessions end.

    Raises:
        ProtectedMember: an owner has put this member out of the identity provider's reach.
    """
    _refuse_protected(member, by=by)
    facts: list[Fact] = [MemberRemoved(user_id=member.user_id, member_id=member.id)]
    if member.active:
        facts.extend(_alarm(connection, member=member))
        users.end_sessions(
            connection, user_id=member.user_id, workspace_id=member.workspace_id, reason="removed", by=by
        )
    connection.execute(delete(Member).where(Member.workspace_id == member.workspace_id, Member.id == member.id))
    outbox.append(connection, *facts, workspace_id=member.workspace_id, by=by)


def appoint_owner(connection: Connection, *, member: MemberView, by: Actor) -> MemberView:
    """Make a member an owner: for the operator, who can always do so."""
    chosen = update(Member).where(Member.workspace_id == member.workspace_id, Member.id == member.id)
    connection.execute(chosen.values(owner=True))
    fact = OwnerAppointed(user_id=member.user_id, member_id=member.id)
    outbox.append(connection, fact, workspace_id=member.workspace_id, by=by)
    return replace(member, owner=True)


def page(
    connection: Connection,
    *,
    workspace_id: UUID,
    condition: Filter | None,
    start_index: int,
    count: int,
    order: Order | None = None,
) -> Page[MemberView]:
    """Some of the workspace's members in the order in which they came, and how many there are in all.

    Args:
        connection: to read with.
        workspace_id: the workspace.
        condition: a SCIM filter over Users, or None for everybody.
        start_index: the place of the first one wanted, from 1.
        count: how many at the most; 0 only counts.
        order: by what they are sorted; left out, by when they came.

    Raises:
        InvalidFilter: the filter names what members can't be found by.
    """
    wanted = [Member.workspace_id == workspace_id]
    if condition is not None:
        wanted.append(member_condition(condition))
    ordered = [member_order(order), Member.id] if order else [Member.id]
    return fetch(connection, _VIEW.where(*wanted).order_by(*ordered), start_index=start_index, count=count, read=_view)
