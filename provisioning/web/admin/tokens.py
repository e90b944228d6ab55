"""`/api/tokens`: the workspace's API tokens. Whoever asks gives nothing that they don't have, and nothing longer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.access import custom_roles, policies
from provisioning.access.policies import Subject
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading, transaction
from provisioning.directory import workspaces
from provisioning.tokens import api, ending
from provisioning.tokens.standing import TokenView
from provisioning.web.admin import permissions, schemas, token_schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import rehearsable, rehearses, saving
from provisioning.web.admin.giving import giver, owner
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.guard import actor, api_token, by_token, token

blueprint = Blueprint("tokens", __name__, url_prefix="/api/tokens", description="API tokens.")
_ONE = schemas.data("Token", token=fields.Nested(token_schemas.ApiToken))
_NEW = schemas.data("NewToken", token=fields.Nested(token_schemas.NewApiToken))
_LIMITS = schemas.data("TokenLimits", limits=fields.Nested(token_schemas.TokenLimits))


def _shown(connection: Connection, found: Sequence[TokenView], **more: str) -> list[dict[str, Any]]:
    """Tokens with their permissions, in the shape that users have."""
    workspace_id = token().workspace_id
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=context().catalogue)
    given = policies.of_many(connection, workspace_id=workspace_id, kind="token", ids=[one.id for one in found])
    return [
        {
            **dataclasses.asdict(one),
            "permissions": permissions.shown(given[one.id], workspace_id, roles),
            **more,
        }
        for one in found
    ]


def _one(connection: Connection, found: TokenView, **more: str) -> dict[str, Any]:
    return {"data": {"token": _shown(connection, [found], **more)[0]}}


def _new(connection: Connection, found: TokenView, secret: str) -> dict[str, Any]:
    """A token with its secret; without one where nothing is saved."""
    return _one(connection, found, **({} if rehearses() else {"secret": secret}))


@blueprint.get("")
@by_token("token.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200,
    schemas.data(
        "Tokens", tokens=fields.List(fields.Nested(token_schemas.ApiToken)), pagination=fields.Nested(Pagination)
    ),
)
def page(query: dict[str, Any]) -> Any:
    """The workspace's tokens, oldest first, those that ended lately, too."""
    walk = resume(query)
    with reading() as connection:
        found = api.some(connection, workspace_id=token().workspace_id, window=walk.window())
        return walk.paged("tokens", found, _shown(connection, found.items))


@blueprint.post("")
@by_token("token.create")
@blueprint.arguments(token_schemas.ApiTokenInput)
@blueprint.response(201, _NEW)
@rehearsable(blueprint)
def create(sent: dict[str, Any]) -> Any:
    """Make a token; its secret is shown this once. It belongs to whom the asking token belongs, and ends with that."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    workspace_id = token().workspace_id
    terms = permissions.read(sent.get("permissions", ()), workspace_id)
    with saving() as connection:
        made = api.issue(
            connection,
            workspace_id=workspace_id,
            name=sent["name"],
            digest=secret.digest,
            by=actor(),
            lifetime=_length(sent.get("expires_in")),
            limits=context().token_limits,
            owner_id=owner(sent.get("owner_id")),
            address_ranges=sent.get("address_ranges", ()),
            asking=api_token(),
        )
        subject = Subject("token", made.id)
        policies.add(connection, workspace_id=workspace_id, subject=subject, terms=terms, giver=giver(connection))
        return _new(connection, made, secret.text)


def _length(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


@blueprint.get("/limits")
@by_token("token.read")
@blueprint.response(200, _LIMITS)
def limits() -> Any:
    """How long tokens live."""
    with reading() as connection:
        return _limits(connection)


@blueprint.patch("/limits")
@by_token("token.limit")
@blueprint.arguments(token_schemas.TokenLimitsInput)
@blueprint.response(200, _LIMITS)
def limit(sent: dict[str, Any]) -> Any:
    """Say how long tokens live in this workspace at the most; those that were to live longer end so long from now."""
    longest, workspace_id = _length(sent["longest"]), token().workspace_id
    with transaction() as connection:
        workspaces.set_longest_token(connection, workspace_id=workspace_id, longest=longest, by=actor())
        if longest is not None:
            ending.shorten(connection, workspace_id=workspace_id, longest=longest, by=actor())
        return _limits(connection)


def _limits(connection: Connection) -> dict[str, Any]:
    own = workspaces.longest_token(connection, workspace_id=token().workspace_id)
    lengths = {"standard": context().token_limits.standard, "own": own, "longest": context().token_limits.longest}
    seconds = {name: None if length is None else int(length.total_seconds()) for name, length in lengths.items()}
    return {"data": {"limits": seconds}}


@blueprint.get("/<uuid:token_id>")
@by_token("token.read")
@blueprint.response(200, _ONE)
def read(token_id: UUID) -> Any:
    """One token."""
    with reading() as connection:
        return _one(connection, api.by_id(connection, workspace_id=token().workspace_id, token_id=token_id))


@blueprint.patch("/<uuid:token_id>")
@by_token("token.update")
@blueprint.arguments(token_schemas.ApiTokenChange)
@blueprint.response(200, _ONE)
@rehearsable(blueprint)
def change(sent: dict[str, Any], token_id: UUID) -> Any:
    """Change what a token is called, may do, or may be used from; it holds from the next request on."""
    workspace_id = token().workspace_id
    with saving() as connection:
        changed = api.change(
            connection,
            workspace_id=workspace_id,
            token_id=token_id,
            by=actor(),
            name=sent.get("name"),
            address_ranges=sent.get("address_ranges"),
            asking=api_token(),
        )
        if "permissions" in sent:
            terms = permissions.read(sent["permissions"], workspace_id)
            by, subject = giver(connection), Subject("token", token_id)
            policies.replace(connection, workspace_id=workspace_id, subject=subject, terms=terms, giver=by)
        return _one(connection, changed)


@blueprint.delete("/<uuid:token_id>")
@by_token("token.revoke")
@blueprint.response(200, schemas.data("Revoked", status=fields.String(), revoked=fields.Integer()))
@rehearsable(blueprint)
def revoke(token_id: UUID) -> Any:
    """End a token now, and those that it has made; `revoked` says how many that are."""
    with saving() as connection:
        ended = api.revoke(connection, workspace_id=token().workspace_id, token_id=token_id, by=actor())
    return {"data": {**schemas.SUCCESS["data"], "revoked": ended}}


@blueprint.post("/<uuid:token_id>/rotate")
@by_token("token.rotate")
@blueprint.arguments(token_schemas.Rotation)
@blueprint.response(200, _NEW)
@rehearsable(blueprint)
def rotate(sent: dict[str, Any], token_id: UUID) -> Any:
    """Give a token a new secret, shown this once; those in use end after the overlap."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    overlap = _length(sent.get("overlap"))
    with saving() as connection:
        rotated = api.rotate(
            connection,
            workspace_id=token().workspace_id,
            token_id=token_id,
            digest=secret.digest,
            by=actor(),
            overlap=api.OVERLAP if overlap is None else overlap,
            lifetime=_length(sent.get("expires_in")),
            limits=context().token_limits,
            asking=api_token(),
        )
        return _new(connection, rotated, secret.text)


@blueprint.delete("/<uuid:token_id>/overlap")
@by_token("token.rotate")
@blueprint.response(200, _ONE)
@rehearsable(blueprint)
def end_overlap(token_id: UUID) -> Any:
    """End the secrets of a token now that its newest one replaces."""
    with saving() as connection:
        found = api.end_overlap(connection, workspace_id=token().workspace_id, token_id=token_id, by=actor())
        return _one(connection, found)
