"""Setting a connection up: which identity provider, what is entered there, and seeing it come alive."""

from __future__ import annotations

from uuid import UUID

from flask import render_template

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading, transaction
from provisioning.directory import connections
from provisioning.directory.connections import ConnectionView
from provisioning.journal import entries
from provisioning.journal.entries import Check
from provisioning.refusals import Conflict, Invalid
from provisioning.web.console import forms
from provisioning.web.console.guard import by_member, by_member_watching, here
from provisioning.web.console.pages.connections.guides import GUIDES
from provisioning.web.console.pages.connections.page import base_url, blueprint, found, held_in, where
from provisioning.web.guard import actor


@blueprint.get("/new")
@by_member("connection.create")
def new() -> str:
    """Ask which identity provider it is, and what it is to be called."""
    return _form("", "okta", {})


def _form(name: str, dialect: str, errors: dict[str, str]) -> str:
    shown = {"name": name, "dialect": dialect, "errors": errors, "guides": GUIDES}
    return render_template("console/connections/new.html", **shown)


@blueprint.post("/new")
@by_member("connection.create")
def create() -> tuple[str, int]:
    """Make a connection, and show its token this once."""
    name, dialect = forms.text("name"), forms.text("dialect")
    secret = context().keyring.mint(Kind.CONNECTION)
    try:
        with transaction() as database:
            of = here().workspace_id
            made = connections.create(
                database, workspace_id=of, name=name, dialect=dialect, digest=secret.digest, by=actor()
            )
    except (Invalid, Conflict) as refusal:
        return _form(name, dialect, {refusal.field or "name": refusal.sentence}), refusal.status
    return _steps(made, secret.text), 201


@blueprint.get("/<uuid:connection_id>/setup")
@by_member("connection.read")
def setup(connection_id: UUID) -> str:
    """The same steps later: without the token, which nobody has any more."""
    return _steps(found(connection_id), None)


def _steps(connection: ConnectionView, secret: str | None) -> str:
    with reading() as database:
        check = checked(database, connection)
    shown = {"connection": connection, "secret": secret, "guide": GUIDES[connection.dialect], "check": check}
    return render_template("console/connections/setup.html", base_url=base_url(), **shown)


def checked(database: Connection, connection: ConnectionView) -> Check:
    """How far a connection has come."""
    return entries.check(database, **where(connection))


@blueprint.get("/<uuid:connection_id>/check")
@by_member_watching("connection.read")
def check(connection_id: UUID) -> str:
    """How far a connection has come: asked by pages again and again until all of it is there."""
    with reading() as database:
        connection = held_in(database, connection_id)
        return render_template(
            "console/connections/check.html", connection=connection, check=checked(database, connection)
        )
