"""What people see of their own sessions, and end of them.

A session that opens one workspace alone, for an admin of it began it, neither shows nor ends others than its likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory import users
from provisioning.outbox import Actor
from provisioning.refusals import NotFound
from provisioning.sessions import listing
from provisioning.sessions.events import SessionRevoked
from provisioning.sessions.listing import SessionView
from provisioning.sessions.models import Session
from provisioning.sessions.rules import SessionPolicy, Standing

SIGNED_OUT = "signed_out"


def _seen_by(of: Standing) -> ColumnElement[bool]:
    mine = Session.user_id == of.user_id
    return mine if of.reach_id is None else and_(mine, Session.reach_id == of.reach_id)


def alive(connection: Connection, *, of: Standing, policy: SessionPolicy) -> Sequence[SessionView]:
    """The sessions of a person that live at this moment, newest first.

    Args:
        connection: to read with.
        of: the session that asks.
        policy: the limits in force.
    """
    found = listing.where(connection, _seen_by(of), Session.ended_at.is_(None), policy=policy)
    return [view for view in found if view.verdict.active]


def sign_out(connection: Connection, *, of: Standing, session_id: UUID, by: Actor) -> None:
    """End one of a person's sessions; one that has ended already stays as it is.

    Args:
        connection: in a transaction.
        of: the session that asks.
        session_id: which is to end.
        by: who asks.

    Raises:
        NotFound: the person has no such session.
    """
    if connection.execute(select(Session.id).where(Session.id == session_id, _seen_by(of))).one_or_none() is None:
        raise NotFound("You have no such session.")
    _end(connection, of, by, Session.id == session_id)


def sign_out_everywhere(connection: Connection, *, of: Standing, by: Actor) -> None:
    """End all of a person's sessions that were begun until now, this one too."""
    if of.reach_id is None:
        users.end_sessions(connection, user_id=of.user_id, workspace_id=None, reason=SIGNED_OUT, by=by)
    else:
        _end(connection, of, by)


def _end(connection: Connection, of: Standing, by: Actor, *which: ColumnElement[bool]) -> None:
    ended = (
        update(Session)
        .where(*which, _seen_by(of), Session.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), ended_reason=SIGNED_OUT)
        .returning(Session.id)
    )
    facts = [SessionRevoked(user_id=of.user_id, session_id=one) for one in connection.execute(ended).scalars()]
    outbox.append(connection, *facts, workspace_id=None, by=by)
