"""`/api/connections`: identity providers' links to the workspace, and what became of what they asked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.database import reading, transaction
from provisioning.directory import connections, mass_changes
from provisioning.journal import entries
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing
from provisioning.web.admin.repeats import repeatable
from provisioning.web.guard import actor, by_token, token

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
