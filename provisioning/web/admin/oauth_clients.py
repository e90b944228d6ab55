"""`/api/oauth-clients`: programs that ask for access tokens; and the public keys of connections that do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.access import custom_roles, policies
from provisioning.access.policies import Subject
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading, transaction
from provisioning.directory import connections
from provisioning.tokens import bounds, clients, public_keys
from provisioning.tokens.clients import ClientView
from provisioning.tokens.public_keys import Holder
from provisioning.tokens.standing import TokenView
from provisioning.web.admin import access_schemas, oauth_schemas, permissions, schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.giving import giver, owner
from provisioning.web.guard import actor, api_token, by_token, token

blueprint = Blueprint("oauth-clients", __name__, url_prefix="/api", description="Programs that ask for access tokens.")
_CLIENT = schemas.data("OAuthClient", client=fields.Nested(oauth_schemas.Client))
_SECRET = schemas.data("OAuthSecret", secret=fields.Nested(oauth_schemas.Secret))
_KEY = schemas.data("OAuthKey", key=fields.Nested(oauth_schemas.PublicKey))
_KEYS = schemas.data("OAuthKeys", keys=fields.List(fields.Nested(oauth_schemas.PublicKey)))


def _held(connection: Connection, client_id: UUID) -> ClientView:
    return clients.lock(connection, workspace_id=token().workspace_id, client_id=client_id)


def _asking() -> TokenView:
    """The API token that is asking, for something that could be used from anywhere."""
    bounds.refuse_bound(asking := api_token())
    return asking


def _held_to_prove(connection: Connection, client_id: UUID) -> ClientView:
    """The client, to be given another credential by a token that lives as long."""
    asking, client = _asking(), _held(connection, client_id)
    bounds.refuse_outlived(connection, client=client, asking=asking)
    return client


def _holder(client: ClientView) -> Holder:
    return Holder("client", client.id, client.workspace_id)


def _shown(connection: Connection, client: ClientView) -> dict[str, Any]:
    """A client with everything that hangs on it."""
    of = client.workspace_id
    roles = custom_roles.of_workspace(connection, workspace_id=of, catalogue=context().catalogue)
    given = policies.of(connection, workspace_id=of, subject=Subject("client", client.id))
    return {
        "view": client,
        "secrets": clients.secrets(connection, client=client),
        "keys": public_keys.every(connection, holder=_holder(client)),
        "permissions": permissions.shown(given, of, roles),
    }


@blueprint.get("/oauth-clients")
@by_token("oauth-client.read")
@blueprint.response(200, schemas.data("OAuthClients", clients=fields.List(fields.Nested(oauth_schemas.ClientSummary))))
def every() -> Any:
    """The workspace's clients."""
    with reading() as connection:
        return {"data": {"clients": clients.every(connection, workspace_id=token().workspace_id)}}


@blueprint.post("/oauth-clients")
@by_token("oauth-client.create")
@blueprint.arguments(oauth_schemas.ClientInput)
@blueprint.response(201, _CLIENT)
def create(sent: dict[str, Any]) -> Any:
    """Make a client, with what it may do, and a key or a secret; the secret is shown this once.

    It belongs to whom the asking token belongs, and ends with that.
    """
    asking = _asking()
    of = token().workspace_id
    terms = permissions.read(sent["permissions"], of)
    jwk = None if sent["key"] is None else public_keys.read(sent["key"])
    lifetime = None if sent["token_lifetime"] is None else timedelta(seconds=sent["token_lifetime"])
    minted = context().keyring.mint(Kind.CLIENT_SECRET)
    with transaction() as connection:
        by = giver(connection)
        made = clients.create(
            connection,
            workspace_id=of,
            name=sent["name"],
            owner_id=owner(sent["owner_id"]),
            token_lifetime=lifetime,
            by=actor(),
            parent_id=asking.id,
        )
        policies.add(connection, workspace_id=of, subject=Subject("client", made.id), terms=terms, giver=by)
        if jwk is not None:
            public_keys.add(connection, holder=_holder(made), jwk=jwk, by=actor())
        else:
            clients.add_secret(connection, client=made, digest=minted.digest, by=actor())
        shown = _shown(connection, made)
    if jwk is None:
        shown["secrets"] = [_with_text(secret, minted.text) for secret in shown["secrets"]]
    return {"data": {"client": shown}}


def _with_text(secret: clients.SecretView, text: str) -> dict[str, Any]:
    return {"id": secret.id, "created_at": secret.created_at, "secret": text}


@blueprint.get("/oauth-clients/<uuid:client_id>")
@by_token("oauth-client.read")
@blueprint.response(200, _CLIENT)
def read(client_id: UUID) -> Any:
    """One client, with its secrets and keys (that they are there) and what it may do."""
    with reading() as connection:
        found = clients.by_id(connection, workspace_id=token().workspace_id, client_id=client_id)
        return {"data": {"client": _shown(connection, found)}}


