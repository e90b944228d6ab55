"""`provisioning mapping-proposal`: changes of mappings that would give ownership, and the operator's word on each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from provisioning.access import proposals
from provisioning.access.proposals import ProposalView
from provisioning.cli.changes import changing, operator
from provisioning.cli.options import count_option, dry_run_option, start_index_option, workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.database import reading
from provisioning.directory import workspaces
from provisioning.directory.paging import Window


@click.group(name="mapping-proposal")
def mapping_proposal() -> None:
    """Mappings that would give ownership: one asks, another confirms."""


def _facts(found: ProposalView) -> dict[str, Any]:
    return {
        "id": found.id,
        "mapping_id": found.mapping_id,
        "mapping": found.mapping,
        "asker": found.asker or "operator",
        "was": found.was.as_json(),
        "wanted": found.wanted.as_json(),
        "state": found.state,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "answer": found.answer,
    }


_proposal_id = click.argument("proposal_id", type=click.UUID)


@mapping_proposal.command(name="list")
@workspace_option
@click.option("--state", type=click.Choice(proposals.STATES), help="Only those in this state.")
@start_index_option
@count_option
@operates
def list_(out: Output, workspace: str, state: str | None, start_index: int, count: int) -> None:
    """List what waits for a second word, or did, newest first."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        page = proposals.some(connection, workspace_id=of, window=Window(count, start_index), state=state)
    out.many("mapping_proposals", [_facts(found) for found in page.items], total=page.total)


@mapping_proposal.command()
@_proposal_id
@workspace_option
@dry_run_option
@operates
def confirm(out: Output, proposal_id: UUID, workspace: str, *, dry_run: bool) -> None:
    """Say as the operator that a mapping may give ownership which an owner has asked for."""
    with changing(out, workspace, dry_run=dry_run) as (connection, of):
        by = operator(connection, of)
        done = proposals.confirm(connection, workspace_id=of, proposal_id=proposal_id, giver=by)
        if not dry_run:
            out.one(_facts(done))


@mapping_proposal.command()
@_proposal_id
@workspace_option
@click.option("--reason", help="Why not.")
@operates
def decline(out: Output, proposal_id: UUID, workspace: str, reason: str | None) -> None:
    """Say no: the mapping stays as it is."""
    with changing(out, workspace, dry_run=False) as (connection, of):
        done = proposals.decline(connection, workspace_id=of, proposal_id=proposal_id, answer=reason, by=OPERATOR)
    out.one(_facts(done))
