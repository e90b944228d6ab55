"""`/api/connections`: identity providers' links to the workspace, and what became of what they asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.context import context
from provisioning.credentials import Kind, Secret
from provisioning.database import reading, transaction
from provisioning.directory import connections, mass_changes
from provisioning.journal import entries
from provisioning.tokens import bounds
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing
from provisioning.web.admin.repeats import repeatable
from provisioning.web.guard import actor, api_token, by_token, token

blueprint = Blueprint(
    "connections", __name__, url_prefix="/api/connections", description="Links to identity providers, and their log."
)


@blueprint.get("")
@by_token("connection.read")
@blueprint.response(200, schemas.data("Connections", connections=fields.List(fields.Nested(schemas.Connection))))
def every() -> Any:
    """The workspace's connections."""
    with reading() as database:
        return {"data": {"connections": connections.every(database, workspace_id=token().workspace_id)}}


def _minted(kind: Kind) -> Secret:
    """A secret for an identity provider, which uses it from anywhere."""
    bounds.refuse_bound(api_token())
    return context().keyring.mint(kind)


@blueprint.post("")
@by_token("connection.create")
@blueprint.arguments(schemas.ConnectionInput)
@blueprint.response(
    201, schemas.data("NewConnection", connection=fields.Nested(schemas.Connection), token=fields.String())
)
def create(sent: dict[str, str]) -> Any:
    """Give an identity provider its way in; its token is shown this once."""
    secret = _minted(Kind.CONNECTION)
    with transaction() as database:
        made = connections.create(database, workspace_id=token().workspace_id, digest=secret.digest, by=actor(), **sent)
    return {"data": {"connection": made, "token": secret.text}}


@blueprint.patch("/<uuid:connection_id>")
@by_token("connection.update")
@blueprint.arguments(schemas.ConnectionSettings)
@blueprint.response(200, schemas.data("Connection", connection=fields.Nested(schemas.Connection)))
def configure(sent: dict[str, Any], connection_id: UUID) -> Any:
    """Set something of a connection, pause it or let it go on; it holds from the next request on."""
    with transaction() as database:
        changed = connections.configure(
            database,
            workspace_id=token().workspace_id,
            connection_id=connection_id,
            settings=connections.Settings(**sent),
            by=actor(),
        )
    return {"data": {"connection": changed}}


@blueprint.get("/<uuid:connection_id>/credentials")
@by_token("connection.read")
@blueprint.response(200, schemas.data("Credentials", credentials=fields.List(fields.Nested(schemas.Credential))))
def credentials(connection_id: UUID) -> Any:
    """A connection's live credentials: since and until when, and when and from where each was used last."""
    workspace_id = token().workspace_id
    with reading() as database:
        found = connections.by_id(database, workspace_id=workspace_id, connection_id=connection_id)
        live = connections.credentials(database, workspace_id=workspace_id, connection_id=found.id)
    return {"data": {"credentials": live}}


@blueprint.post("/<uuid:connection_id>/credentials")
@by_token("connection.update")
@blueprint.arguments(schemas.CredentialRotation)
@blueprint.response(201, schemas.data("NewCredential", token=fields.String()))
def rotate(sent: dict[str, int], connection_id: UUID) -> Any:
    """Give a connection a new token, shown this once; those in use end after the overlap."""
    secret, workspace_id = _minted(Kind.CONNECTION), token().workspace_id
    with transaction() as database:
        found = connections.by_id(database, workspace_id=workspace_id, connection_id=connection_id)
        connections.rotate(
            database,
            workspace_id=workspace_id,
            name=found.name,
            digest=secret.digest,
            overlap=timedelta(seconds=sent["overlap"]),
            by=actor(),
        )
    return {"data": {"token": secret.text}}


@blueprint.post("/<uuid:connection_id>/secret")
@by_token("connection.update")
@blueprint.response(201, schemas.data("NewClientSecret", clientId=fields.UUID(), secret=fields.String()))
def issue_secret(connection_id: UUID) -> Any:
    """Give a connection a secret to ask for access tokens with; the one it had is gone, with what it got."""
    secret = _minted(Kind.CLIENT_SECRET)
    with transaction() as database:
        connections.issue_secret(
            database,
            workspace_id=token().workspace_id,
            connection_id=connection_id,
            digest=secret.digest,
            by=actor(),
        )
    return {"data": {"clientId": connection_id, "secret": secret.text}}


@blueprint.get("/<uuid:connection_id>/held-changes")
@by_token("connection.read")
@blueprint.response(200, schemas.data("HeldChanges", changes=fields.List(fields.Nested(schemas.HeldChange))))
def held(connection_id: UUID) -> Any:
    """What a connection asked for and that waits for somebody to look at it."""
    workspace_id = token().workspace_id
    with reading() as database:
        found = connections.by_id(database, workspace_id=workspace_id, connection_id=connection_id)
        return {"data": {"changes": mass_changes.held(database, workspace_id=workspace_id, connection_id=found.id)}}


@blueprint.post("/<uuid:connection_id>/held-changes")
@by_token("connection.update")
@repeatable
@blueprint.arguments(schemas.Confirmation)
@blueprint.response(200, schemas.data("Settled", settled=fields.Integer()))
def settle(sent: dict[str, bool], connection_id: UUID) -> Any:
    """Do what waits, or drop it."""
    workspace_id = token().workspace_id
    with changing() as database:
        found = connections.by_id(database, workspace_id=workspace_id, connection_id=connection_id)
        settled = mass_changes.settle(
            database, workspace_id=workspace_id, connection_id=found.id, confirmed=sent["confirmed"], by=actor()
        )
    return {"data": {"settled": settled}}


@blueprint.get("/<uuid:connection_id>/check")
@by_token("connection.read")
@blueprint.response(200, schemas.data("ConnectionCheck", check=fields.Nested(schemas.ConnectionCheck)))
def check(connection_id: UUID) -> Any:
    """How far a connection has come: credential seen, first user, first group, what went wrong lately."""
    workspace_id = token().workspace_id
    with reading() as database:
        found = connections.by_id(database, workspace_id=workspace_id, connection_id=connection_id)
        return {"data": {"check": entries.check(database, workspace_id=workspace_id, connection_id=found.id)}}


@blueprint.get("/<uuid:connection_id>/log")
@by_token("connection.read")
@blueprint.arguments(schemas.LogQuery, location="query")
@blueprint.response(200, schemas.data("ConnectionLog", entries=fields.List(fields.Nested(schemas.LogEntry))))
def log(query: dict[str, Any], connection_id: UUID) -> Any:
    """What a connection asked and what became of it, newest first; `before` is the id of the last entry seen."""
    workspace_id = token().workspace_id
    with reading() as database:
        found = connections.by_id(database, workspace_id=workspace_id, connection_id=connection_id)
        told = entries.search(database, workspace_id=workspace_id, connection_id=found.id, **query)
    return {"data": {"entries": told}}
