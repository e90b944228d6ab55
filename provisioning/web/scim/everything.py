"""Queries at the root (RFC 7644, section 3.4.2.1): Users and Groups in one list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from provisioning.database import reading
from provisioning.directory import listing
from provisioning.directory.groups import GroupView
from provisioning.directory.roster import MemberView
from provisioning.web.guard import by_connection
from provisioning.web.scim import groups, users
from provisioning.web.scim.asking import Asking, of_request
from provisioning.web.scim.query import Query

blueprint = Blueprint("everything", __name__)


@blueprint.get("")
@by_connection
def page() -> Response:
    """The query in the address."""
    asking = of_request()
    return _found(asking, Query.of_address(asking))


@blueprint.post("/.search")
@by_connection
def search() -> Response:
    """The query in the body."""
    asking = of_request()
    return _found(asking, Query.of_body(asking))


def _found(asking: Asking, query: Query) -> Response:
    kinds = asking.viewer.kinds
    as_user, as_group = query.shown(kinds.user), query.shown(kinds.group)
    with reading() as database:
        found = listing.of_both(
            database,
            workspace_id=asking.connection.workspace_id,
            selection=query.selection,
            linked_to=asking.connection.id,
            with_members=as_group.wants("members"),
        )

    def shown(item: MemberView | GroupView) -> dict[str, Any]:
        if isinstance(item, MemberView):
            return as_user.apply(users.resource(item, query.selection.viewer))
        return as_group.apply(groups.resource(item, query.selection.viewer))

    return query.respond(found, [shown(item) for item in found.items])
