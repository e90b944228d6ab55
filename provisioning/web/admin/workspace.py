"""`GET /api`: the workspace in which the token acts."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from provisioning.database import reading
from provisioning.directory import workspaces
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.guard import by_token, token

blueprint = Blueprint("workspace", __name__, url_prefix="/api", description="The workspace.")


@blueprint.get("/", endpoint="read_as_sdk")
@blueprint.get("")
@by_token("workspace.read")
@blueprint.response(200, schemas.data("Workspace", workspace=fields.Nested(schemas.Workspace)))
def read() -> Any:
    """The workspace in which this token acts."""
    with reading() as connection:
        return {"data": {"workspace": workspaces.by_id(connection, token().workspace_id)}}
