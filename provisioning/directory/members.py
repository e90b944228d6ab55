"""Team members: a user in one workspace. The verbs lock, refuse or change, record the fact, return what is stored."""

from __future__ import annotations

import functools
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import BindParameter, Boolean, Text, bindparam, case, delete, insert, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import awaiting, invitations, owners, roster, users
from provisioning.directory.events import (
    MemberActivated,
    MemberAdded,
    MemberRemoved,
    MemberSuspended,
    MemberUpdated,
)
from provisioning.directory.models import SESSION_EPOCHS, Member, UniqueValue
from provisioning.directory.profile import Profile, address
from provisioning.directory.roster import COLUMNS, MemberView
from provisioning.outbox import Actor, Fact
from provisioning.prepared import Prepared, Row
from provisioning.refusals import Conflict
from provisioning.scim.definitions import USER
from provisioning.scim.schema import ResourceType

# Where a membership comes from.
BY_HAND, SCIM, SIGN_IN, INVITATION = "manual", "scim", "sign_in", "invitation"


def _parameters(*names: str) -> dict[str, BindParameter[Any]]:
    return {name: bindparam(name) for name in names}


_WHICH = _parameters("id", "workspace_id")
_WHAT = _parameters("user_id", "connection_id", "external_ids", *Profile.COLUMNS)
_CREATE = Prepared(
    outbox.telling(
        insert(Member)
        .values(**_WHICH, **_WHAT, origin=bindparam("origin"), active_since_epoch=SESSION_EPOCHS.next_value())
        .returning(
            *COLUMNS,
            awaiting.is_expected(_WHICH["workspace_id"], _WHAT["connection_id"], bindparam("external_id", type_=Text)),
        )
    )
)
_STORE = Prepared(
    outbox.telling(
        update(Member)
        .where(*(Member.__table__.c[name] == value for name, value in _WHICH.items()))
        .values(
            **_WHAT,
            version=Member.version + 1,
            modified_at=func.clock_timestamp(),
            active_since_epoch=case(
                (bindparam("is_activated", type_=Boolean), SESSION_EPOCHS.next_value()),
                else_=Member.active_since_epoch,
            ),
        )
        .returning(*COLUMNS)
    )
)


_RESTYLE = Prepared(
    outbox.telling_if_any(
        update(Member)
        .where(
            *(Member.__table__.c[name] == value for name, value in _WHICH.items()),
            Member.version == bindparam("seen"),
            Member.protected.is_(False),
        )
        .values(**_parameters(*Profile.COLUMNS), version=Member.version + 1, modified_at=func.clock_timestamp())
        .returning(*COLUMNS)
    )
)


def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    profile: Profile,
    connection_id: UUID | None,
    by: Actor,
    origin: str = BY_HAND,
) -> MemberView:
    """Add a person to a workspace, with minimal access.

    Args:
        connection: in a transaction.
        workspace_id: the workspace joined.
        profile: of the new member.
        connection_id: the identity provider that speaks for the member, if one does.
        by: who did it.
        origin: where the membership comes from.

    Raises:
        Conflict: the userName, or the person, is in the workspace already.
    """
    user_id = users.join(connection, workspace_id=workspace_id, email=profile.email, active=profile.active, by=by)
    member_id = entropy.new_id()
    fact = MemberAdded(user_id=user_id, member_id=member_id, active=profile.active, origin=origin)
    new = {
        "id": member_id,
        "workspace_id": workspace_id,
        "user_id": user_id,
        "connection_id": connection_id,
        "origin": origin,
        "external_ids": external_ids_of({}, profile, connection_id),
        "external_id": profile.external_id,
        **profile.columns(),
        **outbox.told(connection, fact, workspace_id=workspace_id, by=by),
    }
    row = _written(_CREATE, connection, new, profile)
    _claim_unique(connection, workspace_id=workspace_id, member_id=member_id, profile=profile)
    if row[-1]:
        return _arrived(connection, MemberView(*row[:-1]), connection_id, profile, by)
    return MemberView(*row[:-1])


def _arrived(
    connection: Connection, member: MemberView, connection_id: UUID | None, profile: Profile, by: Actor
) -> MemberView:
    """The member in the groups that have awaited them under the externalId that the connection has given them now."""
    key = {"workspace_id": member.workspace_id, "member_id": member.id}
    if connection_id is None or profile.external_id is None:
        return member
    if not awaiting.arrive(connection, connection_id=connection_id, name=profile.external_id, by=by, **key):
        return member
    return roster.by_id(connection, **key)


def external_ids_of(before: dict[str, str], profile: Profile, connection_id: UUID | None) -> dict[str, str]:
    """What each connection calls the member, once this one has spoken; what others call them stays."""
    others = {known: name for known, name in before.items() if known != str(connection_id)}
    return others if profile.external_id is None else {**others, str(connection_id): profile.external_id}


def _written(change: Prepared, connection: Connection, values: dict[str, Any], profile: Profile) -> Row:
    try:
        return change.one(connection, values)
    except IntegrityError as error:
        raise taken(error, profile) from None


