"""The list of connections, each with how it fares."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, render_template

from provisioning.database import Connection, reading
from provisioning.directory import connections
from provisioning.directory.connections import ConnectionView
from provisioning.journal import entries
from provisioning.journal.entries import Health
from provisioning.web.console import lists
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.pages.connections.guides import GUIDES
from provisioning.web.console.pages.connections.page import blueprint

_OFFER = Offer(("name", "added"), {"dialect": tuple(GUIDES)})
_DIALECTS = [("", "Every identity provider"), *((key, guide.name) for key, guide in GUIDES.items())]
_COLUMNS = (
    "id",
    "name",
    "dialect",
    "learned_dialect",
    "paused",
    "last_request",
    "requests_in_a_day",
    "errors_in_a_day",
)


def _some(database: Connection, asked: Listing) -> Sequence[tuple[ConnectionView, Health]]:
    """A workspace has few of them: they are read whole."""
    fares = entries.health(database, workspace_id=here().workspace_id)
    found = [
        each
        for each in connections.every(database, workspace_id=here().workspace_id)
        if asked.words.lower() in each.name.lower() and asked.filters.get("dialect", each.dialect) == each.dialect
    ]
    if asked.sort == "added":
        found.sort(key=lambda each: each.created_at)
    if asked.descending:
        found.reverse()
    return [(each, fares.get(each.id, Health(None, 0, 0))) for each in found]


@blueprint.get("")
@by_member("connection.read")
def index() -> str:
    """All connections, or those that are searched for."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        page = lists.cut(_some(database, asked), asked.window, lambda found: found[0].id)
    shown = {
        "asked": asked,
        "connections": page.items,
        "paging": asked.paging(page),
        "guides": GUIDES,
        "dialects": _DIALECTS,
    }
    return render_template("console/connections/index.html", **shown)


@blueprint.get("/export.csv")
@by_member("connection.read")
def export() -> Response:
    """The same list as a table."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found = _some(database, asked)
    rows = [
        (
            *(each.id, each.name, each.dialect, each.learned_dialect, each.paused_at is not None),
            *(fares.last_activity and fares.last_activity.isoformat(), fares.requests_in_a_day, fares.errors_in_a_day),
        )
        for each, fares in found
    ]
    return lists.as_csv("connections", _COLUMNS, iter([rows]))
