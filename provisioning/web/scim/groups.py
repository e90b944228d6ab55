"""`/Groups`: a SCIM Group is a user group that this connection pushes; local groups are none of its business."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.datastructures import ETags

from provisioning.database import Connection
from provisioning.directory import groups, listing, looks, mass_changes
from provisioning.directory.conditions import as_id
from provisioning.directory.exchange import exchange
from provisioning.directory.filters import Viewer
from provisioning.directory.groups import GroupView
from provisioning.directory.looks import Look
from provisioning.directory.memberships import Delta
from provisioning.directory.paging import Page
from provisioning.directory.profile import GroupProfile
from provisioning.refusals import NotFound
from provisioning.scim import messages
from provisioning.scim.definitions import GROUP
from provisioning.scim.document import keep_immutable
from provisioning.scim.edit import apply
from provisioning.scim.errors import ScimError
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.web.guard import actor, connection, looked_up
from provisioning.web.scim import journal, media, versions
from provisioning.web.scim.endpoint import Endpoint, no_look
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

# A changed group with more members than this is not sent back: the cost follows the change, not the group's size.
MOST_SENT_BACK = 200


def _kind() -> ResourceType:
    """The Group as the workspace has it."""
    return connection().kinds.group


def resource(group: GroupView, viewer: Viewer) -> dict[str, Any]:
    """A user group as a Group, with those of its members that were read, through somebody's eyes."""
    users_url = f"{viewer.base_url}/Users"
    members = [
        {"value": member, "$ref": f"{users_url}/{member}", "type": "User"} for member in map(str, group.members or ())
    ]
    return messages.resource(
        viewer.kinds.group,
        identifier=str(group.id),
        document=group.document,
        created=group.created_at,
        last_modified=group.modified_at,
        version=versions.of_group(group),
        base_url=viewer.base_url,
        extra={"members": members} if members else {},
    )


def _wanted(group_id: str) -> dict[str, Any]:
    wanted = as_id(group_id)
    if wanted is None:
        raise NotFound(f"There is no Group {group_id[:64]}.")
    return {"workspace_id": connection().workspace_id, "group_id": wanted}


def _own(group: GroupView) -> GroupView:
    """A group that another source keeps is not there for this connection."""
    if group.connection_id != connection().id:
        raise NotFound("There is no such group in this workspace.")
    return group


def _locked(database: Connection, wanted: dict[str, Any], condition: ETags) -> GroupView:
    journal.target("Group", str(wanted["group_id"]))
    group = _own(groups.lock(database, **wanted))
    versions.require_match(versions.of_group(group), condition)
    return group


def _written(group: GroupView, attributes: Keys, shown: Projection | None) -> Written:
    whole = resource(group, media.viewer())
    is_shown = shown is not None and (group.members is not None or not shown.wants("members"))
    location = whole["meta"]["location"]
    return Written(str(group.id), versions.of_group(group), location, whole if is_shown else None, attributes)


def creation(body: Any, shown: Projection | None) -> Operation:
    """RFC 7644, section 3.3."""
    kind = _kind()
    sent = read_sent(body, kind)
    profile, members = GroupProfile.of(sent.document, kind), sent.members or ()

    def carry_out(database: Connection) -> Written:
        group = groups.create(
            database,
            workspace_id=connection().workspace_id,
            profile=profile,
            members=members,
            connection_id=connection().id,
            by=actor(),
            awaits=connection().awaits_members,
        )
        journal.target("Group", str(group.id))
        journal.changed({}, group.document)
        journal.members(added=members, removed=(), cleared=False)
        return _written(group, given(sent, kind), shown)

    return carry_out


