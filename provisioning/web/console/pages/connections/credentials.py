"""What an identity provider proves itself by: a new token beside the one in use, and a client secret."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import render_template, url_for

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import connections
from provisioning.web.console import forms
from provisioning.web.console.guard import by_member
from provisioning.web.console.pages.connections.page import base_url, blueprint, found, held_in, where
from provisioning.web.guard import actor

# How long the token in use stays valid beside the new one.
_OVERLAPS = {"3600": "an hour", "86400": "a day", "604800": "a week", "0": "not at all: it ends now"}


@blueprint.get("/<uuid:connection_id>/rotate")
@by_member("connection.update")
def confirm_rotate(connection_id: UUID) -> str:
    """Ask how long the tokens in use are to stay valid beside a new one."""
    with reading() as database:
        connection = held_in(database, connection_id)
        live = connections.credentials(database, **where(connection))
    shown = {"credentials": live, "overlaps": _OVERLAPS}
    return render_template("console/connections/rotate.html", connection=connection, **shown)


@blueprint.post("/<uuid:connection_id>/rotate")
@by_member("connection.update")
def rotate(connection_id: UUID) -> str:
    """Give a connection a new token, and show it this once."""
    overlap = forms.chosen("overlap", _OVERLAPS)
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        connection = held_in(database, connection_id)
        connections.rotate(
            database,
            workspace_id=connection.workspace_id,
            name=connection.name,
            digest=secret.digest,
            overlap=timedelta(seconds=int(overlap)),
            by=actor(),
        )
    told = [("SCIM base URL", base_url(), False), ("Token", secret.text, True)]
    title = f"A new token for {connection.name}"
    back = url_for(".one", connection_id=connection_id)
    return render_template("console/shown_once.html", title=title, told=told, back=back, page="Connections")


@blueprint.get("/<uuid:connection_id>/secret")
@by_member("connection.update")
def confirm_secret(connection_id: UUID) -> str:
    """Say what a new client secret ends, and ask once."""
    return render_template("console/connections/secret.html", connection=found(connection_id))


@blueprint.post("/<uuid:connection_id>/secret")
@by_member("connection.update")
def issue_secret(connection_id: UUID) -> str:
    """Give a connection an OAuth client secret (RFC 6749, section 2.3.1), and show it this once."""
    secret = context().keyring.mint(Kind.CLIENT_SECRET)
    with transaction() as database:
        connection = held_in(database, connection_id)
        connections.issue_secret(database, digest=secret.digest, by=actor(), **where(connection))
    told = [
        ("Token URL", f"{context().public_url}/oauth/token", False),
        ("Client id", str(connection.id), False),
        ("Client secret", secret.text, True),
    ]
    title = f"A client secret for {connection.name}"
    back = url_for(".one", connection_id=connection_id)
    return render_template("console/shown_once.html", title=title, told=told, back=back, page="Connections")
