"""`/api/users`: team members, and what they may do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from marshmallow import fields

from provisioning.access import facts, rules
from provisioning.context import context
from provisioning.database import reading
from provisioning.directory import listing, members
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.web.admin import schemas
from provisioning.web.admin.paging import paged
from provisioning.web.guard import by_token, token

blueprint = Blueprint("users", __name__, url_prefix="/api/users", description="Team members.")
_PAGE = schemas.data(
    "Users", users=fields.List(fields.Nested(schemas.User)), pagination=fields.Nested(schemas.Pagination)
)


@blueprint.get("")
@by_token("member.read")
@blueprint.arguments(schemas.PageQuery, location="query")
@blueprint.response(200, _PAGE)
def page(query: dict[str, int]) -> Any:
    """The workspace's members."""
    with reading() as connection:
        wanted = Selection(Window(query["count"], query["cursor"]))
        found = listing.of_members(connection, workspace_id=token().workspace_id, selection=wanted)
    return paged("users", found, **query)


@blueprint.get("/<uuid:user_id>")
@by_token("member.read")
@blueprint.response(200, schemas.data("User", user=fields.Nested(schemas.User)))
def read(user_id: UUID) -> Any:
    """One member."""
    with reading() as connection:
        found = members.by_id(connection, workspace_id=token().workspace_id, member_id=user_id)
    return {"data": {"user": found}}


@blueprint.get("/<uuid:user_id>/access")
@by_token("access.read")
@blueprint.response(200, schemas.data("Access", access=fields.List(fields.Nested(schemas.Access))))
def access(user_id: UUID) -> Any:
    """What a member may do, and by which paths."""
    with reading() as connection:
        found = members.by_id(connection, workspace_id=token().workspace_id, member_id=user_id)
        judged_by = facts.of_member(connection, member=found, catalogue=context().catalogue)
    return {"data": {"access": rules.effective(judged_by)}}
