"""`/api/users`: team members, their permissions, and what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.access import custom_roles, facts, ownership, policies, rules
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import listing, members, owners, roster
from provisioning.directory.conditions import as_id
from provisioning.directory.listing import Selection
from provisioning.directory.roster import MemberView
from provisioning.refusals import NotFound
from provisioning.sessions import lifecycle
from provisioning.web.admin import access_schemas, people_schemas, permissions, schemas, versions
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing, previewable
from provisioning.web.admin.giving import giver
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.recorded import recorded
from provisioning.web.admin.repeats import repeatable
from provisioning.web.admin.versions import versioned
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("users", __name__, url_prefix="/api/users", description="Team members.")
_ONE = schemas.data("User", user=fields.Nested(people_schemas.User))
_PERMISSIONS = schemas.data("UserPermissions", permissions=fields.List(fields.Nested(access_schemas.Permission)))


def _shown(connection: Connection, found: Sequence[MemberView]) -> list[dict[str, Any]]:
    """Members in the vendor's shape, with their own permissions."""
    workspace_id = token().workspace_id
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=context().catalogue)
    ids = [member.id for member in found]
    given = policies.of_many(connection, workspace_id=workspace_id, kind="member", ids=ids)
    return [
        {
            "id": member.id,
            "name": member.display_name or member.user_name,
            "email": member.email,
            "active": member.active,
            "owner": member.owner,
            "protected": member.protected,
            "origin": member.origin,
            "permissions": [
                *([permissions.ownership(workspace_id, roles)] if member.owner else []),
                *permissions.shown(given[member.id], workspace_id, roles),
            ],
        }
        for member in found
    ]


@blueprint.get("")
@by_token("member.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200,
    schemas.data("Users", users=fields.List(fields.Nested(people_schemas.User)), pagination=fields.Nested(Pagination)),
)
def page(query: dict[str, Any]) -> Any:
    """The workspace's members."""
    walk = resume(query)
    with reading() as connection:
        wanted = Selection(walk.window())
        found = listing.of_members(connection, workspace_id=token().workspace_id, selection=wanted)
        return walk.paged("users", found, _shown(connection, found.items))


@blueprint.delete("")
@by_token("member.remove")
@blueprint.arguments(people_schemas.UserIds, location="query")
@blueprint.response(200, schemas.DONE)
@previewable(blueprint)
def delete(query: dict[str, Any]) -> Any:
    """Take members out of the workspace, all of them or none: their sessions, places in groups and policies end."""
    ids = sorted({_id(written) for written in query["userIds"]})
    with changing() as connection:
        for member_id in ids:
            member = roster.lock(connection, workspace_id=token().workspace_id, member_id=member_id)
            members.remove(connection, member=member, by=actor())
    return schemas.SUCCESS


def _id(written: str) -> UUID:
    found = as_id(written)
    if found is None:
        raise NotFound("There is no such member in this workspace.")
    return found


@blueprint.get("/<uuid:user_id>")
@by_token("member.read")
@blueprint.response(200, _ONE)
def read(user_id: UUID) -> Any:
    """One member."""
    with reading() as connection:
        found = roster.by_id(connection, workspace_id=token().workspace_id, member_id=user_id)
        return _one(connection, found)


def _one(connection: Connection, member: MemberView) -> Any:
    (shown,) = _shown(connection, [member])
    return versions.with_tag({"data": {"user": shown}}, versions.tag(shown))


def _require_seen(connection: Connection, user_id: UUID) -> None:
    """Hold a member of whom something is about to be changed, where the client says which version it has seen."""

    def shown() -> dict[str, Any]:
        member = roster.lock(connection, workspace_id=token().workspace_id, member_id=user_id)
        return _shown(connection, [member])[0]

    versions.require_match(lambda: versions.tag(shown()), lambda: permissions.tag(shown()["permissions"]))


