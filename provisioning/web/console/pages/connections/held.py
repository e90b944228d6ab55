"""What a connection asked for and that waits until somebody has looked at it."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from provisioning.database import Connection, reading, transaction
from provisioning.directory import groups, mass_changes, roster
from provisioning.refusals import Conflict
from provisioning.web.console import confirming, flash, forms
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.pages.connections.page import blueprint, found, held_in, where
from provisioning.web.console.shown import counted
from provisioning.web.guard import actor

_SHOWN = 200


@blueprint.get("/<uuid:connection_id>/held")
@by_member("connection.read")
def held(connection_id: UUID) -> str:
    """Who would lose what, in the order in which it was asked for."""
    with reading() as database:
        connection = held_in(database, connection_id)
        total = mass_changes.count_held(database, **where(connection))
        shown = mass_changes.held(database, most=_SHOWN, **where(connection))
        of = here().workspace_id
        members, inside = {each.member_id for each in shown}, {each.group_id for each in shown if each.group_id}
        people = roster.names(database, workspace_id=of, ids=[*members]) if members else {}
        named = groups.names(database, workspace_id=of, ids=[*inside]) if inside else {}
    told = {"changes": shown, "total": total, "people": people, "groups": named}
    return render_template("console/connections/held.html", connection=connection, **told)


@blueprint.get("/<uuid:connection_id>/held/settle")
@confirming.counts(blueprint, "/<uuid:connection_id>/held/settle")
@by_member("connection.update")
def confirm_settle(connection_id: UUID) -> str:
    """Say what doing it takes from whom, or that dropping it changes nothing, and ask once."""
    is_dropped = request.args.get("drop") == "yes"
    connection, told = found(connection_id), None
    with reading() as database:
        count = mass_changes.count_held(database, **where(connection))
    if confirming.is_counting() and not count:
        raise Conflict("Nothing is held any more.")
    if count and not is_dropped:
        told = confirming.foreseen(lambda database: _settle(database, connection_id, confirmed=True))
    shown = {"count": count, "is_dropped": is_dropped, "told": told}
    return render_template("console/connections/settle.html", connection=connection, **shown)


def _settle(database: Connection, connection_id: UUID, *, confirmed: bool) -> int:
    told = where(held_in(database, connection_id))
    return mass_changes.settle(database, confirmed=confirmed, by=actor(), **told)


@blueprint.post("/<uuid:connection_id>/held/settle")
@by_member("connection.update")
def settle(connection_id: UUID) -> Response:
    """Do what waits, or drop it."""
    confirmed = forms.text("drop") != "yes"
    with transaction() as database:
        count = _settle(database, connection_id, confirmed=confirmed)
    said = f"{counted(count, 'held change')} {'done' if confirmed else 'dropped'}."
    return flash.done(said, url_for(".held", connection_id=connection_id))
