"""`/api/mappings`: rules that give roles to whom the identity provider puts into a group."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from marshmallow import fields

from provisioning.access import mappings
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.refusals import Invalid
from provisioning.web.admin import schemas
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("mappings", __name__, url_prefix="/api/mappings", description="Mappings from groups to roles.")


@blueprint.get("")
@by_token("mapping.read")
@blueprint.response(200, schemas.data("Mappings", mappings=fields.List(fields.Nested(schemas.Mapping))))
def every() -> Any:
    """The workspace's mappings."""
    with reading() as connection:
        return {"data": {"mappings": mappings.every(connection, workspace_id=token().workspace_id)}}


@blueprint.post("")
@by_token("mapping.create")
@blueprint.arguments(schemas.MappingInput)
@blueprint.response(201, schemas.data("Mapping", mapping=fields.Nested(schemas.Mapping)))
def create(sent: dict[str, Any]) -> Any:
    """Write a mapping; it counts at once."""
    if ("group" in sent) == ("condition" in sent):
        raise Invalid("Give either a group or a condition.", field="condition")
    workspace_id = token().workspace_id
    with transaction() as connection:
        about, condition, name = sent["about"], sent.get("condition", ""), sent["name"]
        if "group" in sent:
            about, name = "Group", name or sent["group"]
            condition = mappings.condition_for_group(connection, workspace_id=workspace_id, group=sent["group"])
        made = mappings.create(
            connection,
            workspace_id=workspace_id,
            name=name,
            resource_type=about,
            condition=condition,
            role=sent["role"],
            labels=sent["labels"],
            resources=sent["resources"],
            catalogue=context().catalogue,
            by=actor(),
        )
    return {"data": {"mapping": made}}


@blueprint.delete("/<uuid:mapping_id>")
@by_token("mapping.delete")
@blueprint.response(200, schemas.DONE)
def delete(mapping_id: UUID) -> Any:
    """Take a mapping away; what it gave is gone at once."""
    with transaction() as connection:
        mappings.remove(connection, workspace_id=token().workspace_id, mapping_id=mapping_id, by=actor())
    return {"data": {"status": "SUCCESS"}}
