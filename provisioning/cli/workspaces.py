"""`provisioning workspace`: the operator's alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from provisioning.access.founding import found_workspace
from provisioning.cli.durations import DURATION, in_seconds
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.directory import workspaces
from provisioning.directory.workspaces import WorkspaceView
from provisioning.sessions import limits
from provisioning.sessions.limits import OwnLimits
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


@workspace.command(name="set-session-limits")
@click.argument("slug")
@click.option("--idle", type=DURATION, help="How long without activity: 8h. Left out, the service's limit holds.")
@click.option("--absolute", type=DURATION, help="How long after sign-in: 2d. Left out, the service's limit holds.")
@operates
def set_session_limits(out: Output, slug: str, idle: timedelta | None, absolute: timedelta | None) -> None:
    """Make the sessions of a workspace's members shorter than the service does; both limits are set."""
    wanted = OwnLimits(in_seconds(idle), in_seconds(absolute))
    with transaction() as connection:
        found = workspaces.by_slug(connection, slug)
        policy = context().session_policy
        limits.replace(connection, workspace_id=found.id, limits=wanted, policy=policy, by=OPERATOR)
    out.one({**_facts(found), "session_idle_seconds": wanted.idle, "session_absolute_seconds": wanted.absolute})


@workspace.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do it: nothing brings a workspace back.")
@operates
def delete(out: Output, slug: str, *, yes: bool) -> None:
    """Delete a workspace with all that is in it; it is gone at once, and its members' sessions end. Facts stay."""
    if not yes:
        raise click.UsageError(f"This can't be undone. To delete {slug} and all that is in it, add --yes.")
    with transaction() as connection:
        gone = workspaces.delete(connection, slug=slug, by=OPERATOR)
    out.one({**_facts(gone), "deleted": True})


@workspace.command(name="set-owners-by-mapping")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
@operates
def set_owners_by_mapping(out: Output, slug: str, state: str) -> None:
    """Let mappings give ownership that two have confirmed, or no longer; off, nobody is an owner by a mapping."""
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
    seconds = in_seconds(length)
    out.one({**_facts(found), "longest_token_seconds": seconds, "tokens_shortened": shortened})
