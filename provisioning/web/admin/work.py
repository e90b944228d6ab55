"""`/api/work`: how far the work has come that changes of the workspace call for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from provisioning.audit import work
from provisioning.database import reading
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.recorded import recorded
from provisioning.web.guard import by_token, token
from provisioning.worklist import Item, State

blueprint = Blueprint("work", __name__, url_prefix="/api/work", description="Work that changes call for.")


class _Query(PageQuery):
    state = fields.Enum(
        State,
        by_value=True,
        load_default=State.UNDONE,
        metadata={"description": "`undone`: waits or is being done; `parked`: failed too often; `any`: all events."},
    )


class _Progress(Schema):
    done = fields.Integer()
    total = fields.Integer(allow_none=True)


class _Work(Schema):
    id = fields.UUID(metadata={"description": "That of the event which calls for it."})
    timestamp = fields.AwareDateTime()
    type = fields.String()
    resourceType = fields.String()  # noqa: N815 - the vendor's name
    resourceId = fields.String()  # noqa: N815 - the vendor's name
    state = fields.String()
    attempts = fields.Integer()
    dueAt = fields.AwareDateTime(allow_none=True)  # noqa: N815 - the API's case
    progress = fields.Nested(_Progress, allow_none=True)


@blueprint.get("")
@by_token("audit.read")
@recorded("trail")
@blueprint.arguments(_Query, location="query")
@blueprint.response(
    200, schemas.data("Works", work=fields.List(fields.Nested(_Work)), pagination=fields.Nested(Pagination))
)
def page(query: dict[str, Any]) -> Any:
    """The work that changes of the workspace call for, newest first; what takes long says how far it has come."""
    walk = resume(query)
    with reading() as connection:
        found = work.some(connection, workspace_id=token().workspace_id, state=query["state"], window=walk.window())
    return walk.paged("work", found, [_shown(item) for item in found.items])


@blueprint.get("/<uuid:event_id>")
@by_token("audit.read")
@blueprint.response(200, schemas.data("Work", work=fields.Nested(_Work)))
def one(event_id: UUID) -> Any:
    """The work that one event calls for, until it is done and after."""
    with reading() as connection:
        return {"data": {"work": _shown(work.by_id(connection, workspace_id=token().workspace_id, event_id=event_id))}}


def _shown(item: Item) -> dict[str, Any]:
    kind, _, about = item.subject.partition(":")
    come = None if item.progress_done is None else {"done": item.progress_done, "total": item.progress_total}
    return {
        "id": item.id,
        "timestamp": item.occurred_at,
        "type": item.name,
        "resourceType": kind,
        "resourceId": about,
        "state": item.state,
        "attempts": item.attempts,
        "dueAt": item.due_at if item.state == "waiting" else None,
        "progress": come,
    }
