"""Team members: a user in one workspace. The verbs lock, refuse or change, record the fact, return what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, false, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import awaiting, users
from provisioning.directory.events import (
    LastOwnerLost,
    MemberActivated,
    MemberAdded,
    MemberProtected,
    MemberRemoved,
    MemberSuspended,
    MemberUnprotected,
    MemberUpdated,
    OwnerAppointed,
    OwnerDemoted,
)
from provisioning.directory.filters import has_external_id
from provisioning.directory.models import SESSION_EPOCHS, Group, Member, Membership, UniqueValue, User, Workspace
from provisioning.directory.profile import Profile, address
from provisioning.outbox import Actor, Fact
from provisioning.refusals import Conflict, NotFound, ProtectedMember
from provisioning.scim.compare import fold
from provisioning.scim.definitions import USER
from provisioning.scim.schema import ResourceType

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
    external_ids: dict[str, str]
    document: dict[str, Any]
    version: int
    created_at: datetime
    modified_at: datetime
    groups: tuple[GroupReference, ...] = ()

    def as_known_to(self, connection_id: UUID | None) -> dict[str, Any]:
        """The document with the externalId that this connection gave."""
        external_id = self.external_ids.get(str(connection_id))
        return self.document if external_id is None else {**self.document, "externalId": external_id}

    @property
    def user_name(self) -> str:
        """The SCIM userName, as it was pushed."""
        return str(self.document["userName"])

    @property
    def email(self) -> str:
        """The address of the person's account; the userName of somebody who has none."""
        return address(self.document) or self.user_name

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
    Member.external_ids,
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
VIEW: Select[*tuple[Any, ...]] = select(*_COLUMNS, _GROUPS.label("groups"))
_ONE = VIEW.where(Member.workspace_id == bindparam("workspace"), Member.id == bindparam("member"))


def view(row: Sequence[Any]) -> MemberView:
    """A row of `VIEW` as a value."""
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
    member_id = entropy.new_id()
    new = (
        insert(Member)
        .values(
            id=member_id,
            workspace_id=workspace_id,
            user_id=user_id,
            connection_id=connection_id,
            origin=origin,
            active_since_epoch=SESSION_EPOCHS.next_value(),
            external_ids=_external_ids({}, profile, connection_id),
            **profile.columns(),
        )
        .returning(*_COLUMNS, _is_expected(workspace_id, connection_id, profile))
    )
    fact = MemberAdded(user_id=user_id, member_id=member_id, active=profile.active, origin=origin)
    row = _written(connection, outbox.together(connection, new, fact, workspace_id=workspace_id, by=by), profile)
    _claim_unique(connection, workspace_id=workspace_id, member_id=member_id, profile=profile)
    if row[-1]:
        return _arrived(connection, MemberView(*row[:-1]), connection_id, profile, by)
    return MemberView(*row[:-1])


def _is_expected(workspace_id: UUID, connection_id: UUID | None, profile: Profile) -> ColumnElement[bool]:
    if connection_id is None or profile.external_id is None:
        return false()
    return awaiting.is_expected(workspace_id, connection_id, profile.external_id)


def _arrived(
    connection: Connection, member: MemberView, connection_id: UUID | None, profile: Profile, by: Actor
) -> MemberView:
    """The member in the groups that have awaited them under the externalId that the connection has given them now."""
    key = {"workspace_id": member.workspace_id, "member_id": member.id}
    if connection_id is None or profile.external_id is None:
        return member
    if not awaiting.arrive(connection, connection_id=connection_id, name=profile.external_id, by=by, **key):
        return member
    return by_id(connection, **key)


def _external_ids(before: dict[str, str], profile: Profile, connection_id: UUID | None) -> dict[str, str]:
    """What each connection calls the member, once this one has spoken; what others call them stays."""
    others = {known: name for known, name in before.items() if known != str(connection_id)}
    return others if profile.external_id is None else {**others, str(connection_id): profile.external_id}


def _written(connection: Connection, change: Any, profile: Profile) -> Row[*tuple[Any, ...]]:
    try:
        return connection.execute(change).one()
    except IntegrityError as error:
        raise _taken(error, profile) from None


def _taken(error: IntegrityError, profile: Profile) -> Conflict:
    is_name = "uq_member_user_name" in str(error.orig) or profile.email == profile.user_name.strip()
    if is_name:
        return Conflict("A member of this workspace has this userName already.", field="userName")
    return Conflict("A member of this workspace has this address already.", field="emails")


