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
from provisioning.cli.options import label_option, resource_option, workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import roster, workspaces
from provisioning.tokens import api
from provisioning.tokens.standing import TokenView


@click.group()
def token() -> None:
    """API tokens: for programs that use the admin API."""


def _facts(found: TokenView) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "owner": found.member_id,
        "created_at": found.created_at,
        "expires_at": found.expires_at,
        "last_used_at": found.last_used_at,
        "ended_at": found.ended_at,
        "ended_reason": found.ended_reason,
    }


@token.command()
@workspace_option
@click.option("--name", required=True, help="What it is for.")
@click.option("--role", required=True, help="The key of a role, such as workspace-owner.")
@label_option
@resource_option
@click.option("--expires-in", type=DURATION, help="How long it lives: 30d, 12h ...; 90d, or what there may be.")
@click.option("--owner", metavar="EMAIL", help="The member whose it is: it ends with their membership.")
@click.option("--from", "ranges", multiple=True, metavar="CIDR", help="What it may be used from; else from anywhere.")
@operates
def create(
    out: Output,
    workspace: str,
    name: str,
    role: str,
    labels: tuple[str, ...],
    resources: tuple[str, ...],
    expires_in: timedelta | None,
    owner: str | None,
    ranges: tuple[str, ...],
) -> None:
    """Create an API token; it is shown this once."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        made = api.issue(
            connection,
            workspace_id=of,
            name=name,
            digest=secret.digest,
            by=OPERATOR,
            lifetime=expires_in,
            limits=context().token_limits,
            owner_id=None if owner is None else roster.by_email(connection, workspace_id=of, email=owner).id,
            address_ranges=ranges,
        )
        subject, terms = Subject("token", made.id), Terms(role, labels, resources)
        policies.give(connection, workspace_id=of, subject=subject, terms=terms, giver=operator(connection, of))
    out.one({"id": made.id, "name": name, "token": secret.text, "expires_at": made.expires_at})


@token.command(name="list")
@workspace_option
@operates
def list_(out: Output, workspace: str) -> None:
    """List tokens, the ended ones too."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.many("tokens", [_facts(found) for found in api.every(connection, workspace_id=of)])


_token_id = click.argument("token_id", type=click.UUID)


@token.command()
@_token_id
@workspace_option
@operates
def show(out: Output, token_id: UUID, workspace: str) -> None:
    """Show a token: whose it is, what it may do, from where, and when it was used last."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        found = api.by_id(connection, workspace_id=of, token_id=token_id)
        given = policies.of(connection, workspace_id=of, subject=Subject("token", token_id))
    access = [{"role": policy.role, "scope": policy.scope.as_json()} for policy in given]
    more = {"last_used_from": found.last_used_from, "ranges": found.ranges, "made_by_token": found.parent_id}
    out.one({**_facts(found), **more, "policies": access})


@token.command()
@_token_id
@workspace_option
@click.option(
    "--overlap", type=DURATION, default="24h", help="How long the secrets in use stay valid; 7d at the most, 0s: end."
)
@click.option("--expires-in", type=DURATION, help="How long the token lives from now on; else its end stays.")
@operates
def rotate(out: Output, token_id: UUID, workspace: str, overlap: timedelta, expires_in: timedelta | None) -> None:
    """Give a token a new secret, shown this once; its id, name and policies stay."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    with transaction() as connection:
        rotated = api.rotate(
            connection,
            workspace_id=workspaces.by_slug(connection, workspace).id,
            token_id=token_id,
            digest=secret.digest,
            by=OPERATOR,
            overlap=overlap,
            lifetime=expires_in,
            limits=context().token_limits,
        )
    out.one({"id": token_id, "name": rotated.name, "token": secret.text, "expires_at": rotated.expires_at})


@token.command(name="end-overlap")
@_token_id
@workspace_option
@operates
def end_overlap(out: Output, token_id: UUID, workspace: str) -> None:
    """End the secrets of a token now that its newest one replaces."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.one(_facts(api.end_overlap(connection, workspace_id=of, token_id=token_id, by=OPERATOR)))


@token.command()
@_token_id
@workspace_option
@operates
def revoke(out: Output, token_id: UUID, workspace: str) -> None:
    """End a token now, and those that it has made."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        ended = api.revoke(connection, workspace_id=of, token_id=token_id, by=OPERATOR)
    out.one({"id": token_id, "revoked": True, "ended": ended})
