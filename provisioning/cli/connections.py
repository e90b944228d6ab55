"""`provisioning connection`: identity providers' links to workspaces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from provisioning.cli.durations import DURATION
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import connections, workspaces
from provisioning.directory.connections import DIALECTS, ConnectionView


@click.group()
def connection() -> None:
    """Connections: where identity providers push users and groups."""


def _facts(found: ConnectionView) -> dict[str, Any]:
    return {
        "id": found.id,
        "workspace": found.workspace,
        "name": found.name,
        "dialect": found.dialect,
        "scim_base_url": f"{context().public_url}/scim/v2",
    }


@connection.command()
@click.option("--workspace", required=True, help="The slug of the workspace.")
@click.option("--name", required=True, help="What admins call it.")
@click.option("--dialect", type=click.Choice(DIALECTS), default="other", help="Which identity provider it is.")
@operates
def create(out: Output, workspace: str, name: str, dialect: str) -> None:
    """Create a connection; its token is shown this once."""
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        found = workspaces.by_slug(database, workspace)
        made = connections.create(
            database, workspace_id=found.id, name=name, dialect=dialect, digest=secret.digest, by=OPERATOR
        )
    out.one({**_facts(made), "token": secret.text})


@connection.command(name="list")
@click.option("--workspace", help="Only those of the workspace with this slug.")
@operates
def list_(out: Output, workspace: str | None) -> None:
    """List connections."""
    with reading() as database:
        of = None if workspace is None else workspaces.by_slug(database, workspace).id
        out.many("connections", [_facts(found) for found in connections.every(database, workspace_id=of)])


@connection.command()
@click.argument("name")
@click.option("--workspace", required=True, help="The slug of the workspace.")
@click.option(
    "--overlap", type=DURATION, default="0s", help="How long the token in use stays valid beside the new one."
)
@operates
def rotate(out: Output, name: str, workspace: str, overlap: timedelta) -> None:
    """Give a connection a new token, shown this once."""
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        found = workspaces.by_slug(database, workspace)
        rotated = connections.rotate(
            database, workspace_id=found.id, name=name, digest=secret.digest, overlap=overlap, by=OPERATOR
        )
    out.one({**_facts(rotated), "token": secret.text})
