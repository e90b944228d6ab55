"""`/api/access-requests`: members ask for a role on something, owners answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from provisioning.access import access_requests, custom_roles
from provisioning.access.policies import Terms
from provisioning.access.roles import Catalogue
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing, previewable
from provisioning.web.admin.giving import giver
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.repeats import repeatable
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint(
    "access_requests", __name__, url_prefix="/api/access-requests", description="Members ask for access."
)


class _Request(Schema):
    """What a member asks for, and what became of it."""

    id = fields.UUID()
    userId = fields.UUID(attribute="member_id")  # noqa: N815 - the API's case
    name = fields.String()
    email = fields.String()
    role = fields.String()
    scope = fields.Function(lambda one: one.scope.as_json())
    reason = fields.String()
    state = fields.String(metadata={"description": "`granted`: they got that access in another way."})
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    settledAt = fields.AwareDateTime(attribute="settled_at", allow_none=True)  # noqa: N815 - the API's case
    answer = fields.String(allow_none=True)
    policyId = fields.UUID(attribute="policy_id", allow_none=True)  # noqa: N815 - the API's case


class _Input(schemas.Strict):
    """What is asked for, for whom, and why."""

    member_id = fields.UUID(data_key="userId", required=True)
    role = fields.String(required=True)
    labels = fields.List(fields.String(), load_default=list)
    resources = fields.List(fields.String(), load_default=list)
    reason = fields.String(required=True)


class _Approval(schemas.Strict):
    """Until when it is given; for good where nothing is said."""

    ends_at = fields.AwareDateTime(data_key="endsAt", load_default=None, allow_none=True)


class _Query(PageQuery):
    state = fields.String(load_default=None, validate=validate.OneOf(access_requests.STATES))
    member_id = fields.UUID(data_key="userId", load_default=None)


_ONE = schemas.data("AccessRequest", accessRequest=fields.Nested(_Request))


def _roles(connection: Connection) -> Catalogue:
    return custom_roles.of_workspace(connection, workspace_id=token().workspace_id, catalogue=context().catalogue)


@blueprint.get("")
@by_token("access-request.read")
@blueprint.arguments(_Query, location="query")
@blueprint.response(
    200,
    schemas.data(
        "AccessRequests", accessRequests=fields.List(fields.Nested(_Request)), pagination=fields.Nested(Pagination)
    ),
)
def page(query: dict[str, Any]) -> Any:
    """What the workspace's members ask for, newest first."""
    walk = resume(query)
    with reading() as connection:
        found = access_requests.some(
            connection,
            workspace_id=token().workspace_id,
            roles=_roles(connection),
            window=walk.window(),
            state=query["state"],
            member_id=query["member_id"],
        )
    return walk.paged("accessRequests", found)


@blueprint.post("")
@by_token("access-request.create")
@repeatable
@blueprint.arguments(_Input)
@blueprint.response(201, _ONE)
@previewable(blueprint)
def create(sent: dict[str, Any]) -> Any:
    """Ask for a role on behalf of a member; the very same asked again is the one request."""
    with changing() as connection:
        made = access_requests.ask(
            connection,
            workspace_id=token().workspace_id,
            member_id=sent["member_id"],
            terms=Terms(sent["role"], tuple(sent["labels"]), tuple(sent["resources"]), reason=sent["reason"]),
            roles=_roles(connection),
            by=actor(),
        )
    return {"data": {"accessRequest": made}}


@blueprint.get("/<uuid:request_id>")
@by_token("access-request.read")
@blueprint.response(200, _ONE)
def read(request_id: UUID) -> Any:
    """One request."""
    with reading() as connection:
        found = access_requests.by_id(
            connection, workspace_id=token().workspace_id, roles=_roles(connection), request_id=request_id
        )
    return {"data": {"accessRequest": found}}


@blueprint.post("/<uuid:request_id>/approve")
@by_token("access-request.settle")
@repeatable
@blueprint.arguments(_Approval)
@blueprint.response(200, _ONE)
@previewable(blueprint)
def approve(sent: dict[str, Any], request_id: UUID) -> Any:
    """Give what is asked for, for a time where an end is named."""
    with changing() as connection:
        settled = access_requests.approve(
            connection,
            workspace_id=token().workspace_id,
            request_id=request_id,
            ends_at=sent["ends_at"],
            giver=giver(connection),
        )
    return {"data": {"accessRequest": settled}}


@blueprint.post("/<uuid:request_id>/deny")
@by_token("access-request.settle")
@repeatable
@blueprint.arguments(schemas.Denial)
@blueprint.response(200, _ONE)
@previewable(blueprint)
def deny(sent: dict[str, Any], request_id: UUID) -> Any:
    """Say no, and why."""
    with changing() as connection:
        settled = access_requests.deny(
            connection,
            workspace_id=token().workspace_id,
            request_id=request_id,
            answer=sent["reason"],
            giver=giver(connection),
        )
    return {"data": {"accessRequest": settled}}
