"""`/Groups`: a SCIM Group is a user group that this connection pushes; local groups are none of its business."""

from __future__ import annotations

from operator import attrgetter
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
from provisioning.web.scim import versions
from provisioning.web.scim.asking import Asking
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


def _wanted(asking: Asking, group_id: str) -> dict[str, Any]:
    wanted = as_id(group_id)
    if wanted is None:
        raise NotFound(f"There is no Group {group_id[:64]}.")
    return {"workspace_id": asking.connection.workspace_id, "group_id": wanted}


def _own(asking: Asking, group: GroupView) -> GroupView:
    """A group that another source keeps is not there for this connection."""
    if group.connection_id != asking.connection.id:
        raise NotFound("There is no such group in this workspace.")
    return group


def _locked(database: Connection, asking: Asking, wanted: dict[str, Any], condition: ETags) -> GroupView:
    asking.noted.target("Group", str(wanted["group_id"]))
    group = _own(asking, groups.lock(database, **wanted))
    versions.require_match(versions.of_group(group), condition)
    return group


def _written(asking: Asking, group: GroupView, attributes: Keys, shown: Projection | None) -> Written:
    whole = resource(group, asking.viewer)
    is_shown = shown is not None and (group.members is not None or not shown.wants("members"))
    location = whole["meta"]["location"]
    return Written(str(group.id), versions.of_group(group), location, whole if is_shown else None, attributes)


def creation(asking: Asking, body: Any, shown: Projection | None) -> Operation:
    """RFC 7644, section 3.3."""
    kind = asking.viewer.kinds.group
    sent = read_sent(asking, body, kind)
    profile, members = GroupProfile.of(sent.document, kind), sent.members or ()

    def carry_out(database: Connection) -> Written:
        group = groups.create(
            database,
            workspace_id=asking.connection.workspace_id,
            profile=profile,
            members=members,
            connection_id=asking.connection.id,
            by=asking.by,
            awaits=asking.connection.awaits_members,
        )
        asking.noted.target("Group", str(group.id))
        asking.noted.changed({}, group.document)
        asking.noted.members(added=members, removed=(), cleared=False)
        return _written(asking, group, given(sent, kind), shown)

    return carry_out


