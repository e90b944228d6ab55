"""`provisioning mapping`: rules that give roles to whom the identity provider puts into a group."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from provisioning.access import mappings
from provisioning.access.mappings import MappingView
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.directory import workspaces


@click.group()
def mapping() -> None:
    """Mappings: from what the identity provider pushes to roles."""


def _facts(found: MappingView) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "about": found.resource_type,
        "condition": found.condition,
        "role": found.role,
        "scope": found.scope.as_json(),
        "enabled": found.enabled,
    }


_workspace = click.option("--workspace", required=True, help="The slug of the workspace.")


@mapping.command()
@_workspace
@click.option("--group", help="The displayName of a pushed group; it is bound by id where the group is there already.")
@click.option("--when", help='A SCIM filter instead, such as: displayName sw "eng-".')
@click.option("--about", type=click.Choice(["Group", "User"]), default="Group", help="What --when is asked of.")
@click.option("--role", required=True, help="The key of a role, such as source-admin.")
@click.option("--label", "labels", multiple=True, help="key:value; with several, resources must carry all of them.")
@click.option(
    "--resource", "resources", multiple=True, help="type:id; neither label nor resource: all, later ones too."
)
@click.option("--name", default="", help="What admins call it.")
@operates
def create(
    out: Output,
    workspace: str,
    group: str | None,
    when: str | None,
    about: str,
    role: str,
    labels: tuple[str, ...],
    resources: tuple[str, ...],
    name: str,
) -> None:
    """Give a role to the members of a group, or to whoever matches a filter."""
    if (group is None) == (when is None):
        raise click.UsageError("Give either --group or --when.")
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        if group is not None:
            when, about = mappings.condition_for_group(connection, workspace_id=of, group=group), "Group"
        made = mappings.create(
            connection,
            workspace_id=of,
            name=name or group or "",
            resource_type=about,
            condition=str(when),
            role=role,
            labels=labels,
            resources=resources,
            catalogue=context().catalogue,
            by=OPERATOR,
        )
    out.one(_facts(made))


@mapping.command(name="list")
@_workspace
@operates
def list_(out: Output, workspace: str) -> None:
    """List mappings."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.many("mappings", [_facts(found) for found in mappings.every(connection, workspace_id=of)])


@mapping.command()
@click.argument("mapping_id", type=click.UUID)
@_workspace
@operates
def delete(out: Output, mapping_id: UUID, workspace: str) -> None:
    """Take a mapping away."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        mappings.remove(connection, workspace_id=of, mapping_id=mapping_id, by=OPERATOR)
    out.one({"id": mapping_id, "deleted": True})
