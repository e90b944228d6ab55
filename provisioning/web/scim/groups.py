"""`/Groups`: a SCIM Group is a user group that this connection pushes; local groups are none of its business."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from provisioning.database import Connection, reading, transaction
from provisioning.dialects import normalise_patch, normalise_resource
from provisioning.directory import groups
from provisioning.directory.filters import as_id
from provisioning.directory.groups import Delta, GroupView, MemberReference
from provisioning.directory.profile import GroupProfile
from provisioning.refusals import Invalid, NotFound
from provisioning.scim import messages
from provisioning.scim.definitions import GROUP
from provisioning.scim.document import read_resource
from provisioning.scim.edit import apply
from provisioning.scim.patch import parse_patch
from provisioning.scim.projection import Projection
from provisioning.web.guard import actor, by_connection, connection
from provisioning.web.scim import media, versions
from provisioning.web.scim.media import Query

blueprint = Blueprint("groups", __name__, url_prefix="/Groups")

# A changed group with more members than this is not sent back: the cost follows the change, not the group's size.
MOST_SENT_BACK = 200


def _resource(group: GroupView, members: Sequence[MemberReference] | None) -> dict[str, Any]:
    shown = [
        {
            "value": str(member.id),
            "$ref": f"{media.base_url()}/Users/{member.id}",
            "display": member.display,
            "type": "User",
        }
        for member in members or ()
    ]
    return messages.resource(
        GROUP,
        identifier=str(group.id),
        document=group.document,
        created=group.created_at,
        last_modified=group.modified_at,
        version=versions.of_group(group),
        base_url=media.base_url(),
        extra={"members": shown} if shown else {},
    )


def _with_members(database: Connection, found: Sequence[GroupView], projection: Projection) -> list[dict[str, Any]]:
    """The groups as resources; without `members` in the projection their table is never touched."""
    inside: dict[UUID, tuple[MemberReference, ...]] = {}
    if found and projection.wants("members"):
        ids = [group.id for group in found]
        inside = groups.members_of(database, workspace_id=connection().workspace_id, groups=ids)
    return [_resource(group, inside.get(group.id)) for group in found]


def _wanted(group_id: str) -> dict[str, Any]:
    wanted = as_id(group_id)
    if wanted is None:
        raise NotFound(f"There is no Group {group_id[:64]}.")
    return {"workspace_id": connection().workspace_id, "group_id": wanted}


def _ids(members: Sequence[str] | None) -> tuple[UUID, ...]:
    """Members as ids; what is no id of ours is nobody's."""
    ids = []
    for written in members or ():
        member = as_id(written)
        if member is None:
            raise Invalid(f"There is no User {written[:64]} in this workspace.", field="members")
        ids.append(member)
    return tuple(ids)


def _own(group: GroupView) -> GroupView:
    """A group that another source keeps is not there for this connection."""
    if group.connection_id != connection().id:
        raise NotFound("There is no such group in this workspace.")
    return group


@blueprint.post("")
@by_connection
def create() -> Response:
    """RFC 7644, section 3.3."""
    projection = media.projection(GROUP)
    sent = read_resource(normalise_resource(media.body(), GROUP).body, GROUP)
    with transaction() as database:
        group = groups.create(
            database,
            workspace_id=connection().workspace_id,
            profile=GroupProfile.of(sent.document),
            members=_ids(sent.members),
            connection_id=connection().id,
            by=actor(),
        )
        (resource,) = _with_members(database, [group], projection)
    return media.respond_resource(resource, projection, 201)


@blueprint.get("")
@by_connection
def page() -> Response:
    """RFC 7644, section 3.4.2."""
    return _found(Query.of_address(GROUP))


@blueprint.post("/.search")
@by_connection
def search() -> Response:
    """RFC 7644, section 3.4.3: the same query, kept out of the address."""
    return _found(Query.of_body(GROUP))


def _found(query: Query) -> Response:
    with reading() as database:
        found = groups.page(
            database,
            workspace_id=connection().workspace_id,
            condition=query.condition,
            order=query.order,
            start_index=query.start_index,
            count=query.count,
            linked_to=connection().id,
        )
        resources = _with_members(database, found.items, query.shown)
    shown = [query.shown.apply(resource) for resource in resources]
    return media.respond(messages.list_response(shown, total=found.total, start_index=query.start_index))


@blueprint.get("/<group_id>")
@by_connection
def read(group_id: str) -> Response:
    """RFC 7644, section 3.4.1."""
    projection = media.projection(GROUP)
    with reading() as database:
        group = _own(groups.by_id(database, **_wanted(group_id)))
        version = versions.of_group(group)
        if versions.is_known(version):
            return media.not_modified(version)
        (resource,) = _with_members(database, [group], projection)
    return media.respond_resource(resource, projection)


@blueprint.put("/<group_id>")
@by_connection
def replace(group_id: str) -> Response:
    """RFC 7644, section 3.5.1. A body without the key `members` leaves the membership alone."""
    sent = read_resource(normalise_resource(media.body(), GROUP).body, GROUP)
    delta = Delta() if sent.members is None else Delta(added=_ids(sent.members), cleared=True)
    with transaction() as database:
        group = _own(groups.lock(database, **_wanted(group_id)))
        versions.require_match(versions.of_group(group))
        profile = GroupProfile.of(sent.document)
        stored = groups.store(database, group=group, profile=profile, delta=delta, by=actor())
    return _changed(stored)


@blueprint.patch("/<group_id>")
@by_connection
def change(group_id: str) -> Response:
    """RFC 7644, section 3.5.2: all of the operations, or none; only the members concerned are touched."""
    changes = parse_patch(normalise_patch(media.body(), GROUP).body, GROUP)
    delta = Delta()
    if changes.members is not None:
        removed = tuple(member for written in changes.members.removed if (member := as_id(written)))
        delta = Delta(added=_ids(changes.members.added), removed=removed, cleared=changes.members.cleared)
    with transaction() as database:
        group = _own(groups.lock(database, **_wanted(group_id)))
        versions.require_match(versions.of_group(group))
        profile = GroupProfile.of(apply(changes, group.document, GROUP))
        stored = groups.store(database, group=group, profile=profile, delta=delta, by=actor())
    return _changed(stored)


def _changed(group: GroupView) -> Response:
    """The group as it is now, or 204 where it is large and nobody asked to see it."""
    projection = media.projection(GROUP)
    asked = "attributes" in request.args or "excludedAttributes" in request.args
    with reading() as database:
        if asked or not projection.wants("members"):
            (resource,) = _with_members(database, [group], projection)
            return media.respond_resource(resource, projection)
        found = groups.members_of(
            database, workspace_id=group.workspace_id, groups=[group.id], most=MOST_SENT_BACK + 1
        )[group.id]
    return (
        media.nothing() if len(found) > MOST_SENT_BACK else media.respond_resource(_resource(group, found), projection)
    )


@blueprint.delete("/<group_id>")
@by_connection
def delete(group_id: str) -> Response:
    """RFC 7644, section 3.6: the group goes, its members stay in the workspace."""
    with transaction() as database:
        group = _own(groups.lock(database, **_wanted(group_id)))
        versions.require_match(versions.of_group(group))
        groups.remove(database, group=group, by=actor())
    return media.nothing()
