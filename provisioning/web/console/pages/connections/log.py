"""The provisioning log of a connection: what it asked, what became of it, and what that changed."""

from __future__ import annotations

from uuid import UUID

from flask import Response, render_template

from provisioning.database import Connection, reading
from provisioning.directory.connections import ConnectionView
from provisioning.directory.paging import Page, Place, Window
from provisioning.journal import entries
from provisioning.journal.entries import Entry
from provisioning.web.console import lists
from provisioning.web.console.guard import by_member
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.pages.connections.page import blueprint, found, held_in, where

_ERRORS = "errors"
_OFFER = Offer(("at",), {"only": (_ERRORS,)})
_COLUMNS = ("at", "method", "path", "filter", "status", "detail", "resource", "changes", "notes", "milliseconds", "id")


def _some(database: Connection, connection: ConnectionView, asked: Listing, window: Window) -> Page[Entry]:
    """Nobody counts a log: it is walked into the past, and newest first is where it begins."""
    found = entries.search(
        database,
        errors=asked.filters.get("only") == _ERRORS,
        words=asked.words or None,
        before=None if window.after is None else UUID(str(window.after.id)),
        count=window.count + 1,
        **where(connection),
    )
    shown = tuple(found[: window.count])
    return Page(shown, 0, Place(None, shown[-1].id) if len(found) > window.count else None)


@blueprint.get("/<uuid:connection_id>/log")
@by_member("connection.read")
def log(connection_id: UUID) -> str:
    """Every request of a connection, newest first."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        connection = held_in(database, connection_id)
        page = _some(database, connection, asked, asked.window)
    shown = {"asked": asked, "entries": page.items, "paging": asked.paging(page)}
    return render_template("console/connections/log.html", connection=connection, **shown)


@blueprint.get("/<uuid:connection_id>/log/export.csv")
@by_member("connection.read")
def export_log(connection_id: UUID) -> Response:
    """The same as a table."""
    asked, connection = lists.asked(_OFFER), found(connection_id)

    def read(window: Window) -> Page[Entry]:
        with reading() as database:
            return _some(database, connection, asked, window)

    rows = ([_row(entry) for entry in page] for page in lists.every_page(read))
    return lists.as_csv("provisioning-log", _COLUMNS, rows)


def _row(entry: Entry) -> tuple[object, ...]:
    resource = f"{entry.resource_type} {entry.resource_id}" if entry.resource_id else None
    told = (entry.at.isoformat(), entry.method, entry.path, entry.filter, entry.status, entry.detail, resource)
    return (*told, entry.changes or None, ", ".join(entry.notes), entry.milliseconds, entry.id)
