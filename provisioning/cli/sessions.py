"""`provisioning session`: begin, list, check and revoke; and the link that signs somebody in once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from provisioning.cli.output import Output
from provisioning.cli.recorded import record
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import users, workspaces
from provisioning.directory.paging import Window
from provisioning.refusals import NotFound
from provisioning.sessions import lifecycle, links
from provisioning.sessions.listing import SessionView
from provisioning.sessions.rules import UNKNOWN, Verdict
from provisioning.sessions.sign_in import SignIn


@click.group()
def session() -> None:
    """Sessions: signed-in browsers and devices."""


def _judged(verdict: Verdict) -> dict[str, Any]:
    return {
        "active": verdict.active,
        "reason": verdict.reason,
        "policy": verdict.policy,
        "expires_at": verdict.expires_at,
        "workspace": verdict.workspace,
    }


@session.command()
@click.option("--email", required=True, help="Whose session it is.")
@click.option("--address", help="The network address at which the person is.")
@click.option("--user-agent", help="What the person's browser calls itself.")
@operates
def create(out: Output, email: str, address: str | None, user_agent: str | None) -> None:
    """Begin a session; its token is shown this once."""
    secret = context().keyring.mint(Kind.SESSION)
    how = SignIn(address=address, user_agent=user_agent)
    policy = context().session_policy
    with transaction() as connection:
        begun = lifecycle.begin_by_email(
            connection, email=email, digest=secret.digest, policy=policy, by=OPERATOR, how=how
        )
    out.one(
        {
            "id": begun.id,
            "token": secret.text,
            "policy": begun.policy,
            "created_at": begun.created_at,
            "expires_at": begun.expires_at,
        }
    )


@session.command(name="list")
@click.option("--workspace", help="Only those of the members of the workspace with this slug.")
@click.option("--email", help="Only those of the person with this address.")
@click.option("--count", type=click.IntRange(1, 10_000), default=100, help="How many at the most.")
@operates
def list_(out: Output, workspace: str | None, email: str | None, count: int) -> None:
    """List sessions, newest first."""
    with reading() as connection:
        of = None if workspace is None else workspaces.by_slug(connection, workspace).id
        found = lifecycle.every(
            connection, policy=context().session_policy, workspace_id=of, email=email, window=Window(count)
        )
    if of is not None:
        record("sessions", workspace_id=of, email=email)
    out.many("sessions", [_shown(one) for one in found.items], total=found.total)


def _shown(found: SessionView) -> dict[str, Any]:
    return {
        "id": found.id,
        "email": found.email,
        "created_at": found.created_at,
        "last_seen_at": found.last_seen_at,
        **_judged(found.verdict),
        "address": found.sign_in.address,
        "user_agent": found.sign_in.user_agent,
        "connection": found.connection,
        "authenticated_at": found.sign_in.authenticated_at,
    }


@session.command()
@click.argument("token")
@operates
def check(out: Output, token: str) -> None:
    """Judge a session at this moment. The question is no activity: it lengthens nothing."""
    digest = context().keyring.recognise(token, Kind.SESSION)
    if digest is None:
        out.one(_judged(UNKNOWN))
        return
    with reading() as connection:
        verdict, _ = lifecycle.judge(connection, digest=digest, policy=context().session_policy)
    out.one(_judged(verdict))


@session.command()
@click.argument("session_id", type=click.UUID)
@operates
def revoke(out: Output, session_id: UUID) -> None:
    """End a session now."""
    with transaction() as connection:
        lifecycle.revoke(connection, session_id=session_id, workspace_id=None, by=OPERATOR)
    out.one({"id": session_id, "revoked": True})


@click.command(name="sign-in-link")
@click.argument("email")
@operates
def sign_in_link(out: Output, email: str) -> None:
    """Print a link that signs a person in: once, within ten minutes."""
    secret = context().keyring.mint(Kind.SIGN_IN_LINK)
    with transaction() as connection:
        account = users.by_email(connection, email)
        if account is None:
            raise NotFound(f"Nobody here has the address {email}.")
        links.issue(connection, user_id=account[0], digest=secret.digest, by=OPERATOR)
    out.one({"email": email, "url": f"{context().public_url}/sign-in/link#{secret.text}"})