def taken(error: IntegrityError, profile: Profile) -> Conflict:
    """What PostgreSQL says of a profile that it did not store: another member has what only one can have."""
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
        member: as `roster.lock` returned it.
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
        external_ids = external_ids_of(external_ids, profile, connection_id)
    changed = _differing(member.document, profile.document)
    if external_ids != member.external_ids:
        changed.add("externalId")
    if not changed:
        return member
    owners.refuse_protected(member, by=by)
    user_id = _settle_sessions(connection, member=member, profile=profile, by=by)
    _settle_unique(connection, member=member, profile=profile, kind=kind)
    facts = _facts(connection, member=member, changed=changed, active=profile.active, user_id=user_id)
    new = {
        "id": member.id,
        "workspace_id": member.workspace_id,
        "user_id": user_id,
        "connection_id": member.connection_id or connection_id,
        "external_ids": external_ids,
        "is_activated": profile.active and not member.active,
        **profile.columns(),
        **outbox.told(connection, *facts, workspace_id=member.workspace_id, by=by),
    }
    row = _written(_STORE, connection, new, profile)
    stored = MemberView._make((*row, member.groups))
    return _arrived(connection, stored, connection_id, profile, by) if "externalId" in changed else stored


def restyle(
    connection: Connection,
    *,
    member: MemberView,
    profile: Profile,
    connection_id: UUID,
    by: Actor,
    kind: ResourceType = USER,
) -> MemberView | None:
    """Give a member that nobody holds a new profile by one statement, where nothing else hangs on what changes.

    Args:
        connection: on which the statement stands alone.
        member: as read; where they have changed since, nothing is done.
        profile: the new one, whole.
        connection_id: the identity provider that speaks.
        by: who did it.
        kind: the User as the workspace has it.

    Returns:
        The member as stored, or None where it takes `store`: a state, an address, a name of the connection's or a value
        that only one member can have is concerned, an owner protects them, or they have changed since they were read.

    Raises:
        Conflict: the new userName belongs to another member.
    """
    external_ids = external_ids_of(member.external_ids, profile, connection_id)
    changed = _differing(member.document, profile.document)
    if external_ids != member.external_ids or _takes_more(member, profile, changed, kind):
        return None
    if not changed:
        return member
    fact = MemberUpdated(user_id=member.user_id, member_id=member.id, attributes=tuple(sorted(changed)))
    new = {
        "id": member.id,
        "workspace_id": member.workspace_id,
        "seen": member.version,
        **profile.columns(),
        **outbox.told(connection, fact, workspace_id=member.workspace_id, by=by),
    }
    try:
        row = _RESTYLE.one_or_none(connection, new)
    except IntegrityError as error:
        raise taken(error, profile) from None
    return None if row is None else MemberView._make((*row, member.groups))


def _takes_more(member: MemberView, profile: Profile, changed: set[str], kind: ResourceType) -> bool:
    """Whether more hangs on a change than the profile: sessions, the connection that speaks, values taken elsewhere."""
    return (
        "active" in changed
        or profile.active is not member.active
        or users.key_of(profile.email) != users.key_of(address(member.document))
        or member.connection_id is None
        or _names_only_one(kind)
    )


@functools.lru_cache(maxsize=1024)
def _names_only_one(kind: ResourceType) -> bool:
    """Whether any extension has an attribute whose values no two members share."""
    return any(attribute.uniqueness != "none" for extension in kind.extensions for attribute in extension.attributes)


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
    if users.key_of(profile.email) != users.key_of(Profile.of(member.document).email):
        if member.active:
            reason = "removed" if profile.active else "suspended"
            users.end_sessions(connection, user_id=member.user_id, reason=reason, **where)
        invitations.revoke_of_person(connection, user_id=member.user_id, **where)
        return users.join(connection, email=profile.email, active=profile.active, **where)
    if member.active and not profile.active:
        users.end_sessions(connection, user_id=member.user_id, reason="suspended", **where)
    elif profile.active and not member.active:
        users.rejoin(connection, user_id=member.user_id, **where)
    return member.user_id


def _facts(connection: Connection, *, member: MemberView, changed: set[str], active: bool, user_id: UUID) -> list[Fact]:
    facts: list[Fact] = []
    about = {"user_id": user_id, "member_id": member.id}
    if attributes := changed - {"active"}:
        facts.append(MemberUpdated(**about, attributes=tuple(sorted(attributes))))
    if active and not member.active:
        facts.append(MemberActivated(**about))
    if member.active and not active:
        facts.append(MemberSuspended(**about))
        facts.extend(owners.alarm(connection, member=member))
    return facts


def _differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def remove(connection: Connection, *, member: MemberView, by: Actor, asked_by: UUID | None = None) -> None:
    """Take a locked member out of the workspace, with their places in groups; an active one's sessions end.

    An invitation of theirs that nobody has accepted yet is taken back.

    Args:
        connection: in the transaction that locked the member.
        member: as `roster.lock` returned it.
        by: who did it.
        asked_by: the connection that had asked for it, where somebody else confirms it.

    Raises:
        ProtectedMember: an owner has put this member out of the identity provider's reach.
        Conflict: they are the last active owner, and it is not the identity provider that dismisses them.
    """
    owners.refuse_protected(member, by=by)
    owners.refuse_last(connection, member=member, by=by)
    facts: list[Fact] = [MemberRemoved(user_id=member.user_id, member_id=member.id, asked_by=asked_by)]
    if member.active:
        facts.extend(owners.alarm(connection, member=member))
        users.end_sessions(
            connection, user_id=member.user_id, workspace_id=member.workspace_id, reason="removed", by=by
        )
    invitations.revoke_of_person(connection, workspace_id=member.workspace_id, user_id=member.user_id, by=by)
    gone = delete(Member).where(Member.workspace_id == member.workspace_id, Member.id == member.id)
    connection.execute(outbox.together(connection, gone, *facts, workspace_id=member.workspace_id, by=by))
