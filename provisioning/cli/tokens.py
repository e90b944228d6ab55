"""`provisioning token`: API tokens of a workspace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from provisioning.access import policies
from provisioning.access.policies import Subject, Terms
from provisioning.cli.changes import operator
from provisioning.cli.durations import DURATION
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import workspaces
from provisioning.tokens import api
from provisioning.tokens.api import TokenView


@click.group()
def token() -> None:
    """API tokens: for programs that use the admin API."""


def _facts(found: TokenView) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "ended_at": found.ended_at,
        "ended_reason": found.ended_reason,
    }


_workspace = click.option("--workspace", required=True, help="The slug of the workspace.")


@token.command()
@_workspace
@click.option("--name", required=True, help="What it is for.")
@click.option("--role", required=True, help="The key of a role, such as workspace-owner.")
@click.option("--label", "labels", multiple=True, help="key:value; with several, resources must carry all of them.")
@click.option(
    "--resource", "resources", multiple=True, help="type:id; neither label nor resource: all, later ones too."
)
@click.option("--expires-in", type=DURATION, default="90d", help="How long it lives: 90d, 12h ...")
@operates
def create(
    out: Output,
    workspace: str,
    name: str,
    role: str,
    labels: tuple[str, ...],
    resources: tuple[str, ...],
    expires_in: timedelta,
) -> None:
    """Create an API token; it is shown this once."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        made = api.issue(connection, workspace_id=of, name=name, digest=secret.digest, lifetime=expires_in, by=OPERATOR)
        subject, terms = Subject("token", made.id), Terms(role, labels, resources)
        policies.give(connection, workspace_id=of, subject=subject, terms=terms, giver=operator(connection, of))
    out.one({"id": made.id, "name": name, "token": secret.text, "expires_at": made.expires_at})


@token.command(name="list")
@_workspace
@operates
def list_(out: Output, workspace: str) -> None:
    """List tokens, the ended ones too."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.many("tokens", [_facts(found) for found in api.every(connection, workspace_id=of)])


@token.command()
@click.argument("token_id", type=click.UUID)
@_workspace
@operates
def revoke(out: Output, token_id: UUID, workspace: str) -> None:
    """End a token now."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        api.revoke(connection, workspace_id=of, token_id=token_id, by=OPERATOR)
    out.one({"id": token_id, "revoked": True})
