"""`/api/audit-events`: what happened in the workspace."""

from __future__ import annotations

from typing import Any

from flask import Response, stream_with_context
from marshmallow import Schema, fields, validate

from provisioning.audit import export, trail
from provisioning.audit.export import Wanted
from provisioning.audit.trail import Narrowing
from provisioning.database import reading
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
    id = fields.UUID()
    timestamp = fields.AwareDateTime(attribute="at")
    type = fields.String(attribute="name")
    actor = fields.String()
    actorEmail = fields.String(attribute="actor_email", allow_none=True)  # noqa: N815 - the vendor's name
    resourceId = fields.String(attribute="resource_id")  # noqa: N815 - the vendor's name
    resourceType = fields.String(attribute="resource_type")  # noqa: N815 - the vendor's name
    resourceName = fields.String(attribute="resource_name")  # noqa: N815 - the vendor's name
    details = fields.Dict(attribute="payload")
    requestId = fields.String(attribute="request_id", allow_none=True)  # noqa: N815 - the API's case


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
    return walk.paged("events", found)


_MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson"}


@blueprint.get("/export")
@by_token("audit.read")
@recorded("trail")
@blueprint.arguments(_ExportQuery, location="query")
@blueprint.response(200, {"type": "string"}, content_type="text/csv")
def export_trail(query: dict[str, Any]) -> Response:
    """The whole trail, oldest first, as a table in CSV or with a line of JSON a fact."""
    form = query["form"]
    wanted = Wanted(token().workspace_id, query["since"], query["until"])
    lines = (piece.text for piece in export.pieces(reading, wanted, form=form))
    response = Response(stream_with_context(lines), mimetype=_MEDIA[form])
    response.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return response
