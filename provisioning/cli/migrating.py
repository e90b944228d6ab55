"""`provisioning migrate`: bring the database to the tables that this version needs."""

from __future__ import annotations

import click

from provisioning import migration
from provisioning.cli.output import Output
from provisioning.cli.service import operates


@click.command()
@operates
def migrate(out: Output) -> None:
    """Apply the migrations that are missing; several machines may do so at once."""
    out.one({"revision": migration.migrate()})
