"""A member's permissions as admins write them: ownership stands among the policies, as if it were one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.engine import Connection

from provisioning.access import policies, rules
from provisioning.access.policies import Giver, PolicyView, Subject, Terms
from provisioning.access.roles import OWNER
from provisioning.access.rules import Scope
from provisioning.directory import owners, roster
from provisioning.directory.roster import MemberView
from provisioning.refusals import Invalid, NotAllowed


def give(
    connection: Connection, *, workspace_id: UUID, member_id: UUID, terms: Sequence[Terms], giver: Giver
) -> tuple[MemberView, list[PolicyView]]:
    """Give a member more; naming the owner's role appoints them.

    Returns:
        The member, and what they were given, in the order of the terms, without the ownership.

    Raises:
        NotFound: the workspace has no such member.
        Invalid: a policy can't be.
        NotAllowed: the giver doesn't have what they would give.
    """
    member = roster.lock(connection, workspace_id=workspace_id, member_id=member_id)
    if names_owner(terms, giver):
        member = owners.appoint(connection, member=member, by=giver.by)
    subject = Subject("member", member_id)
    plain = [one for one in terms if one.role != OWNER]
    return member, policies.add(connection, workspace_id=workspace_id, subject=subject, terms=plain, giver=giver)


def replace(
    connection: Connection, *, workspace_id: UUID, member_id: UUID, terms: Sequence[Terms], giver: Giver
) -> tuple[MemberView, list[PolicyView]]:
    """Give a member these policies and no others; an owner who is not to be one is demoted.

    Raises:
        NotFound: the workspace has no such member.
        Invalid: a policy can't be.
        NotAllowed: the giver doesn't have what they would give.
        Conflict: the last active owner would be one no more.
    """
    member = roster.lock(connection, workspace_id=workspace_id, member_id=member_id)
    change = owners.appoint if names_owner(terms, giver) else owners.demote
    member = change(connection, member=member, by=giver.by)
    subject = Subject("member", member_id)
    plain = [one for one in terms if one.role != OWNER]
    return member, policies.replace(connection, workspace_id=workspace_id, subject=subject, terms=plain, giver=giver)


def names_owner(terms: Sequence[Terms], giver: Giver) -> bool:
    """Whether ownership is among the terms, by somebody who may give it; it is the whole workspace's, and stays.

    Raises:
        Invalid: it is to be of a part, or for a time.
        NotAllowed: they are no owner.
    """
    named = [one for one in terms if one.role == OWNER]
    if not named:
        return False
    if any(one.labels or one.resources or one.ends_at for one in named):
        raise Invalid("Ownership is of the whole workspace, and has no end.", field="role")
    lacking = None if giver.facts is None else rules.missing(giver.facts, giver.roles[OWNER], Scope(), rules.NEVER)
    if lacking is not None:
        raise NotAllowed("Only owners appoint owners.", action="owner.appoint")
    return True