def replacement(asking: Asking, group_id: str, body: Any, condition: ETags, shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.1. A body that says nothing of the members leaves the membership alone."""
    wanted, kind = _wanted(asking, group_id), asking.viewer.kinds.group
    sent = read_replacement(asking, body, kind)
    delta = Delta() if sent.members is None else Delta(added=sent.members, cleared=True)

    def carry_out(database: Connection) -> Written:
        group = _locked(database, asking, wanted, condition)
        return _stored(database, asking, group, sent.document, delta, given(sent, kind), shown)

    return carry_out


def change(asking: Asking, group_id: str, body: Any, condition: ETags, shown: Projection | None) -> Operation:
    """RFC 7644, section 3.5.2: all of the operations, or none; only the members concerned are touched."""
    wanted, kind = _wanted(asking, group_id), asking.viewer.kinds.group
    changes = read_changes(asking, body, kind)
    delta = Delta()
    if changes.members is not None:
        delta = Delta(changes.members.added, changes.members.removed, changes.members.cleared)

    def stored(database: Connection, group: GroupView) -> Written:
        after = apply(changes, group.document, kind)
        return _stored(database, asking, group, after, delta, changes.attributes, shown)

    if changes.on_document or condition or _takes_more(asking, delta, shown):
        return lambda database: stored(database, _locked(database, asking, wanted, condition))

    def alone(database: Connection) -> Written | None:
        return _exchanged(database, asking, wanted, delta, shown)

    def whole(database: Connection) -> Written:
        group = _locked(database, asking, wanted, condition)
        # Who was to leave, and came into the group while the statement waited for it, is seen by the same one now.
        return (alone(database) if delta.removed else None) or stored(database, group)

    return Light(whole, alone)


def _takes_more(asking: Asking, delta: Delta, shown: Projection | None) -> bool:
    """Whether a change of membership needs the group held, for what is to be looked at first, or told afterwards."""
    return delta.cleared or (asking.connection.holds_mass_changes and bool(delta.removed)) or _wants_all_members(shown)


def _exchanged(
    database: Connection, asking: Asking, wanted: dict[str, Any], delta: Delta, shown: Projection | None
) -> Written | None:
    group = exchange(
        database,
        **wanted,
        connection_id=asking.connection.id,
        delta=delta,
        by=asking.by,
        most=MOST_SENT_BACK if _wants_members(shown) else 0,
    )
    if group is None:
        return None
    asking.noted.target("Group", str(group.id))
    asking.noted.members(added=delta.added, removed=delta.removed, cleared=False)
    return _written(asking, group, (), shown)


def _wants_members(shown: Projection | None) -> bool:
    return shown is not None and shown.wants("members")


def _wants_all_members(shown: Projection | None) -> bool:
    """Whether members were asked for by name: then all of them are sent back."""
    return shown is not None and shown.is_chosen and _wants_members(shown)


def _stored(
    database: Connection,
    asking: Asking,
    group: GroupView,
    document: dict[str, Any],
    delta: Delta,
    attributes: Keys,
    shown: Projection | None,
) -> Written:
    """The group as it is now; without its members where it has many and nobody asked to see them."""
    kind, of = asking.viewer.kinds.group, asking.connection
    keep_immutable(group.document, document, kind)
    asking.noted.changed(group.document, document)
    asking.noted.members(added=delta.added, removed=delta.removed, cleared=delta.cleared)
    profile = GroupProfile.of(document, kind)
    if of.holds_mass_changes and (delta.cleared or delta.removed):
        key = {"workspace_id": group.workspace_id, "group_id": group.id}
        who = mass_changes.leaving(database, delta=delta, **key)
        mass_changes.require_few(database, of=of, kind=mass_changes.TAKE_OUT, who=who, group_id=group.id)
    wants_members, wants_all = _wants_members(shown), _wants_all_members(shown)
    most = MOST_SENT_BACK + 1 if wants_members and not wants_all else 0
    stored = groups.store(
        database,
        group=group,
        profile=profile,
        delta=delta,
        by=asking.by,
        most=most,
        awaits=of.awaits_members,
    )
    if wants_members and stored.members is None:
        read = {"workspace_id": group.workspace_id, "group_id": group.id}
        stored = groups.by_id(database, **read, most=None if wants_all else most)
    if not wants_all and len(stored.members or ()) > MOST_SENT_BACK:
        stored = stored._replace(members=None)
    return _written(asking, stored, attributes, shown)


def deletion(asking: Asking, group_id: str, condition: ETags) -> Operation:
    """RFC 7644, section 3.6: the group goes, its members stay in the workspace."""
    wanted = _wanted(asking, group_id)

    def carry_out(database: Connection) -> None:
        groups.remove(database, group=_locked(database, asking, wanted, condition), by=asking.by)

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


def _find(asking: Asking, group_id: str, shown: Projection) -> Written:
    _wanted(asking, group_id)
    return _written(asking, groups.found(asking.held), (), shown)


def _listed(database: Connection, asking: Asking, query: Query) -> tuple[Page[GroupView], list[dict[str, Any]]]:
    kind, viewer = asking.viewer.kinds.group, asking.viewer
    shown = query.shown(kind)
    found = listing.of_groups(
        database,
        workspace_id=asking.connection.workspace_id,
        selection=query.of(kind, asking.noted),
        linked_to=asking.connection.id,
        with_members=shown.wants("members"),
    )
    return found, [shown.apply(resource(group, viewer)) for group in found.items]


_VERBS = Verbs(creation, replacement, change, deletion)
ENDPOINT = Endpoint("Groups", attrgetter("group"), _VERBS, _look, no_look, _find, _listed)
