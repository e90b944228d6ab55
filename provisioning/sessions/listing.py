"""Sessions as they are shown: judged at this moment, with how each was begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, false, func, or_, select
from sqlalchemy.engine import Connection

from provisioning.directory.models import Connection as IdpConnection
from provisioning.directory.models import Member, User, Workspace
from provisioning.sessions.models import Session
from provisioning.sessions.rules import SessionPolicy, Standing, Verdict, verdict
from provisioning.sessions.sign_in import SignIn
from provisioning.sessions.standing import STANDING, TOUCHES

# One workspace is never told the name of another.
HERE = select(Workspace.slug).where(Workspace.id == bindparam("workspace")).scalar_subquery()


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session in a list."""

    id: UUID
    email: str | None
    created_at: datetime
    last_seen_at: datetime
    verdict: Verdict
    # How it was begun; the ID token is shown to nobody.
    sign_in: SignIn
    # What the workspace calls the connection that vouched.
    connection: str | None
    user_id: UUID


def without_others(judged: Verdict, here: str | None) -> Verdict:
    """A verdict as the workspace of this slug may see it."""
    workspace = judged.workspace if judged.workspace == here else None
    next_workspace = judged.next_workspace if judged.next_workspace == here else None
    return replace(judged, workspace=workspace, next_workspace=next_workspace)


_SIGN_IN = (
    Session.address,
    Session.user_agent,
    Session.connection_id,
    Session.authenticated_at,
    Session.acr,
    Session.amr,
    Session.provider_session,
)
LIST: Select[*tuple[Any, ...]] = STANDING.outerjoin(
    IdpConnection,
    and_(IdpConnection.workspace_id == Session.connection_workspace_id, IdpConnection.id == Session.connection_id),
).add_columns(User.email, HERE, Session.connection_workspace_id, IdpConnection.name, *_SIGN_IN)


def view(row: Sequence[Any], policy: SessionPolicy, workspace_id: UUID | None = None) -> SessionView:
    """A row of `LIST` as a value; a workspace is told nothing of others."""
    beyond = len(STANDING.selected_columns)
    standing = Standing(*row[:beyond])
    email, here, vouched_in, connection, *how = row[beyond:]
    sign_in = SignIn(*how)
    sign_in = replace(sign_in, amr=tuple(sign_in.amr))
    judged = verdict(standing, policy)
    if workspace_id is not None:
        judged = without_others(judged, here)
        if vouched_in != workspace_id:
            sign_in, connection = replace(sign_in, connection_id=None, provider_session=None), None
    moments = (standing.created_at, standing.last_seen_at)
    return SessionView(standing.id, email, *moments, judged, sign_in, connection, standing.user_id)


def where(connection: Connection, *conditions: Any, policy: SessionPolicy) -> Sequence[SessionView]:
    """The sessions for which conditions on their rows hold, newest first: for the rooms' own use."""
    newest_first = LIST.where(*conditions).order_by(Session.id.desc())
    return [view(row, policy) for row in connection.execute(newest_first, {"workspace": None})]


def count_open(connection: Connection, *, workspace_id: UUID, user_id: UUID | None = None) -> int:
    """How many sessions open a workspace, or those of one person alone: as many as a revocation would end.

    Those that time has ended count until a worker has marked them.
    """
    there = select(func.count()).select_from(Session).where(Session.ended_at.is_(None), TOUCHES)
    if user_id is not None:
        there = there.where(Session.user_id == user_id)
    return connection.execute(there, {"workspace": workspace_id}).scalar_one()


def count_shortened(connection: Connection, *, workspace_id: UUID, idle: int | None, absolute: int | None) -> int:
    """How many of the sessions that open a workspace have lasted longer already than limits would allow.

    Args:
        connection: to read with.
        workspace_id: whose members' sessions.
        idle: how many seconds without activity; None for no limit.
        absolute: how many seconds since the sign-in; None for no limit.
    """
    now, second = func.clock_timestamp(), timedelta(seconds=1)
    active = select(1).where(Member.user_id == Session.user_id, Member.workspace_id == workspace_id, Member.active)
    over = [
        column + seconds * second <= now
        for column, seconds in ((Session.last_seen_at, idle), (Session.created_at, absolute))
        if seconds is not None
    ]
    there = select(func.count()).select_from(Session).where(Session.ended_at.is_(None), TOUCHES, active.exists())
    return connection.execute(there.where(or_(false(), *over)), {"workspace": workspace_id}).scalar_one()


def count_begun_through(connection: Connection, *, workspace_id: UUID, connection_id: UUID) -> int:
    """How many sessions that have not been marked as ended began through a workspace's connection."""
    here = (Session.connection_workspace_id == workspace_id, Session.connection_id == connection_id)
    return connection.execute(
        select(func.count()).select_from(Session).where(*here, Session.ended_at.is_(None))
    ).scalar_one()
