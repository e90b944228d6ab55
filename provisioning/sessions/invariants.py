"""What must hold of sessions, however workers were killed: what is refused is marked as ended before long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning.directory.models import User
from provisioning.invariants import Finding, look
from provisioning.outbox import Event
from provisioning.sessions.models import Session
from provisioning.sessions.rules import HIPAA, STANDARD, SessionPolicy


def findings(connection: Connection, *, policy: SessionPolicy, within: timedelta) -> Sequence[Finding]:
    """Live sessions older than their policy for so long, and those that a change ended and that nobody is to clear."""
    then = func.clock_timestamp() - within
    over = or_(
        *(
            and_(
                Session.policy == name,
                or_(
                    Session.created_at <= then - policy.limits(name).absolute,
                    Session.last_seen_at <= then - policy.limits(name).idle,
                ),
            )
            for name in (STANDARD, HIPAA)
        )
    )
    live = select(Session.id).where(Session.ended_at.is_(None))
    fact = aliased(Event)
    # The subject of `directory.events.SessionsOutdated`.
    waiting = select(1).where(fact.subject == func.concat("user:", Session.user_id), fact.done_at.is_(None)).exists()
    ended = live.join(User, User.id == Session.user_id).where(User.session_epoch > Session.epoch, ~waiting)
    return [
        look(connection, "sessions_older_than_their_policy", live.where(over)),
        look(connection, "sessions_ended_by_a_change_and_not_cleared", ended),
    ]
