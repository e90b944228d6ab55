"""`/api/audit-events`: what happened in the workspace."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from provisioning.audit import trail
from provisioning.audit.trail import Narrowing
from provisioning.database import reading
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.guard import by_token, token

blueprint = Blueprint("audit", __name__, url_prefix="/api/audit-events", description="What happened.")


class _Query(PageQuery):
    since = fields.AwareDateTime(data_key="startTime", load_default=None)
    until = fields.AwareDateTime(data_key="endTime", load_default=None)
    resource_type = fields.String(data_key="resourceType", load_default=None)
    resource_id = fields.String(data_key="resourceId", load_default=None)


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
