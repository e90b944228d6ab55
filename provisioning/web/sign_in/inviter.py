"""Whether whoever has invited somebody still stands: what they have started ends with them."""

from __future__ import annotations

from uuid import UUID

from provisioning.access import facts, rules
from provisioning.context import context
from provisioning.database import Connection
from provisioning.directory import invitations, roster
from provisioning.directory.invitations import InvitationView
from provisioning.refusals import NotFound, Unauthenticated
from provisioning.tokens import clients, standing


def refuse_fallen(connection: Connection, invitation: InvitationView) -> None:
    """Refuse an invitation whose inviter stands no more, as if it had been taken back.

    Raises:
        Unauthenticated: so it is.
    """
    if not stands(connection, invitation):
        raise Unauthenticated(invitations.GONE)


def stands(connection: Connection, invitation: InvitationView) -> bool:
    """Whether the inviter stands: a program that lives, or an active member; of an owner, one who may still invite.

    The operator always does.
    """
    kind, _, identifier = invitation.inviter.partition(":")
    if kind == "operator":
        return True
    found, member_id = _found(connection, kind, UUID(identifier), invitation.workspace_id)
    return found and (member_id is None or not invitation.owner or _invites(connection, invitation, member_id))


def _found(connection: Connection, kind: str, identifier: UUID, workspace_id: UUID) -> tuple[bool, UUID | None]:
    """Whether there is such a one, and the member behind it."""
    if kind == "token":
        token = standing.live_by_id(connection, workspace_id=workspace_id, token_id=identifier)
        return token is not None, token.member_id if token else None
    if kind == "client":
        try:
            client = clients.by_id(connection, workspace_id=workspace_id, client_id=identifier)
        except NotFound:
            return False, None
        return client.stands, client.member_id
    member = roster.by_person(connection, workspace_id=workspace_id, user_id=identifier) if kind == "person" else None
    return member is not None and member.active, member.id if member else None


def _invites(connection: Connection, invitation: InvitationView, member_id: UUID) -> bool:
    held = facts.of_member(
        connection, workspace_id=invitation.workspace_id, member_id=member_id, catalogue=context().catalogue
    ).facts
    return rules.decide(held, "invitation.create").allowed
