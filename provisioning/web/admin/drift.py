"""`/api/drift` and `/api/connections/{id}/drift`: what identity providers say, and what is in effect instead."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from provisioning import drift
from provisioning.database import reading
from provisioning.differences import Of
from provisioning.directory import connections
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.guard import by_token, token

blueprint = Blueprint("drift", __name__, url_prefix="/api", description="What is not as identity providers say.")


class _Difference(Schema):
    """One thing that is not as an identity provider says, and what to do about it."""

    kind = fields.String()
    connectionId = fields.UUID(attribute="connection_id", allow_none=True)  # noqa: N815 - the API's case
    subjectType = fields.String(attribute="subject")  # noqa: N815 - the API's case
    subjectId = fields.UUID(attribute="subject_id")  # noqa: N815 - the API's case
    name = fields.String()
    providerSays = fields.String(attribute="says")  # noqa: N815 - the API's case
    inEffect = fields.String(attribute="holds")  # noqa: N815 - the API's case
    since = fields.AwareDateTime(allow_none=True)
    do = fields.Function(lambda one: drift.ADVICE[one.kind])


class _Query(PageQuery):
    kind = fields.String(load_default=None, validate=validate.OneOf(sorted(drift.ADVICE)))


_SOME = schemas.data("Drift", differences=fields.List(fields.Nested(_Difference)), pagination=fields.Nested(Pagination))


def _page(query: dict[str, Any], connection_id: UUID | None) -> Any:
    walk, of = resume(query), Of(token().workspace_id, connection_id)
    with reading() as database:
        if connection_id is not None:
            connections.by_id(database, workspace_id=of.workspace_id, connection_id=connection_id)
        found = drift.report(database, of=of, window=walk.window(str), kind=query["kind"])
    return walk.paged("differences", found)


@blueprint.get("/drift")
@by_token("connection.read")
@blueprint.arguments(_Query, location="query")
@blueprint.response(200, _SOME)
def of_workspace(query: dict[str, Any]) -> Any:
    """What is not as the workspace's identity providers say, and what none of them knows."""
    return _page(query, None)


@blueprint.get("/connections/<uuid:connection_id>/drift")
@by_token("connection.read")
@blueprint.arguments(_Query, location="query")
@blueprint.response(200, _SOME)
def of_connection(query: dict[str, Any], connection_id: UUID) -> Any:
    """What is not as one connection's identity provider says."""
    return _page(query, connection_id)