def _claim_unique(connection: Connection, *, workspace_id: UUID, member_id: UUID, profile: Profile) -> None:
    """Take the values that only one member of the workspace can have."""
    for attribute, digest in sorted(profile.unique.items()):
        claim = insert(UniqueValue).values(
            workspace_id=workspace_id, attribute=attribute, digest=digest, member_id=member_id
        )
        try:
            connection.execute(claim)
        except IntegrityError:
            raise Conflict(
                f"Another member of this workspace has this value of {attribute}.", field=attribute
            ) from None


def by_id(connection: Connection, *, workspace_id: UUID, member_id: UUID) -> MemberView:
    """The workspace's member of this id.

    Raises:
        NotFound: the workspace has none.
    """
    row = connection.execute(_ONE, {"workspace": workspace_id, "member": member_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such member in this workspace.")
    return view(row)


def by_email(connection: Connection, *, workspace_id: UUID, email: str) -> MemberView:
    """The workspace's member whose account has this address.

    Raises:
        NotFound: the workspace has none.
    """
    account = users.by_email(connection, email)
    if account is not None:
        wanted = VIEW.where(Member.workspace_id == workspace_id, Member.user_id == account[0])
        row = connection.execute(wanted).one_or_none()
        if row is not None:
            return view(row)
    raise NotFound(f"The workspace has no member with the address {email}.")


def provision(
    connection: Connection,
    *,
    workspace_id: UUID,
    profile: Profile,
    connection_id: UUID,
    by: Actor,
    kind: ResourceType = USER,
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
            has_external_id(str(connection_id), profile.external_id),
            Member.active.is_(False),
        )
        held = awaiting.hold(connection_id, profile.external_id)
        member_id = connection.execute(select(suspended.limit(1).scalar_subquery(), held)).one()[0]
        if member_id is not None:
            member = lock(connection, workspace_id=workspace_id, member_id=member_id)
            return store(connection, member=member, profile=profile, connection_id=connection_id, by=by, kind=kind)
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
    return view(row)


def store(
    connection: Connection,
    *,
    member: MemberView,
    profile: Profile,
    connection_id: UUID | None,
    by: Actor,
    kind: ResourceType = USER,
) -> MemberView:
    """Give a locked member a new profile, and end the sessions that the change calls for.

    A profile equal to the stored one changes nothing: no version, no time stamp, no fact.

    Args:
        connection: in the transaction that locked the member.
        member: as `lock` returned it.
        profile: the new one, whole.
        connection_id: the identity provider that speaks, if one does: it speaks for the member from now on.
        by: who did it.
        kind: the User as the workspace has it.

    Raises:
        ProtectedMember: an owner has put this member out of the identity provider's reach.
        Conflict: the new userName, address or other unique value belongs to another member.
    """
    external_ids = member.external_ids
    if connection_id is not None:
        external_ids = _external_ids(external_ids, profile, connection_id)
    changed = _differing(member.document, profile.document)
    if external_ids != member.external_ids:
        changed.add("externalId")
    if not changed:
        return member
    _refuse_protected(member, by=by)
    user_id = _settle_sessions(connection, member=member, profile=profile, by=by)
    _settle_unique(connection, member=member, profile=profile, kind=kind)
    activated = profile.active and not member.active
    values: dict[str, Any] = {"active_since_epoch": SESSION_EPOCHS.next_value()} if activated else {}
    new = (
        update(Member)
        .where(Member.workspace_id == member.workspace_id, Member.id == member.id)
        .values(
            **profile.columns(),
            **values,
            user_id=user_id,
            connection_id=member.connection_id or connection_id,
            external_ids=external_ids,
            version=Member.version + 1,
            modified_at=func.clock_timestamp(),
        )
        .returning(*_COLUMNS)
    )
    facts = _facts(connection, member=member, changed=changed, active=profile.active, user_id=user_id)
    row = _written(
        connection, outbox.together(connection, new, *facts, workspace_id=member.workspace_id, by=by), profile
    )
    stored = replace(MemberView(*row), groups=member.groups)
    return _arrived(connection, stored, connection_id, profile, by) if "externalId" in changed else stored


def _settle_unique(connection: Connection, *, member: MemberView, profile: Profile, kind: ResourceType) -> None:
    """Let go of values that only one member can have, and take the new ones."""
    if profile.unique == Profile.of(member.document, kind).unique:
        return
    held = (UniqueValue.workspace_id == member.workspace_id, UniqueValue.member_id == member.id)
    connection.execute(delete(UniqueValue).where(*held))
    _claim_unique(connection, workspace_id=member.workspace_id, member_id=member.id, profile=profile)


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


def _facts(connection: Connection, *, member: MemberView, changed: set[str], active: bool, user_id: UUID) -> list[Fact]:
    facts: list[Fact] = []
    about = {"user_id": user_id, "member_id": member.id}
    if attributes := changed - {"active"}:
        facts.append(MemberUpdated(**about, attributes=tuple(sorted(attributes))))
    if active and not member.active:
        facts.append(MemberActivated(**about))
    if member.active and not active:
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
    if not _is_last_owner(connection, member):
        return []
    return [LastOwnerLost(user_id=member.user_id, member_id=member.id)]


def _is_last_owner(connection: Connection, member: MemberView) -> bool:
    """Whether no other active owner is there; owners go one at a time, so that the answer holds at the commit."""
    if not (member.owner and member.active):
        return False
    connection.execute(select(Workspace.id).where(Workspace.id == member.workspace_id).with_for_update(key_share=True))
    others = select(Member.id).where(
        Member.workspace_id == member.workspace_id, Member.owner, Member.active, Member.id != member.id
    )
    return connection.execute(others.limit(1)).one_or_none() is None


def _refuse_last_owner(connection: Connection, member: MemberView, by: Actor) -> None:
    """Whoever the identity provider dismisses must lose access; anybody else has to leave an owner behind."""
    if by.kind != "connection" and _is_last_owner(connection, member):
        raise Conflict("A workspace keeps an active owner: appoint another one first.", field="owner")


def remove(connection: Connection, *, member: MemberView, by: Actor) -> None:
    """Take a locked member out of the workspace, with their places in groups; an active one's sessions end.

    Raises:
        ProtectedMember: an owner has put this member out of the identity provider's reach.
        Conflict: they are the last active owner, and it is not the identity provider that dismisses them.
    """
    _refuse_protected(member, by=by)
    _refuse_last_owner(connection, member, by)
    facts: list[Fact] = [MemberRemoved(user_id=member.user_id, member_id=member.id)]
    if member.active:
        facts.extend(_alarm(connection, member=member))
        users.end_sessions(
            connection, user_id=member.user_id, workspace_id=member.workspace_id, reason="removed", by=by
        )
    gone = delete(Member).where(Member.workspace_id == member.workspace_id, Member.id == member.id)
    connection.execute(outbox.together(connection, gone, *facts, workspace_id=member.workspace_id, by=by))


def appoint_owner(connection: Connection, *, member: MemberView, by: Actor) -> MemberView:
    """Make a member an owner; who is one stays one."""
    if member.owner:
        return member
    return _set_owner(connection, member, OwnerAppointed(user_id=member.user_id, member_id=member.id), by)


def demote_owner(connection: Connection, *, member: MemberView, by: Actor) -> MemberView:
    """Make a locked owner a member like any other, with their own policies.

    Raises:
        Conflict: they are the last active owner.
    """
    if not member.owner:
        return member
    _refuse_last_owner(connection, member, by)
    return _set_owner(connection, member, OwnerDemoted(user_id=member.user_id, member_id=member.id), by)


def protect(connection: Connection, *, member: MemberView, protected: bool, by: Actor) -> MemberView:
    """Put a member out of the identity providers' reach, or within it again: for emergencies."""
    if member.protected == protected:
        return member
    fact = (MemberProtected if protected else MemberUnprotected)(user_id=member.user_id, member_id=member.id)
    here = (Member.workspace_id == member.workspace_id, Member.id == member.id)
    changed = update(Member).where(*here).values(protected=protected)
    connection.execute(outbox.together(connection, changed, fact, workspace_id=member.workspace_id, by=by))
    return replace(member, protected=protected)


def _set_owner(connection: Connection, member: MemberView, fact: Fact, by: Actor) -> MemberView:
    owner = not member.owner
    here = (Member.workspace_id == member.workspace_id, Member.id == member.id)
    changed = update(Member).where(*here).values(owner=owner)
    connection.execute(outbox.together(connection, changed, fact, workspace_id=member.workspace_id, by=by))
    return replace(member, owner=owner)


def ids_by_email(connection: Connection, *, workspace_id: UUID, emails: Sequence[str]) -> dict[str, UUID]:
    """Which of these addresses are whose: the workspace's members among them."""
    keys = {email: users.address_key(email) for email in emails}
    wanted = select(User.email_key, Member.id).join(Member, Member.user_id == User.id)
    rows = connection.execute(wanted.where(Member.workspace_id == workspace_id, User.email_key.in_(keys.values())))
    found = {row.email_key: row.id for row in rows}
    return {email: found[key] for email, key in keys.items() if key in found}


def id_by_name(connection: Connection, *, workspace_id: UUID, name: str) -> UUID | None:
    """The member whom a name means, if it means one: by userName, else by the address of the account."""
    named = select(Member.id).where(Member.workspace_id == workspace_id, Member.user_name_key == fold(name))
    found = connection.execute(named).scalar_one_or_none()
    return found or ids_by_email(connection, workspace_id=workspace_id, emails=[name]).get(name)
