"""`/Users`: a SCIM User is a team member of the workspace that the credential belongs to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import orjson
from orjson import Fragment
from werkzeug.datastructures import ETags

from provisioning.database import Connection
from provisioning.directory import enrolment, listing, looks, mass_changes, members, roster, shown
from provisioning.directory.conditions import as_id
from provisioning.directory.filters import Viewer
from provisioning.directory.looks import Look
from provisioning.directory.paging import Page, Window
from provisioning.directory.profile import Profile
from provisioning.directory.roster import MemberView
from provisioning.directory.shown import GroupName, MemberText
from provisioning.refusals import NotFound
from provisioning.scim import messages
from provisioning.scim.document import keep_immutable
from provisioning.scim.edit import apply
from provisioning.scim.projection import Projection
from provisioning.web.scim import versions
from provisioning.web.scim.asking import Asking
from provisioning.web.scim.endpoint import Endpoint
from provisioning.web.scim.operation import (
    Keys,
    Light,
    Operation,
    Verbs,
    Written,
    given,
    read_changes,
    read_replacement,
    read_sent,
)
from provisioning.web.scim.query import Query

# What is told of more groups than these is made each time: it is rarely the same, and would fill the memory.
_FEW = 50


def resource(member: MemberView, viewer: Viewer) -> dict[str, Any]:
    """A team member as a User, through somebody's eyes."""
    groups = [
        {
            "value": str(group.id),
            "$ref": f"{viewer.base_url}/Groups/{group.id}",
            "display": group.display_name,
            "type": "direct",
        }
        for group in member.groups
    ]
    return messages.resource(
        viewer.kinds.user,
        identifier=str(member.id),
        document=member.as_known_to(viewer.connection_id),
        created=member.created_at,
        last_modified=member.modified_at,
        version=versions.of_user(member),
        base_url=viewer.base_url,
        extra={"groups": groups} if groups else {},
    )


def _wanted(asking: Asking, user_id: str) -> dict[str, Any]:
    """The key of a member, for the verbs; what is no id of ours is not found."""
    member_id = as_id(user_id)
    if member_id is None:
        raise NotFound(f"There is no User {user_id[:64]}.")
    return {"workspace_id": asking.connection.workspace_id, "member_id": member_id}


def _written(asking: Asking, member: MemberView, attributes: Keys) -> Written:
    whole = resource(member, asking.viewer)
    return Written(str(member.id), versions.of_user(member), whole["meta"]["location"], whole, attributes)


def _locked(database: Connection, asking: Asking, wanted: dict[str, Any], condition: ETags) -> MemberView:
    asking.noted.target("User", str(wanted["member_id"]))
    member = roster.lock(database, **wanted)
    versions.require_match(versions.of_user(member), condition)
    return member


def _profile(asking: Asking, member: MemberView, document: dict[str, Any]) -> Profile:
    """What a member becomes by a document, if they may: who is suspended stays so until told otherwise."""
    kind = asking.viewer.kinds.user
    keep_immutable(member.document, document, kind)
    return Profile.of(document, kind, active=member.active)


def _store(database: Connection, asking: Asking, member: MemberView, document: dict[str, Any]) -> MemberView:
    profile, of = _profile(asking, member, document), asking.connection
    asking.noted.changed(member.as_known_to(of.id), document)
    if member.active and not profile.active:
        mass_changes.require_few(database, of=of, kind=mass_changes.SUSPEND, who=[member.id])
    kind = asking.viewer.kinds.user
    return members.store(database, member=member, profile=profile, connection_id=of.id, by=asking.by, kind=kind)


def creation(asking: Asking, body: Any, _shown: Projection | None) -> Operation:
    """RFC 7644, section 3.3. A suspended person whom the same connection creates anew is restored."""
    kind = asking.viewer.kinds.user
    sent = read_sent(asking, body, kind)
    profile = Profile.of({"active": True, **sent.document}, kind)
    attributes = given(sent, kind)
    new: dict[str, Any] = {
        "workspace_id": asking.connection.workspace_id,
        "connection_id": asking.connection.id,
        "profile": profile,
        "by": asking.by,
    }

    def whole(database: Connection) -> Written:
        return _made(asking, enrolment.provision(database, **new, kind=kind), attributes)

    def alone(database: Connection) -> Written | None:
        member = enrolment.enrol(database, **new)
        return None if member is None else _made(asking, member, attributes)

    return Light(whole, alone)


def _made(asking: Asking, member: MemberView, attributes: Keys) -> Written:
    asking.noted.target("User", str(member.id))
    asking.noted.changed({}, member.document)
    return _written(asking, member, attributes)


