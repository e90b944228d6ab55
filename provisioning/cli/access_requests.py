"""`provisioning access-request`: what members ask for, and the operator's answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from provisioning import clock
from provisioning.access import access_requests
from provisioning.access.access_requests import AccessRequestView
from provisioning.access.policies import Terms
from provisioning.cli.changes import changing, operator
from provisioning.cli.durations import DURATION
from provisioning.cli.options import count_option, dry_run_option, label_option, start_index_option, workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.database import reading
from provisioning.directory import roster, workspaces
from provisioning.directory.paging import Window


@click.group(name="access-request")
def access_request() -> None:
    """Access requests: members ask, owners answer."""


def _facts(found: AccessRequestView) -> dict[str, Any]:
    return {
        "id": found.id,
        "email": found.email,
        "role": found.role,
        "scope": found.scope.as_json(),
        "reason": found.reason,
        "state": found.state,
        "created_at": found.created_at,
        "answer": found.answer,
        "policy_id": found.policy_id,
    }


_request_id = click.argument("request_id", type=click.UUID)


@access_request.command(name="list")
@workspace_option
@click.option("--state", type=click.Choice(access_requests.STATES), help="Only those in this state.")
@start_index_option
@count_option
@operates
def list_(out: Output, workspace: str, state: str | None, start_index: int, count: int) -> None:
    """List access requests, newest first."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        roles = operator(connection, of).roles
        window = Window(count, start_index)
        page = access_requests.some(connection, workspace_id=of, roles=roles, window=window, state=state)
    out.many("access_requests", [_facts(found) for found in page.items], total=page.total)


@access_request.command()
@click.argument("email")
@workspace_option
@click.option("--role", required=True, help="The key of a role, such as source-admin.")
@label_option
@click.option("--resource", "resources", multiple=True, help="type:id; neither label nor resource: all of its kind.")
@click.option("--reason", required=True, help="Why.")
@operates
def create(
    out: Output, email: str, workspace: str, role: str, labels: tuple[str, ...], resources: tuple[str, ...], reason: str
) -> None:
    """Ask for a role on behalf of a member."""
    with changing(out, workspace, dry_run=False) as (connection, of):
        member = roster.by_email(connection, workspace_id=of, email=email)
        terms = Terms(role, labels, resources, reason=reason)
        roles = operator(connection, of).roles
        made = access_requests.ask(
            connection, workspace_id=of, member_id=member.id, terms=terms, roles=roles, by=OPERATOR
        )
    out.one(_facts(made))


@access_request.command()
@_request_id
@workspace_option
@click.option("--for", "lasting", type=DURATION, help="How long, such as 8h or 30d; for good where nothing is said.")
@dry_run_option
@operates
def approve(out: Output, request_id: UUID, workspace: str, lasting: timedelta | None, *, dry_run: bool) -> None:
    """Give what is asked for."""
    with changing(out, workspace, dry_run=dry_run) as (connection, of):
        ends_at = None if lasting is None else clock.now() + lasting
        by = operator(connection, of)
        done = access_requests.approve(connection, workspace_id=of, request_id=request_id, ends_at=ends_at, giver=by)
        if not dry_run:
            out.one(_facts(done))


@access_request.command()
@_request_id
@workspace_option
@click.option("--reason", help="Why not.")
@operates
def deny(out: Output, request_id: UUID, workspace: str, reason: str | None) -> None:
    """Say no."""
    with changing(out, workspace, dry_run=False) as (connection, of):
        by = operator(connection, of)
        done = access_requests.deny(connection, workspace_id=of, request_id=request_id, answer=reason, giver=by)
    out.one(_facts(done))
