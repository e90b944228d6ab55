"""`provisioning invitation`: people who may become members by answering a letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from provisioning.access import admission, policies
from provisioning.access.policies import Subject, Terms
from provisioning.cli.changes import operator
from provisioning.cli.durations import DURATION
from provisioning.cli.options import workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import invitations, local_groups, workspaces
from provisioning.directory.invitations import InvitationView
from provisioning.directory.paging import Window


@click.group()
def invitation() -> None:
    """Invitations: people who become members by answering a letter."""


def _facts(connection: Connection, found: InvitationView) -> dict[str, Any]:
    subject = Subject("invitation", found.id)
    held = policies.of(connection, workspace_id=found.workspace_id, subject=subject)
    return {
        "id": found.id,
        "email": found.email,
        "state": found.state,
        "owner": found.owner,
        "roles": [policy.role for policy in held],
        "groups": [group.display_name for group in found.groups],
        "inviter": found.inviter,
        "delivery": found.delivery,
        "expires_at": found.expires_at,
    }


@invitation.command()
@click.argument("email")
@workspace_option
@click.option("--role", "roles", multiple=True, help="The key of a role that they are going to have.")
@click.option("--label", "labels", multiple=True, help="key:value that the roles are narrowed to.")
@click.option("--resource", "resources", multiple=True, help="type:id that the roles are narrowed to.")
@click.option("--group", "groups", multiple=True, help="The name of a local group that they are going to be in.")
@click.option("--expires-in", type=DURATION, help="How long they may take (PROVISIONING_INVITATION_LIFETIME).")
@operates
def create(
    out: Output,
    email: str,
    workspace: str,
    roles: tuple[str, ...],
    labels: tuple[str, ...],
    resources: tuple[str, ...],
    groups: tuple[str, ...],
    expires_in: timedelta | None,
) -> None:
    """Invite somebody; a worker sends the letter."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        made = admission.invite(
            connection,
            workspace_id=of,
            email=email,
            terms=[Terms(role, labels, resources) for role in roles],
            group_ids=[local_groups.by_name(connection, workspace_id=of, name=name).id for name in groups],
            lifetime=expires_in or context().invitation_lifetime,
            giver=operator(connection, of),
        )
        facts = _facts(connection, made)
    out.one(facts)


@invitation.command(name="list")
@workspace_option
@click.option("--start-index", type=click.IntRange(min=1), default=1, help="The place of the first one, from 1.")
@click.option("--count", type=click.IntRange(0, 10_000), default=100, help="How many at the most.")
@operates
def list_(out: Output, workspace: str, start_index: int, count: int) -> None:
    """List invitations that nobody has accepted, those that have expired too."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        page = invitations.every(connection, workspace_id=of, window=Window(count, start_index))
        rows = [_facts(connection, found) for found in page.items]
    out.many("invitations", rows, total=page.total)


@invitation.command()
@click.argument("email")
@workspace_option
@operates
def resend(out: Output, email: str, workspace: str) -> None:
    """Send another letter; the link of the former works no more."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        held = invitations.lock_by_email(connection, workspace_id=of, email=email)
        lifetime = context().invitation_lifetime
        facts = _facts(connection, invitations.resend(connection, invitation=held, lifetime=lifetime, by=OPERATOR))
    out.one(facts)


@invitation.command()
@click.argument("email")
@workspace_option
@operates
def revoke(out: Output, email: str, workspace: str) -> None:
    """Take an invitation back."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        held = invitations.lock_by_email(connection, workspace_id=of, email=email)
        invitations.revoke(connection, invitation=held, by=OPERATOR)
    out.one({"id": held.id, "email": held.email, "revoked": True})