@blueprint.delete("/oauth-clients/<uuid:client_id>")
@by_token("oauth-client.delete")
@blueprint.response(200, schemas.DONE)
def delete(client_id: UUID) -> Any:
    """Take a client away; its access tokens are refused from that moment on."""
    with transaction() as connection:
        clients.remove(connection, client=_held(connection, client_id), by=actor())
    return schemas.SUCCESS


@blueprint.put("/oauth-clients/<uuid:client_id>/permissions")
@by_token("oauth-client.update")
@blueprint.arguments(access_schemas.PermissionsInput)
@blueprint.response(200, _CLIENT)
def replace_permissions(sent: dict[str, Any], client_id: UUID) -> Any:
    """Give a client these permissions and no others; access tokens that it has follow at once."""
    of = token().workspace_id
    terms = permissions.read(sent["permissions"], of)
    with transaction() as connection:
        client, by = _held(connection, client_id), giver(connection)
        policies.replace(connection, workspace_id=of, subject=Subject("client", client.id), terms=terms, giver=by)
        return {"data": {"client": _shown(connection, client)}}


@blueprint.post("/oauth-clients/<uuid:client_id>/secrets")
@by_token("oauth-client.update")
@blueprint.response(201, _SECRET)
def add_secret(client_id: UUID) -> Any:
    """Give a client another secret, shown this once; those that it has stay valid until they are removed."""
    minted = context().keyring.mint(Kind.CLIENT_SECRET)
    with transaction() as connection:
        client = _held_to_prove(connection, client_id)
        made = clients.add_secret(connection, client=client, digest=minted.digest, by=actor())
    return {"data": {"secret": _with_text(made, minted.text)}}


@blueprint.delete("/oauth-clients/<uuid:client_id>/secrets/<uuid:secret_id>")
@by_token("oauth-client.update")
@blueprint.response(200, schemas.DONE)
def remove_secret(client_id: UUID, secret_id: UUID) -> Any:
    """Take a secret from a client; its access tokens end, and it asks for others."""
    with transaction() as connection:
        clients.remove_secret(connection, client=_held(connection, client_id), secret_id=secret_id, by=actor())
    return schemas.SUCCESS


@blueprint.post("/oauth-clients/<uuid:client_id>/keys")
@by_token("oauth-client.update")
@blueprint.arguments(oauth_schemas.KeyInput)
@blueprint.response(201, _KEY)
def add_key(sent: dict[str, Any], client_id: UUID) -> Any:
    """Register a public key of a client; two may be valid at once."""
    jwk = public_keys.read(sent["key"])
    with transaction() as connection:
        holder = _holder(_held_to_prove(connection, client_id))
        return {"data": {"key": public_keys.add(connection, holder=holder, jwk=jwk, by=actor())}}


@blueprint.delete("/oauth-clients/<uuid:client_id>/keys/<uuid:key_id>")
@by_token("oauth-client.update")
@blueprint.response(200, schemas.DONE)
def remove_key(client_id: UUID, key_id: UUID) -> Any:
    """Take a public key from a client; its access tokens end, and it asks for others."""
    with transaction() as connection:
        public_keys.remove(connection, holder=_holder(_held(connection, client_id)), key_id=key_id, by=actor())
    return schemas.SUCCESS


def _of_connection(connection: Connection, connection_id: UUID) -> Holder:
    of = token().workspace_id
    connections.lock(connection, workspace_id=of, connection_id=connection_id)
    return Holder("connection", connection_id, of)


@blueprint.get("/connections/<uuid:connection_id>/keys")
@by_token("connection.read")
@blueprint.response(200, _KEYS)
def keys_of_connection(connection_id: UUID) -> Any:
    """The public keys by which a connection may ask for access tokens."""
    of = token().workspace_id
    with reading() as connection:
        connections.by_id(connection, workspace_id=of, connection_id=connection_id)
        holder = Holder("connection", connection_id, of)
        return {"data": {"keys": public_keys.every(connection, holder=holder)}}


@blueprint.post("/connections/<uuid:connection_id>/keys")
@by_token("connection.update")
@blueprint.arguments(oauth_schemas.KeyInput)
@blueprint.response(201, _KEY)
def add_key_of_connection(sent: dict[str, Any], connection_id: UUID) -> Any:
    """Register a public key of a connection; two may be valid at once."""
    _asking()
    jwk = public_keys.read(sent["key"])
    with transaction() as connection:
        holder = _of_connection(connection, connection_id)
        return {"data": {"key": public_keys.add(connection, holder=holder, jwk=jwk, by=actor())}}


@blueprint.delete("/connections/<uuid:connection_id>/keys/<uuid:key_id>")
@by_token("connection.update")
@blueprint.response(200, schemas.DONE)
def remove_key_of_connection(connection_id: UUID, key_id: UUID) -> Any:
    """Take a public key from a connection; its access tokens end, and it asks for others."""
    with transaction() as connection:
        holder = _of_connection(connection, connection_id)
        public_keys.remove(connection, holder=holder, key_id=key_id, by=actor())
    return schemas.SUCCESS
