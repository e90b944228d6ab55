"""People who sign in, and time that passes for their sessions: they grow older, the database's clock stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import users, workspaces
from provisioning.sessions import lifecycle
from provisioning.sessions.models import Session
from provisioning.sessions.rules import Standing, Verdict
from tests.conftest import TEST


def begin(email: str, **how: Any) -> bytes:
    """Sign somebody in; the digest by which the session is known."""
    secret = context().keyring.mint(Kind.SESSION)
    with transaction() as connection:
        policy = context().session_policy
        lifecycle.begin_by_email(connection, email=email, digest=secret.digest, policy=policy, by=TEST, **how)
    return secret.digest


def begin_in(email: str, workspace_id: UUID) -> bytes:
    """Sign somebody in to one workspace alone, as an admin of it does."""
    secret = context().keyring.mint(Kind.SESSION)
    with transaction() as connection:
        account = users.by_email(connection, email)
        assert account is not None
        policy = context().session_policy
        who = {"user_id": account[0], "reach_id": workspace_id}
        lifecycle.begin(connection, digest=secret.digest, policy=policy, by=TEST, **who)
    return secret.digest


def look(session: bytes, workspace_id: UUID | None = None) -> tuple[Verdict, Standing | None]:
    """Judge a session, and see what the verdict rests on."""
    with reading() as connection:
        policy = context().session_policy
        return lifecycle.judge(connection, digest=session, policy=policy, workspace_id=workspace_id)


def judge(session: bytes) -> Verdict:
    """Judge a session."""
    return look(session)[0]


def use(session: bytes) -> Verdict:
    """Use a session as a request does: judged, and if it lives, that is activity."""
    verdict, standing = look(session)
    if standing is not None and verdict.active:
        with reading() as connection:
            lifecycle.record_activity(connection, standing=standing, policy=context().session_policy)
    return verdict


def flip(workspace: str, *, on: bool) -> None:
    """Change a workspace's eligibility."""
    with transaction() as connection:
        workspaces.set_hipaa_eligible(connection, slug=workspace, eligible=on, by=TEST)


def grow_older(sessions: Iterable[bytes], by: timedelta) -> None:
    """Let time pass for sessions, as if the clock had jumped ahead."""
    stamps = ("created_at", "last_seen_at", "authenticated_at", "former_until")
    older = {name: getattr(Session, name) - by for name in stamps}
    with transaction() as connection:
        connection.execute(update(Session).where(Session.digest.in_(list(sessions))).values(**older))


def stored(session: bytes) -> Any:
    """The row of a session."""
    with reading() as connection:
        return connection.execute(select(Session.__table__).where(Session.digest == session)).one()
