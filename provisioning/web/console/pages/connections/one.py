"""One connection: how it fares, and what is set of it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import render_template, url_for
from werkzeug.wrappers import Response

from provisioning.database import reading, transaction
from provisioning.directory import connections, mass_changes
from provisioning.directory.connections import ConnectionView, Settings
from provisioning.refusals import Invalid
from provisioning.web.console import flash, forms
from provisioning.web.console.guard import by_member
from provisioning.web.console.pages.connections.guides import GUIDES
from provisioning.web.console.pages.connections.page import base_url, blueprint, found, held_in, where
from provisioning.web.console.pages.connections.wizard import checked
from provisioning.web.guard import actor

# What the room calls a field, as the form does.
_FIELDS = {"requestsPerMinute": "requests_per_minute", "alarmPercent": "alarm_percent", "dialect": "dialect"}
_DIALECTS = [(key, guide.name) for key, guide in GUIDES.items()]


@blueprint.get("/<uuid:connection_id>")
@by_member("connection.read")
def one(connection_id: UUID) -> str:
    """How a connection fares: the check-list, advice, and its live tokens."""
    with reading() as database:
        connection = held_in(database, connection_id)
        shown = {
            "check": checked(database, connection),
            "credentials": connections.credentials(database, **where(connection)),
            "waiting": mass_changes.count_held(database, **where(connection)),
        }
    return render_template(
        "console/connections/one.html", connection=connection, base_url=base_url(), guides=GUIDES, **shown
    )


@blueprint.get("/<uuid:connection_id>/settings")
@by_member("connection.update")
def settings(connection_id: UUID) -> str:
    """What is set of a connection."""
    connection = found(connection_id)
    values = {name: getattr(connection, name) for name in Settings.__dataclass_fields__ if name != "paused"}
    return _settings(connection, values, {})


def _settings(connection: ConnectionView, values: Mapping[str, object], errors: Mapping[str, str]) -> str:
    shown = {"values": values, "errors": errors, "dialect_options": _DIALECTS}
    return render_template("console/connections/settings.html", connection=connection, **shown)


@blueprint.post("/<uuid:connection_id>/settings")
@by_member("connection.update")
def configure(connection_id: UUID) -> Response | tuple[str, int]:
    """Set something of a connection; it holds from the next request on."""
    values: dict[str, object] = {"dialect": forms.text("dialect")}
    for name in ("dry_run", "holds_mass_changes", "awaits_members"):
        values[name] = forms.is_ticked(name)
    try:
        values["requests_per_minute"] = forms.number("requests_per_minute", "requestsPerMinute") or 0
        values["alarm_percent"] = forms.number("alarm_percent", "alarmPercent")
        with transaction() as database:
            connection = held_in(database, connection_id)
            connections.configure(database, settings=Settings(**values), by=actor(), **where(connection))  # type: ignore[arg-type]
    except Invalid as refusal:
        errors = {_FIELDS.get(refusal.field or "", "dialect"): refusal.sentence}
        sent = {name: forms.text(name) for name in ("requests_per_minute", "alarm_percent")}
        return _settings(found(connection_id), values | sent, errors), refusal.status
    said = f"{connection.name} is set so from the next request on."
    return flash.done(said, url_for(".settings", connection_id=connection_id))


@blueprint.get("/<uuid:connection_id>/pause")
@by_member("connection.update")
def confirm_pause(connection_id: UUID) -> str:
    """Say what pausing a connection does, and ask once."""
    with reading() as database:
        connection = held_in(database, connection_id)
        check = checked(database, connection)
    return render_template("console/connections/pause.html", connection=connection, check=check)


@blueprint.post("/<uuid:connection_id>/pause")
@by_member("connection.update")
def pause(connection_id: UUID) -> Response:
    """Put off every request of a connection."""
    return _paused(connection_id, paused=True)


@blueprint.post("/<uuid:connection_id>/resume")
@by_member("connection.update")
def resume(connection_id: UUID) -> Response:
    """Answer a paused connection again."""
    return _paused(connection_id, paused=False)


def _paused(connection_id: UUID, *, paused: bool) -> Response:
    with transaction() as database:
        connection = held_in(database, connection_id)
        connections.configure(database, settings=Settings(paused=paused), by=actor(), **where(connection))
    said = "is paused: its requests are put off" if paused else "is answered again"
    return flash.done(f"{connection.name} {said}.", url_for(".one", connection_id=connection_id))
