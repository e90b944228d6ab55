"""`/api/groups`: user groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from marshmallow import fields

from provisioning.database import reading
from provisioning.directory import groups, listing
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.web.admin import schemas
from provisioning.web.admin.paging import paged
from provisioning.web.guard import by_token, token

blueprint = Blueprint("user_groups", __name__, url_prefix="/api/groups", description="User groups.")
_PAGE = schemas.data(
    "Groups", userGroups=fields.List(fields.Nested(schemas.Group)), pagination=fields.Nested(schemas.Pagination)
)


@blueprint.get("")
@by_token("group.read")
@blueprint.arguments(schemas.PageQuery, location="query")
@blueprint.response(200, _PAGE)
def page(query: dict[str, int]) -> Any:
    """The workspace's groups, linked and local."""
    with reading() as connection:
        wanted = Selection(Window(query["count"], query["cursor"]))
        found = listing.of_groups(connection, workspace_id=token().workspace_id, selection=wanted)
    return paged("userGroups", found, **query)


@blueprint.get("/<uuid:group_id>")
@by_token("group.read")
@blueprint.response(200, schemas.data("Group", userGroup=fields.Nested(schemas.Group)))
def read(group_id: UUID) -> Any:
    """One group."""
    with reading() as connection:
        found = groups.by_id(connection, workspace_id=token().workspace_id, group_id=group_id)
    return {"data": {"userGroup": found}}


@blueprint.get("/<uuid:group_id>/users")
@by_token("group.read")
@blueprint.response(200, schemas.data("GroupMembers", users=fields.List(fields.Nested(schemas.GroupMember))))
def users(group_id: UUID) -> Any:
    """The members of a group."""
    with reading() as connection:
        found = groups.members_of(connection, workspace_id=token().workspace_id, group_id=group_id)
    return {"data": {"users": found}}