def replacement(asking: Asking, user_id: str, body: Any, condition: ETags, _shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.1. What is left out is cleared, except `active`, which stays as it is."""
    wanted, kind = _wanted(asking, user_id), asking.viewer.kinds.user
    sent = read_replacement(asking, body, kind)

    def after(member: MemberView) -> dict[str, Any]:
        return {"active": member.active, **sent.document}

    return _changing(asking, wanted, condition, after, given(sent, kind))


def change(asking: Asking, user_id: str, body: Any, condition: ETags, _shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.2: all of the operations, or none."""
    wanted, kind = _wanted(asking, user_id), asking.viewer.kinds.user
    changes = read_changes(asking, body, kind)

    def after(member: MemberView) -> dict[str, Any]:
        return apply(changes, member.as_known_to(asking.connection.id), kind)

    return _changing(asking, wanted, condition, after, changes.attributes)


def _changing(
    asking: Asking,
    wanted: dict[str, Any],
    condition: ETags,
    after: Callable[[MemberView], dict[str, Any]],
    attributes: Keys,
) -> Operation:
    """The change of a member into what they are to be after it, by one statement if that is enough."""

    def whole(database: Connection) -> Written:
        member = _locked(database, asking, wanted, condition)
        return _written(asking, _store(database, asking, member, after(member)), attributes)

    def alone(database: Connection) -> Written | None:
        member = _read(asking, wanted, condition)
        stored = None if member is None else _restyle(database, asking, member, after(member))
        return None if stored is None else _written(asking, stored, attributes)

    return Light(whole, alone)


def _read(asking: Asking, wanted: dict[str, Any], condition: ETags) -> MemberView | None:
    """The member as read along with the credential, where this very one was."""
    row = asking.held
    if row is None or row[0] != wanted["member_id"]:
        return None
    member = roster.view(row)
    versions.require_match(versions.of_user(member), condition)
    return member


def _restyle(database: Connection, asking: Asking, member: MemberView, document: dict[str, Any]) -> MemberView | None:
    stored = members.restyle(
        database,
        member=member,
        profile=_profile(asking, member, document),
        connection_id=asking.connection.id,
        by=asking.by,
        kind=asking.viewer.kinds.user,
    )
    if stored is not None:
        asking.noted.target("User", str(member.id))
        asking.noted.changed(member.as_known_to(asking.connection.id), document)
    return stored


def deletion(asking: Asking, user_id: str, condition: ETags) -> Operation:
    """RFC 7644, section 3.6: the person leaves the workspace."""
    wanted = _wanted(asking, user_id)

    def carry_out(database: Connection) -> None:
        member = _locked(database, asking, wanted, condition)
        mass_changes.require_few(database, of=asking.connection, kind=mass_changes.REMOVE, who=[member.id])
        members.remove(database, member=member, by=asking.by)

    return carry_out


def _look(identifier: str) -> Look | None:
    member_id = as_id(identifier)
    return None if member_id is None else looks.member(member_id)


def _find(asking: Asking, user_id: str, _shown: Projection) -> Written:
    _wanted(asking, user_id)
    return _written(asking, roster.found(asking.held), ())


def _listed(database: Connection, asking: Asking, query: Query) -> tuple[Page[Any], list[Any]]:
    kind, viewer = asking.viewer.kinds.user, asking.viewer
    projection = query.shown(kind)
    if projection.is_whole and query.selection.is_everything:
        return everybody(database, asking, query.selection.window)
    selection = query.of(kind, asking.noted)
    found = listing.of_members(database, workspace_id=asking.connection.workspace_id, selection=selection)
    return found, [projection.apply(resource(member, viewer)) for member in found.items]


def everybody(database: Connection, asking: Asking, window: Window) -> tuple[Page[MemberText], list[Fragment]]:
    """A page of all Users, each as a text: what is stored is sent as it is."""
    connection = asking.connection
    found = shown.members(database, workspace_id=connection.workspace_id, connection_id=connection.id, window=window)
    groups: Mapping[str, Sequence[GroupName]] = {}
    if found.items:
        groups = shown.groups_of(database, workspace_id=connection.workspace_id, members=found.items)
    return found, [as_text(member, tuple(groups.get(member.id, ())), asking.viewer)[0] for member in found.items]


def as_text(member: MemberText, groups: tuple[GroupName, ...], viewer: Viewer) -> tuple[Fragment, str]:
    """The same as `resource`, ready to be sent, and its version."""
    known = f',"externalId":{member.external_id}' if member.external_id else ""
    held, version = known, str(member.version)
    if groups:
        told = _told if len(groups) <= _FEW else _told.__wrapped__
        listed, digest = told(groups, viewer.base_url)
        held, version = f"{known}{listed}", f"{version}.{digest}"
    write = messages.writer(viewer.kinds.user, viewer.base_url)
    modified = member.modified or member.created
    text = write(member.id, member.document, member.created, modified, version, held)
    return Fragment(text), version


@functools.lru_cache(maxsize=256)
def _told(groups: tuple[GroupName, ...], base_url: str) -> tuple[str, str]:
    """The groups of a User, and what they add to the version: many are in the very same ones."""
    texts = [
        f'{{"value":"{group.id}","$ref":"{base_url}/Groups/{group.id}",'
        f'"display":{orjson.dumps(group.display_name).decode()},"type":"direct"}}'
        for group in groups
    ]
    return f',"groups":[{",".join(texts)}]', versions.digest(groups)


ENDPOINT = Endpoint(
    "Users", attrgetter("user"), Verbs(creation, replacement, change, deletion), _look, _look, _find, _listed
)