def replacement(group_id: str, body: Any, condition: ETags, shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.1. A body that says nothing of the members leaves the membership alone."""
    wanted, kind = _wanted(group_id), _kind()
    sent = read_replacement(body, kind)
    delta = Delta() if sent.members is None else Delta(added=sent.members, cleared=True)

    def carry_out(database: Connection) -> Written:
        group = _locked(database, wanted, condition)
        return _stored(database, group, sent.document, delta, given(sent, kind), shown)

    return carry_out


def change(group_id: str, body: Any, condition: ETags, shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.2: all of the operations, or none; only the members concerned are touched."""
    wanted, kind = _wanted(group_id), _kind()
    changes = read_changes(body, kind)
    delta = Delta()
    if changes.members is not None:
        delta = Delta(changes.members.added, changes.members.removed, changes.members.cleared)

    def whole(database: Connection) -> Written:
        group = _locked(database, wanted, condition)
        after = apply(changes, group.document, kind)
        return _stored(database, group, after, delta, changes.attributes, shown)

    def alone(database: Connection) -> Written | None:
        return _exchanged(database, wanted, delta, shown)

    return whole if changes.on_document or condition or _takes_more(delta, shown) else Light(whole, alone)


def _takes_more(delta: Delta, shown: Projection | None) -> bool:
    """Whether a change of membership needs the group held, for what is to be looked at first, or told afterwards."""
    return delta.cleared or (connection().holds_mass_changes and bool(delta.removed)) or _wants_all_members(shown)


def _exchanged(database: Connection, wanted: dict[str, Any], delta: Delta, shown: Projection | None) -> Written | None:
    group = exchange(
        database,
        **wanted,
        connection_id=connection().id,
        delta=delta,
        by=actor(),
        most=MOST_SENT_BACK if _wants_members(shown) else 0,
    )
    if group is None:
        return None
    journal.target("Group", str(group.id))
    journal.members(added=delta.added, removed=delta.removed, cleared=False)
    return _written(group, (), shown)


def _wants_members(shown: Projection | None) -> bool:
    return shown is not None and shown.wants("members")


def _wants_all_members(shown: Projection | None) -> bool:
    """Whether members were asked for by name: then all of them are sent back."""
    return _wants_members(shown) and bool({"attributes", "excludedAttributes"} & request.args.keys())


def _stored(
    database: Connection,
    group: GroupView,
    document: dict[str, Any],
    delta: Delta,
    attributes: Keys,
    shown: Projection | None,
) -> Written:
    """The group as it is now; without its members where it has many and nobody asked to see them."""
    kind = _kind()
    keep_immutable(group.document, document, kind)
    journal.changed(group.document, document)
    journal.members(added=delta.added, removed=delta.removed, cleared=delta.cleared)
    profile = GroupProfile.of(document, kind)
    if connection().holds_mass_changes and (delta.cleared or delta.removed):
        key = {"workspace_id": group.workspace_id, "group_id": group.id}
        who = mass_changes.leaving(database, delta=delta, **key)
        mass_changes.require_few(database, of=connection(), kind=mass_changes.TAKE_OUT, who=who, group_id=group.id)
    wants_members, wants_all = _wants_members(shown), _wants_all_members(shown)
    most = MOST_SENT_BACK + 1 if wants_members and not wants_all else 0
    stored = groups.store(
        database,
        group=group,
        profile=profile,
        delta=delta,
        by=actor(),
        most=most,
        awaits=connection().awaits_members,
    )
    if wants_members and stored.members is None:
        read = {"workspace_id": group.workspace_id, "group_id": group.id}
        stored = groups.by_id(database, **read, most=None if wants_all else most)
    if not wants_all and len(stored.members or ()) > MOST_SENT_BACK:
        stored = stored._replace(members=None)
    return _written(stored, attributes, shown)


def deletion(group_id: str, condition: ETags) -> Operation:
    """RFC 7644, section 3.6: the group goes, its members stay in the workspace."""
    wanted = _wanted(group_id)

    def carry_out(database: Connection) -> None:
        groups.remove(database, group=_locked(database, wanted, condition), by=actor())

    return carry_out


def _look(identifier: str) -> Look | None:
    wanted, asked = as_id(identifier), request.args
    if wanted is None:
        return None
    with_members = _shows_members(asked.get("attributes"), asked.get("excludedAttributes"))
    return looks.group(wanted, with_members=with_members)


def _shows_members(attributes: str | None, excluded: str | None) -> bool:
    """Whether members are to be shown, which no extension of a workspace's has a say in."""
    try:
        return Projection.parse(attributes, excluded, GROUP).wants("members")
    except ScimError:
        return False


def _find(group_id: str, shown: Projection) -> Written:
    _wanted(group_id)
    return _written(groups.found(looked_up()), (), shown)


def _listed(database: Connection, query: Query) -> tuple[Page[GroupView], list[dict[str, Any]]]:
    shown, viewer = query.shown(_kind()), query.selection.viewer
    found = listing.of_groups(
        database,
        workspace_id=connection().workspace_id,
        selection=query.of(_kind()),
        linked_to=connection().id,
        with_members=shown.wants("members"),
    )
    return found, [shown.apply(resource(group, viewer)) for group in found.items]


ENDPOINT = Endpoint("Groups", _kind, Verbs(creation, replacement, change, deletion), _look, no_look, _find, _listed)
