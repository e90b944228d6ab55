"""`/api/sessions`: begin, check, list and revoke the sessions of the workspace's members."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import roster
from provisioning.sessions import lifecycle, limits
from provisioning.sessions.limits import OwnLimits
from provisioning.sessions.rules import UNKNOWN
from provisioning.sessions.sign_in import SignIn
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.recorded import recorded
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("sessions", __name__, url_prefix="/api/sessions", description="Sessions of the members.")


class _Query(PageQuery):
    member_id = fields.UUID(
        data_key="userId", load_default=None, metadata={"description": "Only the sessions of this member."}
    )


@blueprint.get("")
@by_token("session.read")
@recorded("sessions")
@blueprint.arguments(_Query, location="query")
@blueprint.response(
    200,
    schemas.data(
        "Sessions", sessions=fields.List(fields.Nested(schemas.Session)), pagination=fields.Nested(Pagination)
    ),
)
def some(query: dict[str, Any]) -> Any:
    """The sessions of the workspace's members, or of one of them, newest first, each judged at this moment."""
    walk, workspace_id, user_id = resume(query), token().workspace_id, None
    with reading() as connection:
        if query["member_id"] is not None:
            user_id = roster.by_id(connection, workspace_id=workspace_id, member_id=query["member_id"]).user_id
        found = lifecycle.every(
            connection,
            policy=context().session_policy,
            workspace_id=workspace_id,
            window=walk.window(),
            user_id=user_id,
        )
    return walk.paged("sessions", found)


@blueprint.post("")
@by_token("session.create")
@blueprint.arguments(schemas.SessionInput)
@blueprint.response(201, schemas.data("NewSession", session=fields.Nested(schemas.NewSession)))
def begin(sent: dict[str, Any]) -> Any:
    """Begin a session for a member that opens this workspace alone; its token is shown this once."""
    secret = context().keyring.mint(Kind.SESSION)
    address = None if sent["address"] is None else str(sent["address"])
    with transaction() as connection:
        member = roster.by_email(connection, workspace_id=token().workspace_id, email=sent["email"])
        begun = lifecycle.begin(
            connection,
            user_id=member.user_id,
            digest=secret.digest,
            policy=context().session_policy,
            by=actor(),
            reach_id=token().workspace_id,
            how=SignIn(address=address, user_agent=sent["userAgent"]),
        )
    shown = {"id": begun.id, "token": secret.text, "policy": begun.policy}
    return {"data": {"session": {**shown, "created_at": begun.created_at, "expires_at": begun.expires_at}}}


_LIMITS = schemas.data("SessionLimits", limits=fields.Nested(schemas.SessionLimits))


@blueprint.get("/limits")
@by_token("session.read")
@blueprint.response(200, _LIMITS)
def read_limits() -> Any:
    """The workspace's own limits; null stands for the service's."""
    with reading() as connection:
        return {"data": {"limits": limits.of_workspace(connection, workspace_id=token().workspace_id)}}


@blueprint.put("/limits")
@by_token("session.limit")
@blueprint.arguments(schemas.SessionLimitsInput)
@blueprint.response(200, _LIMITS)
def replace_limits(sent: dict[str, int | None]) -> Any:
    """Make the sessions of the workspace's members shorter than the service does; a longer limit binds new ones."""
    with transaction() as connection:
        stored = limits.replace(
            connection,
            workspace_id=token().workspace_id,
            limits=OwnLimits(**sent),
            policy=context().session_policy,
            by=actor(),
        )
    return {"data": {"limits": stored}}


@blueprint.post("/check")
@by_token("session.check")
@blueprint.arguments(schemas.TokenInput)
@blueprint.response(200, schemas.data("Verdict", session=fields.Nested(schemas.Verdict)))
def check(sent: dict[str, str]) -> Any:
    """Judge a session at this moment. An application asks because the person is at work: that is activity."""
    digest = context().keyring.recognise(sent["token"], Kind.SESSION)
    if digest is None:
        return {"data": {"session": UNKNOWN}}
    policy = context().session_policy
    with reading() as connection:
        verdict, standing = lifecycle.judge(connection, digest=digest, policy=policy, workspace_id=token().workspace_id)
        if standing is not None and verdict.active:
            lifecycle.record_activity(connection, standing=standing, policy=policy)
    return {"data": {"session": verdict}}


@blueprint.delete("/<uuid:session_id>")
@by_token("session.revoke")
@blueprint.response(200, schemas.DONE)
def revoke(session_id: UUID) -> Any:
    """End a session now."""
    with transaction() as connection:
        lifecycle.revoke(connection, session_id=session_id, workspace_id=token().workspace_id, by=actor())
    return schemas.SUCCESS
