"""`/api/mapping-proposals`: changes of mappings that would give ownership, and a second owner's word on each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from provisioning.access import proposals
from provisioning.database import reading
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing, previewable
from provisioning.web.admin.giving import giver
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.repeats import repeatable
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint(
    "mapping_proposals", __name__, url_prefix="/api/mapping-proposals", description="A second owner's word."
)


class _Proposal(Schema):
    """What somebody wants a mapping to be, and what became of it; nothing of it counts before it is confirmed."""

    id = fields.UUID()
    mappingId = fields.UUID(attribute="mapping_id")  # noqa: N815 - the API's case
    mapping = fields.String()
    askerId = fields.UUID(  # noqa: N815 - the API's case
        attribute="asker_id", allow_none=True, metadata={"description": "The owner who asks; null: the operator."}
    )
    asker = fields.String(allow_none=True)
    was = fields.Function(lambda one: one.was.as_json())
    wanted = fields.Function(lambda one: one.wanted.as_json())
    state = fields.String()
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    expiresAt = fields.AwareDateTime(attribute="expires_at")  # noqa: N815 - the API's case
    settledAt = fields.AwareDateTime(attribute="settled_at", allow_none=True)  # noqa: N815 - the API's case
    answer = fields.String(allow_none=True)


class _Query(PageQuery):
    state = fields.String(load_default=None, validate=validate.OneOf(proposals.STATES))


_ONE = schemas.data("MappingProposal", mappingProposal=fields.Nested(_Proposal))


@blueprint.get("")
@by_token("mapping.read")
@blueprint.arguments(_Query, location="query")
@blueprint.response(
    200,
    schemas.data(
        "MappingProposals", mappingProposals=fields.List(fields.Nested(_Proposal)), pagination=fields.Nested(Pagination)
    ),
)
def page(query: dict[str, Any]) -> Any:
    """What owners want mappings to be that would give ownership, newest first."""
    walk = resume(query)
    with reading() as connection:
        found = proposals.some(
            connection, workspace_id=token().workspace_id, window=walk.window(), state=query["state"]
        )
    return walk.paged("mappingProposals", found)


@blueprint.get("/<uuid:proposal_id>")
@by_token("mapping.read")
@blueprint.response(200, _ONE)
def read(proposal_id: UUID) -> Any:
    """One of them."""
    with reading() as connection:
        found = proposals.by_id(connection, workspace_id=token().workspace_id, proposal_id=proposal_id)
    return {"data": {"mappingProposal": found}}


@blueprint.post("/<uuid:proposal_id>/confirm")
@by_token("mapping.confirm")
@repeatable
@blueprint.response(200, _ONE)
@previewable(blueprint)
def confirm(proposal_id: UUID) -> Any:
    """Say as another owner than the one who asked that the mapping may be so: it counts at once."""
    with changing() as connection:
        settled = proposals.confirm(
            connection, workspace_id=token().workspace_id, proposal_id=proposal_id, giver=giver(connection)
        )
    return {"data": {"mappingProposal": settled}}


@blueprint.post("/<uuid:proposal_id>/decline")
@by_token("mapping.confirm")
@repeatable
@blueprint.arguments(schemas.Denial)
@blueprint.response(200, _ONE)
def decline(sent: dict[str, Any], proposal_id: UUID) -> Any:
    """Say no, and why, or take back what you have asked for: the mapping stays as it is."""
    with changing() as connection:
        settled = proposals.decline(
            connection,
            workspace_id=token().workspace_id,
            proposal_id=proposal_id,
            answer=sent["reason"],
            by=actor(),
        )
    return {"data": {"mappingProposal": settled}}
