"""`provisioning workspace`: the operator's alone."""

from __future__ import annotations

from typing import Any

import click

from provisioning.access.founding import found_workspace
from provisioning.cli.durations import DURATION
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.database import reading, transaction
from provisioning.directory import workspaces
from provisioning.directory.workspaces import WorkspaceView
from provisioning.tokens import ending


@click.group()
def workspace() -> None:
    """Workspaces: the tenants of the service."""


def _facts(found: WorkspaceView) -> dict[str, Any]:
    return {"id": found.id, "slug": found.slug, "name": found.name, "hipaa_eligible": found.hipaa_eligible}


@workspace.command()
@click.option("--slug", required=True, help="A short name for addresses: a-z, digits, hyphens.")
@click.option("--name", required=True, help="What people see.")
@click.option("--hipaa", is_flag=True, help="Make it HIPAA-eligible.")
@operates
def create(out: Output, slug: str, name: str, *, hipaa: bool) -> None:
    """Found a workspace."""
    with transaction() as connection:
        out_of = found_workspace(connection, slug=slug, name=name, hipaa_eligible=hipaa, by=OPERATOR)
    out.one(_facts(out_of))


@workspace.command(name="list")
@operates
def list_(out: Output) -> None:
    """List all workspaces."""
    with reading() as connection:
        out.many("workspaces", [_facts(found) for found in workspaces.every(connection)])


@workspace.command()
@click.argument("slug")
@operates
def show(out: Output, slug: str) -> None:
    """Show one workspace."""
    with reading() as connection:
        out.one(_facts(workspaces.by_slug(connection, slug)))


@workspace.command(name="set-hipaa")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
@operates
def set_hipaa(out: Output, slug: str, state: str) -> None:
    """Make a workspace HIPAA-eligible, or no longer so; a change ends the sessions of its members."""
    with transaction() as connection:
        changed = workspaces.set_hipaa_eligible(connection, slug=slug, eligible=state == "on", by=OPERATOR)
    out.one(_facts(changed))


@workspace.command(name="set-owners-by-mapping")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
@operates
def set_owners_by_mapping(out: Output, slug: str, state: str) -> None:
    """Let mappings give ownership, or no longer; switched off, nobody is an owner by a mapping from then on."""
    with transaction() as connection:
        changed = workspaces.set_owners_by_mapping(connection, slug=slug, allowed=state == "on", by=OPERATOR)
    out.one({**_facts(changed), "owners_by_mapping": state == "on"})


@workspace.command(name="set-token-lifetime")
@click.argument("slug")
@click.argument("longest", metavar="LONGEST|off")
@operates
def set_token_lifetime(out: Output, slug: str, longest: str) -> None:
    """Say how long API tokens live there at the most, such as 30d; those that were to live longer end so long from now.

    With off they live as long as the service allows.
    """
    length = None if longest == "off" else DURATION.convert(longest, None, None)
    with transaction() as connection:
        found = workspaces.by_slug(connection, slug)
        workspaces.set_longest_token(connection, workspace_id=found.id, longest=length, by=OPERATOR)
        shortened = 0
        if length is not None:
            shortened = ending.shorten(connection, workspace_id=found.id, longest=length, by=OPERATOR)
    seconds = None if length is None else int(length.total_seconds())
    out.one({**_facts(found), "longest_token_seconds": seconds, "tokens_shortened": shortened})
