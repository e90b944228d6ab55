"""`/api/roles` and `/api/labels`: what access is made of."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from provisioning.access import labels
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.web.admin import schemas
from provisioning.web.guard import by_token, token

blueprint = Blueprint("access", __name__, url_prefix="/api", description="Roles and labels.")


@blueprint.get("/roles")
@by_token("role.read")
@blueprint.response(200, schemas.data("Roles", roles=fields.List(fields.Nested(schemas.Role))))
def roles() -> Any:
    """The roles that there are."""
    return {"data": {"roles": list(context().catalogue)}}


@blueprint.get("/labels")
@by_token("label.read")
@blueprint.response(200, schemas.data("Labels", labels=fields.List(fields.Nested(schemas.Label))))
def list_labels() -> Any:
    """The workspace's labels."""
    with reading() as connection:
        return {"data": {"labels": labels.every(connection, workspace_id=token().workspace_id)}}


@blueprint.post("/labels")
@by_token("label.create")
@blueprint.arguments(schemas.LabelInput)
@blueprint.response(201, schemas.data("Label", label=fields.Nested(schemas.Label)))
def create_label(sent: dict[str, Any]) -> Any:
    """Add a label."""
    with transaction() as connection:
        made = labels.create(
            connection,
            workspace_id=token().workspace_id,
            label=f"{sent['key']}:{sent['value']}",
            description=sent["description"],
        )
    return {"data": {"label": made}}
