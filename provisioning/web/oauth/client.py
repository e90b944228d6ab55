"""Who asks at this door (RFC 6749, section 2): an OAuth client of a workspace, or a connection that asks for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin

from provisioning.access import facts
from provisioning.access.rules import Facts
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading
from provisioning.directory import connections
from provisioning.directory.conditions import as_id
from provisioning.directory.connections import ConnectionView
from provisioning.outbox import Actor
from provisioning.refusals import NotFound
from provisioning.tokens import clients, public_keys
from provisioning.tokens.clients import UNPROVED, ClientView, Proof
from provisioning.tokens.public_keys import Holder
from provisioning.web.guard import refuse_paused, request_id

GRANT_TYPE = "client_credentials"
API, SCIM, INTROSPECT = "api", "scim", "introspect"
SCOPES = (API, SCIM, INTROSPECT)
_CONNECTION_LIFETIME = timedelta(hours=1)


class Client(Protocol):
    """What the endpoints need of a client."""

    # What may be asked for, and what kind of token it gets.
    scopes: ClassVar[tuple[str, ...]]
    kind: ClassVar[Kind]

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def workspace_id(self) -> UUID:
        """Where it acts."""

    @property
    def lifetime(self) -> timedelta:
        """How long its access tokens live."""

    def proved_by(self, kid: str) -> Client:
        """The same, once it has proved who it is by a key."""

    def save(self, database: Connection, *, digest: bytes, scope: str) -> None:
        """Store an access token of its own, unless its proof was taken away meanwhile."""

    def end_token(self, database: Connection, *, digest: bytes) -> None:
        """End an access token of its own; what isn't its own stays as it is."""


class _Known(ClientMixin):  # type: ignore[misc]
    """What Authlib asks of every client here: all have proved who they are, and all get the same grant."""

    scopes: ClassVar[tuple[str, ...]]

    def get_client_id(self) -> str:
        """Its id, as it is written."""
        return str(self.id)

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What was asked for if all of it may be had, else nothing; all that may be had where nothing was asked for."""
        wanted = (scope or "").split() or list(self.scopes)
        return " ".join(dict.fromkeys(wanted)) if set(wanted) <= set(self.scopes) else None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's signature
        """Every way of proving it is good at every endpoint."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """Client credentials alone: there is nobody to redirect."""
        return grant_type == GRANT_TYPE


@dataclass(frozen=True, slots=True)
class ApiClient(_Known):
    """An OAuth client of a workspace, and what its access rests on."""

    scopes: ClassVar[tuple[str, ...]] = (API, INTROSPECT)
    kind: ClassVar[Kind] = Kind.ACCESS_TOKEN
    view: ClientView
    facts: Facts
    proof: Proof = UNPROVED

    @property
    def id(self) -> UUID:
        """The client's id."""
        return self.view.id

    @property
    def workspace_id(self) -> UUID:
        """Where it acts."""
        return self.view.workspace_id

    @property
    def lifetime(self) -> timedelta:
        """Its own length, or the service's."""
        return self.view.token_lifetime or context().access_token_lifetime

    def proved_by(self, kid: str) -> ApiClient:
        """The same, once it has proved who it is by a key."""
        return replace(self, proof=Proof(kid=kid))

    def save(self, database: Connection, *, digest: bytes, scope: str) -> None:
        """Store an access token.

        Raises:
            NotFound: it has ended, or was taken what it has proved itself by.
        """
        clients.issue(
            database,
            client=self.view,
            proof=self.proof,
            digest=digest,
            scope=scope,
            lifetime=self.lifetime,
            by=self._actor(),
        )

    def end_token(self, database: Connection, *, digest: bytes) -> None:
        """End one of its access tokens."""
        clients.end_token(database, client=self.view, digest=digest, by=self._actor())

    def _actor(self) -> Actor:
        return Actor("client", str(self.view.id), request_id())


@dataclass(frozen=True, slots=True)
class ConnectionClient(_Known):
    """A connection that asks for a token: one like any other of its own, so that the SCIM door takes it as one."""

    scopes: ClassVar[tuple[str, ...]] = (SCIM,)
    kind: ClassVar[Kind] = Kind.CONNECTION
    view: ConnectionView
    proof: Proof = UNPROVED

    @property
    def id(self) -> UUID:
        """The connection's id."""
        return self.view.id

    @property
    def workspace_id(self) -> UUID:
        """What it is a link to."""
        return self.view.workspace_id

    @property
    def lifetime(self) -> timedelta:
        """An hour."""
        return _CONNECTION_LIFETIME

    def proved_by(self, kid: str) -> ConnectionClient:
        """The same, once it has proved who it is by a key."""
        return replace(self, proof=Proof(kid=kid))

    def save(self, database: Connection, *, digest: bytes, scope: str) -> None:  # noqa: ARG002 - there is one scope
        """Store an access token.

        Raises:
            NotFound: it is gone, or was taken what it has proved itself by.
            PutOff: an admin has paused the connection.
        """
        connections.lock(database, workspace_id=self.workspace_id, connection_id=self.id)
        if not self._has(database):
            raise NotFound("The connection has this credential no more.")
        refuse_paused(self.view)
        connections.add_short_token(database, of=self.view, digest=digest, lifetime=self.lifetime, by=self._actor())

    def _has(self, database: Connection) -> bool:
        """Whether it still has what it has proved itself by."""
        if self.proof.secret is not None:
            return connections.has_secret(database, of=self.view, digest=self.proof.secret)
        holder = Holder("connection", self.id, self.workspace_id)
        return any(key.jwk["kid"] == self.proof.kid for key in public_keys.every(database, holder=holder))

    def end_token(self, database: Connection, *, digest: bytes) -> None:
        """End one of its access tokens."""
        connections.end_short_token(database, of=self.view, digest=digest, by=self._actor())

    def _actor(self) -> Actor:
        return Actor("connection", str(self.view.id), request_id())


_BY_SECRET = facts.with_policies(clients.BY_SECRET, "client")
_WITH_KEYS = facts.with_policies(clients.WITH_KEYS, "client")


def by_secret(client_id: str, secret: str) -> Client | None:
    """The client of this id whose live secret this is, if there is one: an OAuth client in a single statement."""
    identifier, digest = as_id(client_id), context().keyring.recognise(secret, Kind.CLIENT_SECRET)
    if identifier is None or digest is None:
        return None
    with reading() as database:
        found = _held(database, _BY_SECRET, {"client": identifier, "digest": digest})
        if found is not None:
            return ApiClient(clients.view(found[0]), found[1], Proof(digest))
        connection = connections.anywhere(database, identifier)
        if connection is not None and connections.has_secret(database, of=connection, digest=digest):
            return ConnectionClient(connection, Proof(digest))
    return None


def with_keys(client_id: Any) -> tuple[Client, Sequence[Mapping[str, Any]]] | None:
    """The client of this id, which is still to prove that it is, and the public keys that it may prove it by."""
    identifier = as_id(client_id)
    if identifier is None:
        return None
    with reading() as database:
        found = _held(database, _WITH_KEYS, {"client": identifier})
        if found is not None:
            return ApiClient(clients.view(found[0]), found[1]), found[0][-1] or ()
        connection = connections.anywhere(database, identifier)
        if connection is None:
            return None
        holder = Holder("connection", connection.id, connection.workspace_id)
        return ConnectionClient(connection), [key.jwk for key in public_keys.every(database, holder=holder)]


def _held(database: Connection, found: Any, parameters: Mapping[str, Any]) -> tuple[Sequence[Any], Facts] | None:
    return facts.held_by(database, found, parameters, catalogue=context().catalogue)
