"""`/Users`: a SCIM User is a team member of the workspace that the credential belongs to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from orjson import Fragment
from werkzeug.datastructures import ETags

from provisioning.database import Connection
from provisioning.directory import enrolment, listing, looks, mass_changes, members, roster, shown
from provisioning.directory.conditions import as_id
from provisioning.directory.connections import ConnectionView
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
from provisioning.scim.schema import ResourceType
from provisioning.web.guard import actor, connection, looked_up
from provisioning.web.scim import journal, media, versions
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


def _kind() -> ResourceType:
    """The User as the workspace has it."""
    return connection().kinds.user


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


def _wanted(user_id: str) -> dict[str, Any]:
    """The key of a member, for the verbs; what is no id of ours is not found."""
    member_id = as_id(user_id)
    if member_id is None:
        raise NotFound(f"There is no User {user_id[:64]}.")
    return {"workspace_id": connection().workspace_id, "member_id": member_id}


def _written(member: MemberView, attributes: Keys) -> Written:
    whole = resource(member, media.viewer())
    return Written(str(member.id), versions.of_user(member), whole["meta"]["location"], whole, attributes)


def _locked(database: Connection, wanted: dict[str, Any], condition: ETags) -> MemberView:
    journal.target("User", str(wanted["member_id"]))
    member = roster.lock(database, **wanted)
    versions.require_match(versions.of_user(member), condition)
    return member


def _profile(member: MemberView, document: dict[str, Any]) -> Profile:
    """What a member becomes by a document, if they may: who is suspended stays so until told otherwise."""
    keep_immutable(member.document, document, _kind())
    return Profile.of(document, _kind(), active=member.active)


def _store(database: Connection, member: MemberView, document: dict[str, Any]) -> MemberView:
    kind = _kind()
    profile = _profile(member, document)
    journal.changed(member.as_known_to(connection().id), document)
    if member.active and not profile.active:
        mass_changes.require_few(database, of=connection(), kind=mass_changes.SUSPEND, who=[member.id])
    return members.store(database, member=member, profile=profile, connection_id=connection().id, by=actor(), kind=kind)


def creation(body: Any, _shown: Projection | None) -> Operation:
    """RFC 7644, section 3.3. A suspended person whom the same connection creates anew is restored."""
    kind = _kind()
    sent = read_sent(body, kind)
    profile = Profile.of({"active": True, **sent.document}, kind)

    new: dict[str, Any] = {
        "workspace_id": connection().workspace_id,
        "connection_id": connection().id,
        "profile": profile,
        "by": actor(),
    }

    def whole(database: Connection) -> Written:
        return _made(enrolment.provision(database, **new, kind=kind), given(sent, kind))

    def alone(database: Connection) -> Written | None:
        member = enrolment.enrol(database, **new)
        return None if member is None else _made(member, given(sent, kind))

    return Light(whole, alone)


def _made(member: MemberView, attributes: Keys) -> Written:
    journal.target("User", str(member.id))
    journal.changed({}, member.document)
    return _written(member, attributes)


def replacement(user_id: str, body: Any, condition: ETags, _shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.1. What is left out is cleared, except `active`, which stays as it is."""
    wanted, kind = _wanted(user_id), _kind()
    sent = read_replacement(body, kind)

    def after(member: MemberView) -> dict[str, Any]:
        return {"active": member.active, **sent.document}

    return _changing(wanted, condition, after, given(sent, kind))


def change(user_id: str, body: Any, condition: ETags, _shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.2: all of the operations, or none."""
    wanted, kind = _wanted(user_id), _kind()
    changes = read_changes(body, kind)

    def after(member: MemberView) -> dict[str, Any]:
        return apply(changes, member.as_known_to(connection().id), kind)

    return _changing(wanted, condition, after, changes.attributes)


def _changing(
    wanted: dict[str, Any], condition: ETags, after: Callable[[MemberView], dict[str, Any]], attributes: Keys
) -> Operation:
    """The change of a member into what they are to be after it, by one statement if that is enough."""

    def whole(database: Connection) -> Written:
        member = _locked(database, wanted, condition)
        return _written(_store(database, member, after(member)), attributes)

    def alone(database: Connection) -> Written | None:
        member = _read(wanted, condition)
        stored = None if member is None else _restyle(database, member, after(member))
        return None if stored is None else _written(stored, attributes)

    return Light(whole, alone)


def _read(wanted: dict[str, Any], condition: ETags) -> MemberView | None:
    """The member as read along with the credential, where this very one was."""
    row = looked_up()
    if row is None or row[0] != wanted["member_id"]:
        return None
    member = roster.view(row)
    versions.require_match(versions.of_user(member), condition)
    return member


def _restyle(database: Connection, member: MemberView, document: dict[str, Any]) -> MemberView | None:
    stored = members.restyle(
        database,
        member=member,
        profile=_profile(member, document),
        connection_id=connection().id,
        by=actor(),
        kind=_kind(),
    )
    if stored is not None:
        journal.target("User", str(member.id))
        journal.changed(member.as_known_to(connection().id), document)
    return stored


def deletion(user_id: str, condition: ETags) -> Operation:
    """RFC 7644, section 3.6: the person leaves the workspace."""
    wanted = _wanted(user_id)

    def carry_out(database: Connection) -> None:
        member = _locked(database, wanted, condition)
        mass_changes.require_few(database, of=connection(), kind=mass_changes.REMOVE, who=[member.id])
        members.remove(database, member=member, by=actor())

    return carry_out


def _look(identifier: str) -> Look | None:
    member_id = as_id(identifier)
    return None if member_id is None else looks.member(member_id)


def _find(user_id: str, _shown: Projection) -> Written:
    _wanted(user_id)
    return _written(roster.found(looked_up()), ())


def _listed(database: Connection, query: Query) -> tuple[Page[Any], list[Any]]:
    projection, viewer = query.shown(_kind()), query.selection.viewer
    if projection.is_whole and query.selection.is_everything:
        return everybody(database, connection(), query.selection.window, viewer)
    found = listing.of_members(database, workspace_id=connection().workspace_id, selection=query.of(_kind()))
    return found, [projection.apply(resource(member, viewer)) for member in found.items]


def everybody(
    database: Connection, asking: ConnectionView, window: Window, viewer: Viewer
) -> tuple[Page[MemberText], list[Fragment]]:
    """A page of all Users, each as a text: what is stored is sent as it is."""
    found = shown.members(database, workspace_id=asking.workspace_id, connection_id=asking.id, window=window)
    groups: Mapping[str, Sequence[GroupName]] = {}
    if found.items:
        groups = shown.groups_of(database, workspace_id=asking.workspace_id, members=found.items)
    return found, [as_text(member, tuple(groups.get(member.id, ())), viewer)[0] for member in found.items]


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


ENDPOINT = Endpoint("Users", _kind, Verbs(creation, replacement, change, deletion), _look, _look, _find, _listed)
