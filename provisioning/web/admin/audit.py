"""`/api/audit-events`: what happened in the workspace."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from provisioning.audit import export, trail
from provisioning.audit.export import Wanted
from provisioning.audit.trail import Narrowing
from provisioning.database import reading
from provisioning.web import exports
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.recorded import recorded
from provisioning.web.guard import by_token, token

blueprint = Blueprint("audit", __name__, url_prefix="/api/audit-events", description="What happened.")


class _Query(PageQuery):
    since = fields.AwareDateTime(data_key="startTime", load_default=None)
    until = fields.AwareDateTime(data_key="endTime", load_default=None)
    resource_type = fields.String(data_key="resourceType", load_default=None)
    resource_id = fields.String(data_key="resourceId", load_default=None)


class _ExportQuery(Schema):
    form = fields.String(data_key="format", load_default="csv", validate=validate.OneOf(export.FORMATS))
    since = fields.AwareDateTime(data_key="startTime", load_default=None)
    until = fields.AwareDateTime(data_key="endTime", load_default=None)


class _Event(Schema):
    """One thing that happened, as `trail.told` tells it."""

    id = fields.String(metadata={"format": "uuid"})
    timestamp = fields.String(metadata={"format": "date-time"})
    type = fields.String()
    actor = fields.String()
    actorEmail = fields.String(allow_none=True)  # noqa: N815 - the vendor's name
    resourceId = fields.String()  # noqa: N815 - the vendor's name
    resourceType = fields.String()  # noqa: N815 - the vendor's name
    resourceName = fields.String()  # noqa: N815 - the vendor's name
    details = fields.Dict()
    requestId = fields.String(allow_none=True)  # noqa: N815 - the API's case


@blueprint.get("")
@by_token("audit.read")
@recorded("trail")
@blueprint.arguments(_Query, location="query")
@blueprint.response(
    200,
    schemas.data("AuditEvents", events=fields.List(fields.Nested(_Event)), pagination=fields.Nested(Pagination)),
)
def page(query: dict[str, Any]) -> Any:
    """What happened, newest first."""
    walk = resume(query)
    narrowing = Narrowing(**{name: query[name] for name in ("since", "until", "resource_type", "resource_id")})
    with reading() as connection:
        found = trail.some(connection, workspace_id=token().workspace_id, narrowing=narrowing, window=walk.window())
    return walk.paged("events", found, [trail.told(entry) for entry in found.items])


@blueprint.get("/export")
@by_token("audit.read")
@recorded("trail")
@blueprint.arguments(_ExportQuery, location="query")
@blueprint.response(200, {"type": "string"}, content_type="text/csv")
def export_trail(query: dict[str, Any]) -> Response:
    """The whole trail, oldest first, as a table in CSV or with a line of JSON a fact."""
    return exports.trail(Wanted(token().workspace_id, query["since"], query["until"]), query["form"])
