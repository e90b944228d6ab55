"""Inviting people with what they are going to have, and letting them in: invitations, members and policies together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.engine import Connection

from provisioning import outbox
from provisioning.access import ownership, policies
from provisioning.access.events import PolicyHandedOver
from provisioning.access.models import Policy
from provisioning.access.policies import Giver, PolicyView, Subject, Terms
from provisioning.access.roles import OWNER, Catalogue
from provisioning.directory import invitations, local_groups, members, owners, roster
from provisioning.directory.invitations import InvitationView
from provisioning.directory.profile import Profile
from provisioning.directory.roster import MemberView
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, NotAllowed


def invite(
    connection: Connection,
    *,
    workspace_id: UUID,
    email: str,
    terms: Sequence[Terms] = (),
    group_ids: Collection[UUID] = (),
    lifetime: timedelta,
    giver: Giver,
) -> InvitationView:
    """Invite somebody; the policies and places in groups are held until they accept.

    Args:
        connection: in a transaction.
        workspace_id: where.
        email: whom.
        terms: what they are going to have; naming the owner's role makes them an owner.
        group_ids: the local groups that they are going to be in.
        lifetime: how long they may take.
        giver: who invites.

    Raises:
        Invalid: the address or a policy can't be.
        NotAllowed: the giver doesn't have what they would give.
        NotFound: the workspace has not all of the groups.
        Conflict: the person is a member or invited already, or an identity provider pushes one of the groups.
    """
    owner = ownership.names_owner(terms, giver)
    made = invitations.create(
        connection, workspace_id=workspace_id, email=email, owner=owner, lifetime=lifetime, by=giver.by
    )
    plain = [one for one in terms if one.role != OWNER]
    subject = Subject("invitation", made.id)
    policies.add(connection, workspace_id=workspace_id, subject=subject, terms=plain, giver=giver)
    for group_id in sorted(set(group_ids)):
        group = local_groups.lock(connection, workspace_id=workspace_id, group_id=group_id)
        local_groups.change_invited(connection, group=group, added=[made.id], by=giver.by)
    return invitations.by_id(connection, workspace_id=workspace_id, invitation_id=made.id)


def accept(connection: Connection, *, invitation: InvitationView, roles: Catalogue, by: Actor) -> MemberView:
    """Let somebody in whose address is proven: by the secret of the letter, or by signing in elsewhere.

    Who has become a member in the meantime keeps what they have, and gets what the invitation holds besides.

    Args:
        connection: in a transaction that holds the invitation.
        invitation: a pending one, as `invitations.by_secret` or `invitations.pending_for` returned it.
        roles: all roles of the workspace.
        by: who accepts.

    Raises:
        NotAllowed: they are a member whom somebody has suspended; only who did so takes that back.
    """
    # Groups are held before people, as everywhere.
    joined = local_groups.hold_of_invitation(connection, invitation=invitation)
    member = _member(connection, invitation, by)
    _hand_over(connection, invitation=invitation, member=member, roles=roles, by=by)
    for group in joined:
        local_groups.change_members(connection, group=group, added=[member.id], by=by)
    if invitation.owner:
        member = owners.appoint(connection, member=member, by=by)
    invitations.settle(connection, invitation=invitation, member=member, by=by)
    return member


def _member(connection: Connection, invitation: InvitationView, by: Actor) -> MemberView:
    workspace_id, email = invitation.workspace_id, invitation.email
    known = roster.ids_by_email(connection, workspace_id=workspace_id, emails=[email])
    if not known:
        profile = Profile.of({"userName": email, "active": True})
        try:
            with connection.begin_nested():
                return members.create(
                    connection,
                    workspace_id=workspace_id,
                    profile=profile,
                    connection_id=None,
                    by=by,
                    origin=members.INVITATION,
                )
        except Conflict:
            # Somebody was quicker: the identity provider has pushed them at this very moment.
            known = roster.ids_by_email(connection, workspace_id=workspace_id, emails=[email])
            if not known:
                raise
    member = roster.lock(connection, workspace_id=workspace_id, member_id=known[email])
    if not member.active:
        raise NotAllowed("Your membership of this workspace is suspended: the invitation can't restore it.")
    return member


def _hand_over(
    connection: Connection, *, invitation: InvitationView, member: MemberView, roles: Catalogue, by: Actor
) -> None:
    """Make the policies that were held the member's, as far as they still can be; the others go with the invitation."""
    workspace_id = invitation.workspace_id
    was = Subject("invitation", invitation.id)
    theirs = Subject("member", member.id)
    has = {one.says for one in policies.of(connection, workspace_id=workspace_id, subject=theirs)}
    held = policies.of(connection, workspace_id=workspace_id, subject=was)
    given = [one for one in held if one.says not in has and _stands(one, roles)]
    if not given:
        return
    moved = update(Policy).where(Policy.workspace_id == workspace_id, Policy.id.in_([one.id for one in given]))
    connection.execute(moved.values(member_id=member.id, invitation_id=None, origin=members.INVITATION))
    facts = [
        PolicyHandedOver(policy_id=one.id, given_to=str(theirs), role=one.role, scope=one.scope.as_json(), was=str(was))
        for one in given
    ]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)


def _stands(policy: PolicyView, roles: Catalogue) -> bool:
    """Whether the role is still there, and can be given so: what labels and resources became is seen to with them."""
    role = roles.get(policy.role)
    return role is not None and role.key != OWNER and policy.scope.kind in role.scopes
