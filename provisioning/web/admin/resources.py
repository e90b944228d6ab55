"""`/api/resources`: what access is given to, told by the products that own it."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from provisioning.access import resources
from provisioning.access.resources import Registration
from provisioning.database import reading, transaction
from provisioning.web.admin import schemas
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("resources", __name__, url_prefix="/api/resources", description="Resources and their labels.")


@blueprint.get("")
@by_token("resource.read")
@blueprint.response(200, schemas.data("Resources", resources=fields.List(fields.Nested(schemas.Resource))))
def every() -> Any:
    """The workspace's resources."""
    with reading() as connection:
        return {"data": {"resources": resources.every(connection, workspace_id=token().workspace_id)}}


@blueprint.put("")
@by_token("resource.register")
@blueprint.arguments(schemas.ResourcesInput)
@blueprint.response(200, schemas.DONE)
def register(sent: dict[str, Any]) -> Any:
    """Register resources, or bring what is known of them up to date: all of them, or none."""
    told = [Registration(r["type"], r["id"], r["name"], tuple(r["labels"])) for r in sent["resources"]]
    with transaction() as connection:
        resources.register(connection, workspace_id=token().workspace_id, resources=told, by=actor())
    return {"data": {"status": "SUCCESS"}}
