"""`/api/schemas`: the workspace's own schema extensions."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from provisioning.database import reading, transaction
from provisioning.directory import extensions
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing
from provisioning.web.admin.repeats import repeatable
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint(
    "schemas", __name__, url_prefix="/api/schemas", description="Attributes of one's own for Users and Groups."
)
_ONE = schemas.data("SchemaExtension", schema=fields.Nested(schemas.SchemaExtension))


@blueprint.get("")
@by_token("schema.read")
@blueprint.response(200, schemas.data("SchemaExtensions", schemas=fields.List(fields.Nested(schemas.SchemaExtension))))
def every() -> Any:
    """The workspace's extensions."""
    with reading() as connection:
        return {"data": {"schemas": extensions.every(connection, workspace_id=token().workspace_id)}}


@blueprint.get("/<urn>")
@by_token("schema.read")
@blueprint.response(200, _ONE)
def read(urn: str) -> Any:
    """One extension."""
    with reading() as connection:
        return {"data": {"schema": extensions.by_urn(connection, workspace_id=token().workspace_id, urn=urn)}}


@blueprint.post("")
@by_token("schema.create")
@repeatable
@blueprint.arguments(schemas.SchemaExtensionInput)
@blueprint.response(201, _ONE)
def register(sent: dict[str, Any]) -> Any:
    """Register an extension; identity providers find it in `/scim/v2/Schemas` at once."""
    with changing() as connection:
        made = extensions.register(connection, workspace_id=token().workspace_id, by=actor(), **sent)
    return {"data": {"schema": made}}


@blueprint.put("/<urn>")
@by_token("schema.update")
@blueprint.arguments(schemas.SchemaExtensionChange)
@blueprint.response(200, _ONE)
def change(sent: dict[str, Any], urn: str) -> Any:
    """Replace a definition; values that are stored under it must stay good."""
    with transaction() as connection:
        changed = extensions.change(connection, workspace_id=token().workspace_id, urn=urn, by=actor(), **sent)
    return {"data": {"schema": changed}}


@blueprint.delete("/<urn>")
@by_token("schema.delete")
@blueprint.response(200, schemas.DONE)
def delete(urn: str) -> Any:
    """Take an extension away that nobody has values under."""
    with transaction() as connection:
        extensions.remove(connection, workspace_id=token().workspace_id, urn=urn, by=actor())
    return schemas.SUCCESS
