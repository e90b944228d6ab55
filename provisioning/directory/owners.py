"""Owners, who can't all be lost, and protected members, whom identity providers can't touch."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from provisioning import outbox
from provisioning.directory import users
from provisioning.directory.events import (
    LastOwnerLost,
    MemberProtected,
    MemberUnprotected,
    OwnerAppointed,
    OwnerDemoted,
)
from provisioning.directory.models import Member, Workspace
from provisioning.directory.roster import MemberView
from provisioning.outbox import Actor, Fact
from provisioning.refusals import Conflict, ProtectedMember


def appoint(connection: Connection, *, member: MemberView, by: Actor) -> MemberView:
    """Make a member an owner; who is one stays one."""
    if member.owner:
        return member
    return _set_owner(connection, member, OwnerAppointed(user_id=member.user_id, member_id=member.id), by)


def demote(connection: Connection, *, member: MemberView, by: Actor) -> MemberView:
    """Make a locked owner a member like any other, with their own policies.

    Raises:
        Conflict: they are the last active owner.
    """
    if not member.owner:
        return member
    refuse_last(connection, member=member, by=by)
    return _set_owner(connection, member, OwnerDemoted(user_id=member.user_id, member_id=member.id), by)


def protect(connection: Connection, *, member: MemberView, protected: bool, by: Actor) -> MemberView:
    """Put a member out of the identity providers' reach, or within it again: for emergencies."""
    if member.protected == protected:
        return member
    fact = (MemberProtected if protected else MemberUnprotected)(user_id=member.user_id, member_id=member.id)
    here = (Member.workspace_id == member.workspace_id, Member.id == member.id)
    changed = update(Member).where(*here).values(protected=protected)
    connection.execute(outbox.together(connection, changed, fact, workspace_id=member.workspace_id, by=by))
    return member._replace(protected=protected)


def _set_owner(connection: Connection, member: MemberView, fact: Fact, by: Actor) -> MemberView:
    owner = not member.owner
    here = (Member.workspace_id == member.workspace_id, Member.id == member.id)
    changed = update(Member).where(*here).values(owner=owner)
    connection.execute(outbox.together(connection, changed, fact, workspace_id=member.workspace_id, by=by))
    users.renew_texts(connection, user_id=member.user_id)
    return member._replace(owner=owner)


def refuse_last(connection: Connection, *, member: MemberView, by: Actor) -> None:
    """Whoever the identity provider dismisses must lose access; anybody else has to leave an owner behind.

    Raises:
        Conflict: the member is the last active owner.
    """
    if by.kind != "connection" and _is_last_owner(connection, member):
        raise Conflict("A workspace keeps an active owner: appoint another one first.", field="owner")


def _is_last_owner(connection: Connection, member: MemberView) -> bool:
    """Whether no other active owner is there; owners go one at a time, so that the answer holds at the commit."""
    if not (member.owner and member.active):
        return False
    connection.execute(select(Workspace.id).where(Workspace.id == member.workspace_id).with_for_update(key_share=True))
    others = select(Member.id).where(
        Member.workspace_id == member.workspace_id, Member.owner, Member.active, Member.id != member.id
    )
    return connection.execute(others.limit(1)).one_or_none() is None


def alarm(connection: Connection, *, member: MemberView) -> list[Fact]:
    """The identity provider's deactivation of the last owner is obeyed; that nobody is left is told."""
    if not _is_last_owner(connection, member):
        return []
    return [LastOwnerLost(user_id=member.user_id, member_id=member.id)]


def refuse_protected(member: MemberView, *, by: Actor) -> None:
    """Refuse an identity provider's change of a member whom an owner has put out of its reach.

    Raises:
        ProtectedMember: that is what it is.
    """
    if member.protected and by.kind == "connection":
        raise ProtectedMember("An owner of this workspace protects this member from changes by the identity provider.")
