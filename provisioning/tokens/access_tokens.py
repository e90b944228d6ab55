"""Ends all access tokens of an OAuth client: which of them were got by which credential is not known."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.engine import Connection

from provisioning.tokens.models import AccessToken


def end_of(connection: Connection, *, workspace_id: UUID, client_id: UUID) -> None:
    """End the access tokens of a locked client; it asks for others by the credentials that it has left."""
    of_client = (AccessToken.workspace_id == workspace_id, AccessToken.client_id == client_id)
    connection.execute(delete(AccessToken).where(*of_client))
