"""Writes letters and hands them over. A letter's secret is made here, so that nothing but the letter ever holds it."""

from __future__ import annotations

import logging
from uuid import UUID

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import invitations, workspaces
from provisioning.outbox import Claimed
from provisioning.post import invitation as letters
from provisioning.post.letters import Letter, Undeliverable

_log = logging.getLogger(__name__)


def invite(claimed: Claimed) -> None:
    """Send the letter of an invitation, if it still waits for one.

    Each run makes a new secret, and the former is void before the letter leaves: where a letter went out and its
    sender died, there are two, and the newest works.

    Raises:
        OSError: it could not be handed over this time.
    """
    secret = context().keyring.mint(Kind.INVITATION)
    invitation_id = UUID(claimed.payload["invitation_id"])
    if claimed.workspace_id is None:
        return
    with transaction() as connection:
        found = invitations.give_secret(
            connection, workspace_id=claimed.workspace_id, invitation_id=invitation_id, digest=secret.digest
        )
        if found is None:
            return
        letter = letters.letter(
            email=found.email,
            workspace=workspaces.by_id(connection, claimed.workspace_id).name,
            inviter=invitations.inviter_name(connection, found),
            link=f"{context().public_url}/sign-in/invitation#{secret.text}",
            expires_at=found.expires_at,
        )
    delivery = "sent" if _is_taken(letter, invitation_id) else "refused"
    with transaction() as connection:
        invitations.record_delivery(connection, digest=secret.digest, delivery=delivery)


def _is_taken(letter: Letter, about: UUID) -> bool:
    try:
        context().post.send(letter)
    except Undeliverable as error:
        _log.warning("the letter of invitation %s: %s", about, error)
        return False
    return True
