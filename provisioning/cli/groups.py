"""`provisioning group`: user groups of a workspace."""

from __future__ import annotations

from typing import Any

import click

from provisioning.cli.output import Output
from provisioning.cli.service import operates
from provisioning.database import reading
from provisioning.directory import extensions, groups, listing, workspaces
from provisioning.directory.conditions import as_id
from provisioning.directory.filters import Viewer
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.refusals import NotFound
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


_workspace = click.option("--workspace", required=True, help="The slug of the workspace.")


@group.command(name="list")
@_workspace
@click.option("--filter", "condition", help='A SCIM filter, such as: displayName sw "eng-".')
@click.option("--start-index", type=click.IntRange(min=1), default=1, help="The place of the first one, from 1.")
@click.option("--count", type=click.IntRange(0, 10_000), default=100, help="How many at the most.")
@operates
def list_(out: Output, workspace: str, condition: str | None, start_index: int, count: int) -> None:
    """List groups."""
    tree = None if condition is None else parse_filter(condition)
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        viewer = Viewer(extensions.kinds(connection, workspace_id=of))
        wanted = Selection(Window(count, start_index), tree, viewer=viewer)
        page = listing.of_groups(connection, workspace_id=of, selection=wanted)
    out.many("groups", [_facts(found) for found in page.items], total=page.total)


@group.command()
@click.argument("name_or_id")
@_workspace
@operates
def show(out: Output, name_or_id: str, workspace: str) -> None:
    """Show one group and its members."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        attribute = "id" if as_id(name_or_id) else "displayName"
        wanted = Comparison(AttributePath(None, attribute, None), "eq", name_or_id)
        one = Selection(Window(1), wanted)
        found = listing.of_groups(connection, workspace_id=of, selection=one).items
        if not found:
            raise NotFound(f"There is no group {name_or_id} in this workspace.")
        inside = groups.members_of(connection, workspace_id=of, group_id=found[0].id)
    if out.as_json:
        out.document({**_facts(found[0]), "members": [{"id": m.id, "display": m.display} for m in inside]})
    else:
        out.one({**_facts(found[0]), "members": [m.display for m in inside]})
