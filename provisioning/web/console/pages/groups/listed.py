"""Groups, linked and local ones: the list, and what being in one gives to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, render_template

from provisioning.access import by_group, inbox
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.directory import connections, groups, listing, local_groups
from provisioning.directory.filters import Order
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Page as Some
from provisioning.directory.paging import Sorting, Window
from provisioning.scim.filter import Comparison
from provisioning.scim.path import AttributePath
from provisioning.web.console import lists
from provisioning.web.console.guard import by_member, here, insider
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.pages.groups.page import blueprint

_NAME = AttributePath(None, "displayName", None)
_SORTS = ("name", "added")
_UNMAPPED = "unmapped"
_KINDS = {"linked": listing.LINKED, "local": listing.LOCAL}
_OFFER = Offer(_SORTS, {"kind": (*_KINDS, _UNMAPPED)})
_COLUMNS = ("id", "name", "kind", "connection", "members", "added")


def _some(database: Connection, asked: Listing, window: Window) -> Some[GroupView]:
    condition = Comparison(_NAME, "sw", asked.words) if asked.words else None
    order: Order | Sorting | None = listing.NEWEST_GROUPS if asked.descending else None
    if asked.sort == "name":
        order = Order(_NAME, asked.descending)
    selection = Selection(window, condition, order)
    kind, of = asked.filters.get("kind"), here().workspace_id
    if kind == _UNMAPPED:
        return inbox.unmapped(database, workspace_id=of, catalogue=context().catalogue, selection=selection)
    meeting = [_KINDS[kind]] if kind else []
    return listing.of_groups(database, workspace_id=of, selection=selection, meeting=meeting)


def _counts(database: Connection, found: Sequence[GroupView]) -> dict[UUID, int]:
    ids = [group.id for group in found]
    return local_groups.count_members(database, workspace_id=here().workspace_id, group_ids=ids)


def _sources(database: Connection) -> dict[UUID, str]:
    return {each.id: each.name for each in connections.every(database, workspace_id=here().workspace_id)}


@blueprint.get("")
@by_member("group.read")
def index() -> str:
    """All groups, or those that are searched for; those that give nobody anything yet wait for an admin."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found, sources = _some(database, asked, asked.window), _sources(database)
        counts = _counts(database, found.items)
    shown = {"asked": asked, "groups": found.items, "paging": asked.paging(found)}
    return render_template("console/groups/index.html", counts=counts, sources=sources, **shown)


@blueprint.get("/export.csv")
@by_member("group.read")
def export() -> Response:
    """The same list, all of it, as a table."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        sources = _sources(database)

    def read(window: Window) -> Some[GroupView]:
        with reading() as database:
            return _some(database, asked, window)

    return lists.as_csv("groups", _COLUMNS, (_rows(page, sources) for page in lists.every_page(read)))


def _rows(found: Sequence[GroupView], sources: dict[UUID, str]) -> list[Sequence[Any]]:
    with reading() as database:
        counts = _counts(database, found)
    return [
        (
            *(group.id, group.display_name, "linked" if group.linked else "local"),
            *(sources.get(group.connection_id) if group.connection_id else None, counts[group.id]),
            group.created_at.isoformat(),
        )
        for group in found
    ]


@blueprint.get("/<uuid:group_id>")
@by_member("group.read")
def one(group_id: UUID) -> str:
    """One group: what it gives and by which policy or mapping, and who is in it."""
    asked, of = lists.asked(Offer(("joined",))), here().workspace_id
    with reading() as database:
        group = groups.by_id(database, workspace_id=of, group_id=group_id)
        given = None
        if insider().may("policy.read"):
            given = by_group.grants(database, workspace_id=of, group=group, catalogue=context().catalogue)
        inside, sources = None, _sources(database)
        if insider().may("member.read"):
            inside = listing.of_group(database, workspace_id=of, group_id=group_id, window=asked.window)
    paging = None if inside is None else asked.paging(inside)
    shown = {"given": given, "inside": inside, "paging": paging, "asked": asked}
    return render_template("console/groups/one.html", group=group, sources=sources, **shown)