@blueprint.patch("/<uuid:user_id>")
@by_token("member.protect")
@blueprint.arguments(people_schemas.UserChange)
@blueprint.response(200, _ONE)
@versioned
def change(sent: dict[str, bool], user_id: UUID) -> Any:
    """Put a member out of the identity providers' reach, or within it again."""
    with transaction() as connection:
        _require_seen(connection, user_id)
        member = roster.lock(connection, workspace_id=token().workspace_id, member_id=user_id)
        return _one(connection, owners.protect(connection, member=member, protected=sent["protected"], by=actor()))


@blueprint.get("/<uuid:user_id>/groups")
@by_token("member.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200,
    schemas.data(
        "UserGroups",
        groups=fields.List(fields.Nested(people_schemas.MinimalGroup)),
        pagination=fields.Nested(Pagination),
    ),
)
def groups(query: dict[str, Any], user_id: UUID) -> Any:
    """The groups that a member is in."""
    with reading() as connection:
        found = roster.by_id(connection, workspace_id=token().workspace_id, member_id=user_id)
    return resume(query).cut("groups", found.groups)


@blueprint.delete("/<uuid:user_id>/sessions")
@by_token("session.revoke")
@blueprint.response(200, schemas.data("Ended", ended=fields.Integer()))
def revoke_sessions(user_id: UUID) -> Any:
    """End all sessions of a member that open this workspace; those that open another one alone stay."""
    workspace_id = token().workspace_id
    with transaction() as connection:
        member = roster.by_id(connection, workspace_id=workspace_id, member_id=user_id)
        ended = lifecycle.revoke_of_member(connection, workspace_id=workspace_id, user_id=member.user_id, by=actor())
    return {"data": {"ended": ended}}


@blueprint.get("/<uuid:user_id>/access")
@by_token("access.read")
@recorded("access")
@blueprint.response(200, schemas.data("Access", access=fields.List(fields.Nested(access_schemas.Access))))
def access(user_id: UUID) -> Any:
    """What a member may do, and by which paths."""
    with reading() as connection:
        case = facts.of_member(
            connection, workspace_id=token().workspace_id, member_id=user_id, catalogue=context().catalogue
        )
    return {"data": {"access": rules.effective(case.facts)}}


@blueprint.get("/<uuid:user_id>/permissions")
@by_token("policy.read")
@blueprint.response(200, _PERMISSIONS)
def read_permissions(user_id: UUID) -> Any:
    """A member's own permissions: not those that groups and mappings give."""
    with reading() as connection:
        found = roster.by_id(connection, workspace_id=token().workspace_id, member_id=user_id)
        given = _shown(connection, [found])[0]["permissions"]
    return versions.with_tag({"data": {"permissions": given}}, permissions.tag(given))


@blueprint.post("/<uuid:user_id>/permissions")
@by_token("policy.create")
@repeatable
@blueprint.arguments(access_schemas.PermissionsInput)
@blueprint.response(200, _PERMISSIONS)
@previewable(blueprint)
@versioned
def add_permissions(sent: dict[str, Any], user_id: UUID) -> Any:
    """Give a member more."""
    return {"data": {"permissions": _write(ownership.give, sent, user_id)}}


@blueprint.put("/<uuid:user_id>/permissions")
@by_token("policy.create")
@blueprint.arguments(access_schemas.PermissionsInput)
@blueprint.response(200, _PERMISSIONS)
@previewable(blueprint)
@versioned
def replace_permissions(sent: dict[str, Any], user_id: UUID) -> Any:
    """Give a member these permissions and no others; an owner who is to stay one has that role among them."""
    given = _write(ownership.replace, sent, user_id)
    return versions.with_tag({"data": {"permissions": given}}, permissions.tag(given))


def _write(verb: Any, sent: dict[str, Any], user_id: UUID) -> list[dict[str, Any]]:
    workspace_id = token().workspace_id
    terms = permissions.read(sent["permissions"], workspace_id)
    with changing() as connection:
        by = giver(connection)
        _require_seen(connection, user_id)
        member, given = verb(connection, workspace_id=workspace_id, member_id=user_id, terms=terms, giver=by)
    owner = [permissions.ownership(workspace_id, by.roles)] if member.owner else []
    return owner + permissions.shown(given, workspace_id, by.roles)
