"""Sessions for which an identity provider vouched: they end when somebody signs out there, and with its connection."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory.models import Connection as IdpConnection
from provisioning.outbox import Actor
from provisioning.sessions.events import SessionRevoked, SessionsCleared
from provisioning.sessions.models import Session
from provisioning.sessions.own import SIGNED_OUT

CLOSED = "connection_closed"


@dataclass(frozen=True, slots=True)
class Voucher:
    """Who vouched for a session, and the sealed ID token by which it did."""

    connection_id: UUID
    id_token: str | None


def voucher(connection: Connection, *, session_id: UUID) -> Voucher | None:
    """Who vouched for a session, if an identity provider did."""
    wanted = select(Session.connection_id, Session.id_token).where(Session.id == session_id)
    row = connection.execute(wanted).one_or_none()
    return None if row is None or row.connection_id is None else Voucher(row.connection_id, row.id_token)


def end(
    connection: Connection, *, connection_id: UUID, provider_session: str | None, user_id: UUID | None, by: Actor
) -> int:
    """End what a provider tells that it has ended (OpenID Connect Back-Channel Logout 1.0, section 2.7).

    Args:
        connection: in a transaction.
        connection_id: whose provider tells it; sessions for which another one vouched live on.
        provider_session: what it calls the session, if it means one alone.
        user_id: whose sessions are meant where it names none.
        by: who tells it.

    Returns:
        How many were ended.
    """
    meant = Session.user_id == user_id if provider_session is None else Session.provider_session == provider_session
    rows = connection.execute(
        update(Session)
        .where(Session.connection_id == connection_id, Session.ended_at.is_(None), meant)
        .values(
            ended_at=func.clock_timestamp(), ended_reason=SIGNED_OUT, ended_workspace_id=Session.connection_workspace_id
        )
        .returning(Session.id, Session.user_id, Session.connection_workspace_id)
    ).all()
    for row in rows:
        fact = SessionRevoked(user_id=row.user_id, session_id=row.id)
        outbox.append(connection, fact, workspace_id=row.connection_workspace_id, by=by)
    return len(rows)


def clear(connection: Connection, *, connection_id: UUID, most: int, by: Actor) -> int:
    """Mark sessions as ended whose connection vouches no more: every check refuses them already.

    Args:
        connection: in a transaction of its own.
        connection_id: whose.
        most: how many at once.
        by: who does it.

    Returns:
        How many were marked; fewer than `most` when none are left.
    """
    dead = (
        select(Session.id)
        .join(IdpConnection, IdpConnection.id == Session.connection_id)
        .where(
            Session.connection_id == connection_id,
            Session.ended_at.is_(None),
            IdpConnection.session_epoch > Session.epoch,
        )
        .limit(most)
    )
    marked = (
        update(Session)
        .where(Session.id.in_(dead))
        .values(
            ended_at=func.clock_timestamp(), ended_reason=CLOSED, ended_workspace_id=Session.connection_workspace_id
        )
        .returning(Session.id, Session.connection_workspace_id)
    )
    rows = connection.execute(marked).all()
    if rows:
        fact = SessionsCleared(reason=CLOSED, session_ids=tuple(row.id for row in rows))
        outbox.append(connection, fact, workspace_id=rows[0].connection_workspace_id, by=by)
    return len(rows)
