"""`/Users`: a SCIM User is a team member of the workspace that the credential belongs to."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from provisioning.database import reading, transaction
from provisioning.dialects import normalise_patch, normalise_resource
from provisioning.directory import members
from provisioning.directory.filters import as_id
from provisioning.directory.members import MemberView
from provisioning.directory.profile import Profile
from provisioning.refusals import NotFound
from provisioning.scim import messages
from provisioning.scim.definitions import USER
from provisioning.scim.document import read_resource
from provisioning.scim.edit import apply
from provisioning.scim.patch import parse_patch
from provisioning.scim.projection import Projection
from provisioning.web.guard import actor, by_connection, connection
from provisioning.web.scim import media, versions
from provisioning.web.scim.media import Query

blueprint = Blueprint("users", __name__, url_prefix="/Users")


def _resource(member: MemberView) -> dict[str, Any]:
    groups = [
        {
            "value": str(group.id),
            "$ref": f"{media.base_url()}/Groups/{group.id}",
            "display": group.display_name,
            "type": "direct",
        }
        for group in member.groups
    ]
    return messages.resource(
        USER,
        identifier=str(member.id),
        document=member.document,
        created=member.created_at,
        last_modified=member.modified_at,
        version=versions.of_user(member),
        base_url=media.base_url(),
        extra={"groups": groups} if groups else {},
    )


def _shown(member: MemberView, projection: Projection, status: int = 200) -> Response:
    return media.respond_resource(_resource(member), projection, status)


def _wanted(user_id: str) -> dict[str, Any]:
    """The key of a member, for the verbs; what is no id of ours is not found."""
    member_id = as_id(user_id)
    if member_id is None:
        raise NotFound(f"There is no User {user_id[:64]}.")
    return {"workspace_id": connection().workspace_id, "member_id": member_id}


@blueprint.post("")
@by_connection
def create() -> Response:
    """RFC 7644, section 3.3. A suspended person whom the same connection creates anew is restored."""
    projection = media.projection(USER)
    document = read_resource(normalise_resource(media.body(), USER).body, USER).document
    profile = Profile.of({"active": True, **document})
    with transaction() as database:
        member = members.provision(
            database,
            workspace_id=connection().workspace_id,
            connection_id=connection().id,
            profile=profile,
            by=actor(),
        )
    return _shown(member, projection, 201)


@blueprint.get("")
@by_connection
def page() -> Response:
    """RFC 7644, section 3.4.2."""
    return _found(Query.of_address(USER))


@blueprint.post("/.search")
@by_connection
def search() -> Response:
    """RFC 7644, section 3.4.3: the same query, kept out of the address."""
    return _found(Query.of_body(USER))


def _found(query: Query) -> Response:
    with reading() as database:
        found = members.page(
            database,
            workspace_id=connection().workspace_id,
            condition=query.condition,
            order=query.order,
            start_index=query.start_index,
            count=query.count,
        )
    shown = [query.shown.apply(_resource(member)) for member in found.items]
    return media.respond(messages.list_response(shown, total=found.total, start_index=query.start_index))


@blueprint.get("/<user_id>")
@by_connection
def read(user_id: str) -> Response:
    """RFC 7644, section 3.4.1."""
    projection = media.projection(USER)
    with reading() as database:
        member = members.by_id(database, **_wanted(user_id))
    version = versions.of_user(member)
    return media.not_modified(version) if versions.is_known(version) else _shown(member, projection)


@blueprint.put("/<user_id>")
@by_connection
def replace(user_id: str) -> Response:
    """RFC 7644, section 3.5.1. What is left out is cleared, except `active`, which stays as it is."""
    projection = media.projection(USER)
    document = read_resource(normalise_resource(media.body(), USER).body, USER).document
    with transaction() as database:
        member = members.lock(database, **_wanted(user_id))
        versions.require_match(versions.of_user(member))
        profile = Profile.of({"active": member.active, **document})
        stored = members.store(database, member=member, profile=profile, connection_id=connection().id, by=actor())
    return _shown(stored, projection)


@blueprint.patch("/<user_id>")
@by_connection
def change(user_id: str) -> Response:
    """RFC 7644, section 3.5.2: all of the operations, or none."""
    projection = media.projection(USER)
    changes = parse_patch(normalise_patch(media.body(), USER).body, USER)
    with transaction() as database:
        member = members.lock(database, **_wanted(user_id))
        versions.require_match(versions.of_user(member))
        profile = Profile.of({"active": member.active, **apply(changes, member.document, USER)})
        stored = members.store(database, member=member, profile=profile, connection_id=connection().id, by=actor())
    return _shown(stored, projection)


@blueprint.delete("/<user_id>")
@by_connection
def delete(user_id: str) -> Response:
    """RFC 7644, section 3.6: the person leaves the workspace."""
    with transaction() as database:
        member = members.lock(database, **_wanted(user_id))
        versions.require_match(versions.of_user(member))
        members.remove(database, member=member, by=actor())
    return media.nothing()
