"""`/api/groups`: user groups, their members and permissions; a linked one belongs to its identity provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.access import custom_roles, inbox, policies
from provisioning.access.policies import Subject
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.directory import groups, invitations, listing, local_groups
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.web.admin import access_schemas, people_schemas, permissions, schemas, versions
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing, previewable
from provisioning.web.admin.giving import giver
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.repeats import repeatable
from provisioning.web.admin.versions import versioned
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("user_groups", __name__, url_prefix="/api", description="User groups.")
_ONE = schemas.data("Group", userGroup=fields.Nested(people_schemas.Group))
_PERMISSIONS = schemas.data("GroupPermissions", permissions=fields.List(fields.Nested(access_schemas.Permission)))


class _Query(PageQuery):
    unmapped = fields.Boolean(
        load_default=False, metadata={"description": "Only pushed groups with no policy that no mapping means."}
    )


def _shown(connection: Connection, found: Sequence[GroupView]) -> list[dict[str, Any]]:
    """Groups in the vendor's shape, with their permissions and how many are in them."""
    workspace_id = token().workspace_id
    ids = [group.id for group in found]
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=context().catalogue)
    given = policies.of_many(connection, workspace_id=workspace_id, kind="group", ids=ids)
    counts = local_groups.count_members(connection, workspace_id=workspace_id, group_ids=ids)
    return [
        {
            "id": group.id,
            "name": group.display_name,
            "memberCount": counts[group.id],
            "linked": group.linked,
            "permissions": permissions.shown(given[group.id], workspace_id, roles),
        }
        for group in found
    ]


def _one(connection: Connection, group: GroupView) -> Any:
    (shown,) = _shown(connection, [group])
    return versions.with_tag({"data": {"userGroup": shown}}, versions.tag(group.version, shown))


def _require_seen(connection: Connection, group: GroupView) -> None:
    """Look whether a locked group that is about to be changed is what the client has seen."""
    versions.require_match(
        lambda: versions.tag(group.version, _shown(connection, [group])[0]),
        lambda: permissions.tag(_shown(connection, [group])[0]["permissions"]),
    )


def _local(connection: Connection, group_id: UUID) -> GroupView:
    """A local group that is about to be changed, if it is what the client has seen."""
    group = local_groups.lock(connection, workspace_id=token().workspace_id, group_id=group_id)
    _require_seen(connection, group)
    return group


@blueprint.get("/groups")
@by_token("group.read")
@blueprint.arguments(_Query, location="query")
@blueprint.response(
    200,
    schemas.data(
        "Groups", userGroups=fields.List(fields.Nested(people_schemas.Group)), pagination=fields.Nested(Pagination)
    ),
)
def page(query: dict[str, Any]) -> Any:
    """The workspace's groups, linked and local; or those linked ones that give nobody anything yet."""
    walk = resume(query)
    with reading() as connection:
        wanted = Selection(walk.window())
        if query["unmapped"]:
            found = inbox.unmapped(
                connection, workspace_id=token().workspace_id, catalogue=context().catalogue, selection=wanted
            )
        else:
            found = listing.of_groups(connection, workspace_id=token().workspace_id, selection=wanted)
        return walk.paged("userGroups", found, _shown(connection, found.items))


@blueprint.post("/groups")
@by_token("group.create")
@repeatable
@blueprint.arguments(people_schemas.GroupInput)
@blueprint.response(200, _ONE)
@previewable(blueprint)
def create(sent: dict[str, Any]) -> Any:
    """Add a local group."""
    with changing() as connection:
        made = local_groups.create(connection, workspace_id=token().workspace_id, name=sent["name"], by=actor())
        return _one(connection, made)


@blueprint.get("/groups/<uuid:group_id>")
@by_token("group.read")
@blueprint.response(200, _ONE)
def read(group_id: UUID) -> Any:
    """One group."""
    with reading() as connection:
        return _one(connection, groups.by_id(connection, workspace_id=token().workspace_id, group_id=group_id))


@blueprint.patch("/groups/<uuid:group_id>")
@by_token("group.update")
@blueprint.arguments(people_schemas.GroupInput)
@blueprint.response(200, _ONE)
@previewable(blueprint)
@versioned
def rename(sent: dict[str, Any], group_id: UUID) -> Any:
    """Call a local group otherwise."""
    with changing() as connection:
        group = _local(connection, group_id)
        return _one(connection, local_groups.rename(connection, group=group, name=sent["name"], by=actor()))


@blueprint.delete("/groups/<uuid:group_id>")
@by_token("group.delete")
@blueprint.response(200, schemas.DONE)
@previewable(blueprint)
@versioned
def delete(group_id: UUID) -> Any:
    """Take a local group away; its members stay in the workspace."""
    with changing() as connection:
        group = _local(connection, group_id)
        groups.remove(connection, group=group, by=actor())
    return schemas.SUCCESS


@blueprint.post("/groups/<uuid:group_id>/detach")
@by_token("group.update")
@repeatable
@blueprint.response(200, _ONE)
@previewable(blueprint)
@versioned
def detach(group_id: UUID) -> Any:
    """Make a pushed group a local one, with its members and policies; its connection doesn't see it any more."""
    workspace_id = token().workspace_id
    with changing() as connection:
        _require_seen(connection, groups.lock(connection, workspace_id=workspace_id, group_id=group_id))
        return _one(
            connection, local_groups.detach(connection, workspace_id=workspace_id, group_id=group_id, by=actor())
        )


