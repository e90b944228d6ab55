"""`provisioning who-can`: who may do something, and why."""

from __future__ import annotations

import click

from provisioning.access import holders, resources
from provisioning.cli.options import workspace_option
from provisioning.cli.output import Output
from provisioning.cli.recorded import record
from provisioning.cli.service import operates
from provisioning.context import context
from provisioning.database import reading
from provisioning.directory import workspaces
from provisioning.directory.paging import Window


@click.command(name="who-can")
@click.argument("action")
@click.argument("resource", required=False)
@workspace_option
@click.option("--start-index", type=click.IntRange(min=1), default=1, help="The place of the first one, from 1.")
@click.option("--count", type=click.IntRange(1, 10_000), default=100, help="How many at the most.")
@click.option("--why", is_flag=True, help="Show every path that leads there.")
@operates
def who_can(
    out: Output, action: str, resource: str | None, workspace: str, start_index: int, count: int, *, why: bool
) -> None:
    """Show who may do ACTION, such as source.update, on RESOURCE, such as source:s1; without one, in the workspace."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        on = resources.asked_about(connection, workspace_id=of, written=resource)
        found = holders.who_can(
            connection,
            workspace_id=of,
            action=action,
            resource=on,
            catalogue=context().catalogue,
            window=Window(count, start_index),
        )
    record("access", workspace_id=of, action=action, resource=resource)
    if out.as_json:
        shown = [{"id": h.id, "name": h.name, "email": h.email, "paths": h.paths} for h in found.items]
        out.document({"users": shown, "total": found.total})
        return
    for holder in found.items:
        click.echo(f"{holder.email} ({holder.name})")
        for path in holder.paths if why else ():
            click.echo(f"  because of {because(path)}")
    click.echo(f"{found.total} people may {action}" + (f" on {resource}" if resource else ""))


def because(path: dict[str, str]) -> str:
    """A path to access in words."""
    words = [path["via"]]
    words += [f"{name} {path[name]!r}" for name in ("role", "mapping", "condition", "group", "policy") if name in path]
    words += [f"until {path['ends']}"] if "ends" in path else []
    return ", ".join(words)
