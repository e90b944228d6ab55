"""`provisioning group`: user groups of a workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from provisioning.access import inbox
from provisioning.cli.changes import changing
from provisioning.cli.options import dry_run_option, workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.directory import extensions, groups, listing, local_groups, workspaces
from provisioning.directory.conditions import as_id
from provisioning.directory.filters import Viewer
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.refusals import Conflict, NotFound
from provisioning.scim.filter import Comparison, parse_filter
from provisioning.scim.path import AttributePath


@click.group()
def group() -> None:
    """User groups: linked ones, which an identity provider pushes, and local ones."""


def _facts(found: GroupView) -> dict[str, Any]:
    return {
        "id": found.id,
        "display_name": found.display_name,
        "external_id": found.document.get("externalId"),
        "linked": found.linked,
    }


@group.command(name="list")
@workspace_option
@click.option("--filter", "condition", help='A SCIM filter, such as: displayName sw "eng-".')
@click.option("--start-index", type=click.IntRange(min=1), default=1, help="The place of the first one, from 1.")
@click.option("--count", type=click.IntRange(0, 10_000), default=100, help="How many at the most.")
@click.option("--unmapped", is_flag=True, help="Only pushed groups that give nobody anything yet.")
@operates
def list_(out: Output, workspace: str, condition: str | None, start_index: int, count: int, *, unmapped: bool) -> None:
    """List groups."""
    tree = None if condition is None else parse_filter(condition)
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        viewer = Viewer(extensions.kinds(connection, workspace_id=of))
        wanted = Selection(Window(count, start_index), tree, viewer=viewer)
        if unmapped:
            page = inbox.unmapped(connection, workspace_id=of, catalogue=context().catalogue, selection=wanted)
        else:
            page = listing.of_groups(connection, workspace_id=of, selection=wanted)
    out.many("groups", [_facts(found) for found in page.items], total=page.total)


@group.command()
@click.argument("name_or_id")
@workspace_option
@operates
def show(out: Output, name_or_id: str, workspace: str) -> None:
    """Show one group and its members."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        found = _find(connection, of, name_or_id)[0]
        inside = groups.members_of(connection, workspace_id=of, group_id=found.id)
    if out.as_json:
        out.document({**_facts(found), "members": [{"id": m.id, "display": m.display} for m in inside]})
    else:
        out.one({**_facts(found), "members": [m.display for m in inside]})


def _find(connection: Connection, workspace_id: UUID, name_or_id: str) -> tuple[GroupView, ...]:
    attribute = "id" if as_id(name_or_id) else "displayName"
    wanted = Comparison(AttributePath(None, attribute, None), "eq", name_or_id)
    found = listing.of_groups(connection, workspace_id=workspace_id, selection=Selection(Window(2), wanted)).items
    if not found:
        raise NotFound(f"There is no group {name_or_id} in this workspace.")
    return found


@group.command()
@click.argument("name_or_id")
@workspace_option
@dry_run_option
@operates
def detach(out: Output, name_or_id: str, workspace: str, *, dry_run: bool) -> None:
    """Make a pushed group a local one, with its members and policies; its connection doesn't see it any more."""
    with changing(out, workspace, dry_run=dry_run) as (connection, of):
        found = [group for group in _find(connection, of, name_or_id) if group.linked]
        if len(found) != 1:
            what = "Several connections push a group" if found else "No connection pushes a group"
            raise Conflict(f"{what} called {name_or_id}.")
        local = local_groups.detach(connection, workspace_id=of, group_id=found[0].id, by=OPERATOR)
        if not dry_run:
            out.one(_facts(local))