@blueprint.get("/groups/<uuid:group_id>/users")
@by_token("group.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200,
    schemas.data(
        "GroupMembers",
        users=fields.List(fields.Nested(people_schemas.MinimalUser)),
        pagination=fields.Nested(Pagination),
    ),
)
def users(query: dict[str, Any], group_id: UUID) -> Any:
    """The members of a group."""
    walk = resume(query)
    with reading() as connection:
        found = listing.of_group(connection, workspace_id=token().workspace_id, group_id=group_id, window=walk.window())
    return walk.paged("users", found)


@blueprint.get("/groups/<uuid:group_id>/invites")
@by_token("group.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200, schemas.data("GroupInvites", emails=fields.List(fields.String()), pagination=fields.Nested(Pagination))
)
def invites(query: dict[str, Any], group_id: UUID) -> Any:
    """The addresses of those who are going to be in a group when they have accepted."""
    workspace_id, walk = token().workspace_id, resume(query)
    with reading() as connection:
        groups.by_id(connection, workspace_id=workspace_id, group_id=group_id)
        found = invitations.pending_addresses(
            connection, workspace_id=workspace_id, window=walk.window(), group_id=group_id
        )
    return walk.paged("emails", found)


@blueprint.post("/groups/<uuid:group_id>/users")
@by_token("group.update")
@repeatable
@blueprint.arguments(people_schemas.Emails)
@blueprint.response(200, _ONE)
@previewable(blueprint)
@versioned
def add_users(sent: dict[str, Any], group_id: UUID) -> Any:
    """Put members of the workspace into a local group; who is only invited will be in it."""
    return _change(group_id, sent["emails"], local_groups.put_in)


# The vendor's SDKs write `group` in these two; everybody else expects `groups`.
@blueprint.put("/group/<uuid:group_id>/users", endpoint="replace_users_as_sdk")
@blueprint.put("/groups/<uuid:group_id>/users")
@by_token("group.update")
@blueprint.arguments(people_schemas.Emails)
@blueprint.response(200, _ONE)
@previewable(blueprint)
@versioned
def replace_users(sent: dict[str, Any], group_id: UUID) -> Any:
    """Have these members of the workspace, and these who are invited, in a local group, and nobody else."""
    return _change(group_id, sent["emails"], partial(local_groups.put_in, alone=True))


@blueprint.delete("/group/<uuid:group_id>/users", endpoint="remove_users_as_sdk")
@blueprint.delete("/groups/<uuid:group_id>/users")
@by_token("group.update")
@blueprint.arguments(people_schemas.EmailsQuery, location="query")
@blueprint.response(200, schemas.DONE)
@previewable(blueprint)
@versioned
def remove_users(query: dict[str, Any], group_id: UUID) -> Any:
    """Take members out of a local group, and those who are invited."""
    _change(group_id, query["emails"], local_groups.take_out)
    return schemas.SUCCESS


def _change(group_id: UUID, emails: Sequence[str], verb: Callable[..., GroupView]) -> Any:
    workspace_id = token().workspace_id
    with changing() as connection:
        group = _local(connection, group_id)
        people = local_groups.require_people(connection, workspace_id=workspace_id, emails=emails)
        return _one(connection, verb(connection, group=group, people=people, by=actor()))


@blueprint.get("/groups/<uuid:group_id>/permissions")
@by_token("policy.read")
@blueprint.response(200, _PERMISSIONS)
def read_permissions(group_id: UUID) -> Any:
    """What a group's own policies give its members."""
    with reading() as connection:
        found = groups.by_id(connection, workspace_id=token().workspace_id, group_id=group_id)
        given = _shown(connection, [found])[0]["permissions"]
    return versions.with_tag({"data": {"permissions": given}}, permissions.tag(given))


@blueprint.post("/groups/<uuid:group_id>/permissions")
@by_token("policy.create")
@repeatable
@blueprint.arguments(access_schemas.PermissionsInput)
@blueprint.response(200, _PERMISSIONS)
@previewable(blueprint)
@versioned
def add_permissions(sent: dict[str, Any], group_id: UUID) -> Any:
    """Give a group's members more."""
    return {"data": {"permissions": _write(sent, group_id, policies.add)}}


@blueprint.put("/groups/<uuid:group_id>/permissions")
@by_token("policy.create")
@blueprint.arguments(access_schemas.PermissionsInput)
@blueprint.response(200, _PERMISSIONS)
@previewable(blueprint)
@versioned
def replace_permissions(sent: dict[str, Any], group_id: UUID) -> Any:
    """Give a group's members these permissions and no others."""
    given = _write(sent, group_id, policies.replace)
    return versions.with_tag({"data": {"permissions": given}}, permissions.tag(given))


def _write(sent: dict[str, Any], group_id: UUID, verb: Any) -> list[dict[str, Any]]:
    workspace_id = token().workspace_id
    terms = permissions.read(sent["permissions"], workspace_id)
    with changing() as connection:
        by = giver(connection)
        _require_seen(connection, groups.lock(connection, workspace_id=workspace_id, group_id=group_id))
        subject = Subject("group", group_id)
        given = verb(connection, workspace_id=workspace_id, subject=subject, terms=terms, giver=by)
    return permissions.shown(given, workspace_id, by.roles)
