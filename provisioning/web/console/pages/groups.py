"""Groups: linked and local ones, who is in them, and what being in them gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access import by_group, inbox
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import connections, groups, listing, local_groups
from provisioning.directory.filters import Order
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Page as Some
from provisioning.directory.paging import Sorting, Window
from provisioning.refusals import Conflict, Invalid
from provisioning.scim.filter import Comparison
from provisioning.scim.path import AttributePath
from provisioning.web.console import confirming, flash, forms, lists
from provisioning.web.console.guard import by_member, here, insider
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.page import Page
from provisioning.web.guard import actor

blueprint = Blueprint("groups", __name__)
PAGE = Page("Groups", "group.read", blueprint, "/groups")

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


@blueprint.get("/new")
@by_member("group.create")
def new() -> str:
    """Ask for the name of a local group."""
    return render_template("console/groups/new.html", name="", error=None)


@blueprint.post("/new")
@by_member("group.create")
def create() -> AnyResponse | tuple[str, int]:
    """Add a local group."""
    name = forms.text("name")
    try:
        with transaction() as database:
            made = local_groups.create(database, workspace_id=here().workspace_id, name=name, by=actor())
    except (Invalid, Conflict) as refusal:
        return render_template("console/groups/new.html", name=name, error=refusal.sentence), refusal.status
    return flash.done(f"The group {made.display_name} is there.", url_for(".one", group_id=made.id))


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


def _detach(database: Connection, group_id: UUID) -> GroupView:
    return local_groups.detach(database, workspace_id=here().workspace_id, group_id=group_id, by=actor())


def _asked_once(template: str, group_id: UUID, change: Callable[[Connection, UUID], GroupView]) -> str:
    """The question before a change of a group, with whom it concerns."""
    with reading() as database:
        group = groups.by_id(database, workspace_id=here().workspace_id, group_id=group_id)
    preview = confirming.preview(lambda database: change(database, group_id))
    return render_template(f"console/groups/{template}.html", group=group, preview=preview)


@blueprint.get("/<uuid:group_id>/detach")
@by_member("group.update")
def confirm_detach(group_id: UUID) -> str:
    """Say whom it concerns that a group is no longer pushed, and ask once."""
    return _asked_once("detach", group_id, _detach)


@blueprint.post("/<uuid:group_id>/detach")
@by_member("group.update")
def detach(group_id: UUID) -> AnyResponse:
    """Make a pushed group a local one."""
    with transaction() as database:
        group = _detach(database, group_id)
    return flash.done(f"{group.display_name} is a local group now.", url_for(".one", group_id=group_id))


def _delete(database: Connection, group_id: UUID) -> GroupView:
    group = local_groups.lock(database, workspace_id=here().workspace_id, group_id=group_id)
    groups.remove(database, group=group, by=actor())
    return group


@blueprint.get("/<uuid:local_group_id>/delete")
@by_member("group.delete")
def confirm_delete(local_group_id: UUID) -> str:
    """Say who would lose what with a group, and ask once."""
    return _asked_once("delete", local_group_id, _delete)


@blueprint.post("/<uuid:local_group_id>/delete")
@by_member("group.delete")
def delete(local_group_id: UUID) -> AnyResponse:
    """Take a local group away; its members stay in the workspace."""
    with transaction() as database:
        group = _delete(database, local_group_id)
    return flash.done(f"The group {group.display_name} is gone.", url_for(".index"))
