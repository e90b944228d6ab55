"""`provisioning mapping`: rules that give roles to whom the identity provider puts into a group."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from provisioning.access import dormant, mappings, proposals
from provisioning.access.drafts import Rule
from provisioning.access.mappings import MappingView
from provisioning.access.policies import Giver, Terms
from provisioning.cli.changes import changing, operator
from provisioning.cli.options import dry_run_option, label_option, resource_option, workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.database import Connection, reading
from provisioning.directory import workspaces


@click.group()
def mapping() -> None:
    """Mappings: from what the identity provider pushes to roles."""


def _facts(found: MappingView) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "about": found.rule.resource_type,
        "condition": found.rule.condition,
        "pattern": found.rule.pattern,
        "policies": [{"id": p.id, "role": p.role, "scope": p.scope.as_json()} for p in found.policies],
        "enabled": found.enabled,
        "position": found.position,
        "state": found.state,
        "waiting_proposal": found.waiting,
        "dormant_since": found.lost and found.lost.lost_at,
        "lost_group": found.lost and {"name": found.lost.display_name, "external_id": found.lost.external_id},
    }


_mapping_id = click.argument("mapping_id", type=click.UUID)


@mapping.command()
@workspace_option
@click.option("--group", help="The displayName of a pushed group; it is bound by id where the group is there already.")
@click.option("--when", help='A SCIM filter instead, such as: displayName sw "eng-".')
@click.option("--about", type=click.Choice(["Group", "User"]), default="Group", help="What --when is asked of.")
@click.option("--pattern", help="Or what groups are called: seg-{label.environment}-{role}.")
@click.option("--role", "roles", multiple=True, help="The key of a role, such as source-admin; several are possible.")
@label_option
@resource_option
@click.option("--name", default="", help="What admins call it.")
@dry_run_option
@operates
def create(
    out: Output,
    workspace: str,
    group: str | None,
    when: str | None,
    about: str,
    pattern: str | None,
    roles: tuple[str, ...],
    labels: tuple[str, ...],
    resources: tuple[str, ...],
    name: str,
    *,
    dry_run: bool,
) -> None:
    """Give roles to the members of a group, or to whoever matches a filter; ownership waits for an owner's word."""
    if sum(given is not None for given in (group, when, pattern)) != 1:
        raise click.UsageError("Give one of --group, --when and --pattern.")
    with changing(out, workspace, dry_run=dry_run) as (connection, of):
        if group is not None:
            when, about = mappings.condition_for_group(connection, workspace_id=of, group=group), "Group"
        by = operator(connection, of)
        made = proposals.create(
            connection,
            workspace_id=of,
            name=name or group or "",
            rule=Rule(about, when, pattern),
            terms=[Terms(role, labels, resources) for role in roles],
            giver=by,
        )
        _end(out, connection, of, made, by, dry_run=dry_run)


def _end(out: Output, connection: Connection, of: UUID, written: MappingView, by: Giver, *, dry_run: bool) -> None:
    """Show a mapping as it is written; of what waits for a second word, a preview shows what it would do."""
    if dry_run:
        proposals.foresee(connection, workspace_id=of, mapping=written, giver=by)
    else:
        out.one(_facts(written))


def _switch(out: Output, workspace: str, mapping_id: UUID, *, enabled: bool, dry_run: bool) -> None:
    with changing(out, workspace, dry_run=dry_run) as (connection, of):
        by = operator(connection, of)
        changed = proposals.change(connection, workspace_id=of, mapping_id=mapping_id, enabled=enabled, giver=by)
        _end(out, connection, of, changed, by, dry_run=dry_run)


@mapping.command()
@_mapping_id
@workspace_option
@dry_run_option
@operates
def enable(out: Output, mapping_id: UUID, workspace: str, *, dry_run: bool) -> None:
    """Switch a mapping on."""
    _switch(out, workspace, mapping_id, enabled=True, dry_run=dry_run)


@mapping.command()
@_mapping_id
@workspace_option
@dry_run_option
@operates
def disable(out: Output, mapping_id: UUID, workspace: str, *, dry_run: bool) -> None:
    """Switch a mapping off; what it gave is gone at once."""
    _switch(out, workspace, mapping_id, enabled=False, dry_run=dry_run)


@mapping.command()
@_mapping_id
@workspace_option
@dry_run_option
@operates
def rebind(out: Output, mapping_id: UUID, workspace: str, *, dry_run: bool) -> None:
    """Bind a dormant mapping to the group that its connection pushes again under the same externalId."""
    with changing(out, workspace, dry_run=dry_run) as (connection, of):
        by = operator(connection, of)
        bound = dormant.rebind(connection, workspace_id=of, mapping_id=mapping_id, giver=by)
        _end(out, connection, of, bound, by, dry_run=dry_run)


@mapping.command(name="list")
@workspace_option
@operates
def list_(out: Output, workspace: str) -> None:
    """List mappings."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        waiting = proposals.told(connection, workspace_id=of, found=mappings.every(connection, workspace_id=of))
        every = dormant.told(connection, workspace_id=of, found=waiting)
        out.many("mappings", [_facts(found) for found in every])


@mapping.command()
@_mapping_id
@workspace_option
@dry_run_option
@operates
def delete(out: Output, mapping_id: UUID, workspace: str, *, dry_run: bool) -> None:
    """Take a mapping away."""
    with changing(out, workspace, dry_run=dry_run) as (connection, of):
        mappings.remove(connection, workspace_id=of, mapping_id=mapping_id, by=OPERATOR)
        if not dry_run:
            out.one({"id": mapping_id, "deleted": True})
