"""Signing in through a connection's identity provider, by OpenID Connect."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import render_template, url_for
from werkzeug.wrappers import Response

from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory.connections import ConnectionView
from provisioning.identities import domains, providers, setting_up
from provisioning.identities.models import AUTH_METHODS
from provisioning.identities.providers import ProviderView
from provisioning.refusals import Conflict, Invalid
from provisioning.sessions import listing as open_sessions
from provisioning.web.console import flash, forms
from provisioning.web.console.guard import by_member
from provisioning.web.console.pages.connections.page import blueprint, found, held_in, where
from provisioning.web.guard import actor
from provisioning.web.sign_in import addresses

# What the room calls a field, as the form does.
_FIELDS = {
    "issuer": "issuer",
    "clientId": "client_id",
    "clientSecret": "client_secret",
    "authMethod": "auth_method",
    "externalIdClaim": "external_id_claim",
    "createsMembers": "creates_members",
    "maxAge": "max_age",
}


def _provider(database: Connection, connection: ConnectionView) -> ProviderView | None:
    """None where nobody signs in by it; the connection is one of this workspace."""
    return providers.find(database, connection.id)


@blueprint.get("/<uuid:connection_id>/sign-in")
@by_member("connection.read")
def sign_in(connection_id: UUID) -> str:
    """How people sign in through a connection, and what its provider has to be told."""
    with reading() as database:
        connection = held_in(database, connection_id)
        provider = _provider(database, connection)
        named = domains.of(database, **where(connection))
    shown = {"provider": provider, "domains": named, "addresses": addresses.of(connection_id)}
    return render_template("console/connections/sign_in.html", connection=connection, **shown)


@blueprint.get("/<uuid:connection_id>/sign-in/settings")
@by_member("connection.update")
def sign_in_settings(connection_id: UUID) -> str:
    """Ask for what an admin sets of the provider."""
    with reading() as database:
        connection = held_in(database, connection_id)
        provider = _provider(database, connection)
    values = {"external_id_claim": "sub", "creates_members": False}
    if provider is not None:
        values = {name: getattr(provider, name) for name in ProviderView.__dataclass_fields__ if name != "credential"}
    return _form(connection, values, {})


def _form(connection: ConnectionView, values: Mapping[str, object], errors: Mapping[str, str]) -> str:
    with reading() as database:
        ends = open_sessions.count_begun_through(database, **where(connection))
    shown = {
        "values": values,
        "errors": errors,
        "ends": ends,
        "methods": [("", "What goes with that"), *((each, each) for each in AUTH_METHODS)],
        "addresses": addresses.of(connection.id),
    }
    return render_template("console/connections/sign_in_settings.html", connection=connection, **shown)


@blueprint.post("/<uuid:connection_id>/sign-in/settings")
@by_member("connection.update")
def set_sign_in(connection_id: UUID) -> Response | tuple[str, int]:
    """Have people sign in through the connection; another issuer or client ends the sessions that began so."""
    connection = found(connection_id)
    values: dict[str, object] = {name: forms.text(name) for name in ("issuer", "client_id", "external_id_claim")}
    values |= {"creates_members": forms.is_ticked("creates_members"), "auth_method": forms.text("auth_method") or None}
    try:
        values["max_age"] = forms.number("max_age", "maxAge")
        terms = setting_up.terms(
            **values,  # type: ignore[arg-type]
            secret=forms.text("client_secret", longest=4096) or None,
            outbound=context().outbound,
            sealer=context().credentials,
        )
        with transaction() as database:
            providers.set_(database, terms=terms, by=actor(), **where(connection))
    except (Invalid, Conflict) as refusal:
        errors = {_FIELDS.get(refusal.field or "", "issuer"): refusal.sentence}
        return _form(connection, values | {"max_age": forms.text("max_age")}, errors), refusal.status
    said = f"People sign in through {connection.name}."
    return flash.done(said, url_for(".sign_in", connection_id=connection_id))


@blueprint.get("/<uuid:connection_id>/sign-in/remove")
@by_member("connection.update")
def confirm_remove_sign_in(connection_id: UUID) -> str:
    """Say what ends when nobody signs in through a connection any more, and ask once."""
    with reading() as database:
        connection = held_in(database, connection_id)
        count = open_sessions.count_begun_through(database, **where(connection))
    return render_template("console/connections/sign_in_remove.html", connection=connection, count=count)


@blueprint.post("/<uuid:connection_id>/sign-in/remove")
@by_member("connection.update")
def remove_sign_in(connection_id: UUID) -> Response:
    """Have nobody sign in through the connection any more; the sessions that began so end."""
    with transaction() as database:
        connection = held_in(database, connection_id)
        providers.remove(database, by=actor(), **where(connection))
    said = f"Nobody signs in through {connection.name} any more."
    return flash.done(said, url_for(".sign_in", connection_id=connection_id))
