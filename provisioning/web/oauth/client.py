"""A connection as an OAuth client (RFC 6749, section 2): its id, and whether a secret is its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading
from provisioning.directory import connections
from provisioning.directory.conditions import as_id
from provisioning.directory.connections import ConnectionView

GRANT_TYPE = "client_credentials"
SCOPE = "scim"
AUTH_METHODS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):  # type: ignore[misc]
    """A connection that asks for a token."""

    connection: ConnectionView

    def get_client_id(self) -> str:
        """The connection's id."""
        return str(self.connection.id)

    def get_allowed_scope(self, scope: str) -> str:
        """There is one: whatever is asked for, it opens SCIM and nothing else."""
        return SCOPE if scope else ""

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether a live secret of this very connection was sent."""
        digest = context().keyring.recognise(client_secret, Kind.CLIENT_SECRET)
        if digest is None:
            return False
        with reading() as database:
            return connections.has_secret(database, of=self.connection, digest=digest)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's signature
        """By a secret, in the header or in the form."""
        return method in AUTH_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Client credentials alone: there is nobody to redirect."""
        return grant_type == GRANT_TYPE


def find(client_id: str) -> Any:
    """The connection of this id as a client, if there is one."""
    identifier = as_id(client_id)
    if identifier is None:
        return None
    with reading() as database:
        found = connections.anywhere(database, identifier)
    return None if found is None else Client(found)
