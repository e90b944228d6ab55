"""For the workers: mark as ended what every check refuses already. Nothing here decides; twice does no harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory.models import Member, User, Workspace
from provisioning.outbox import Actor
from provisioning.sessions.events import SessionsCleared
from provisioning.sessions.models import Session
from provisioning.sessions.rules import HIPAA, STANDARD, SessionPolicy


def clear_person(connection: Connection, *, user_id: UUID, by: Actor) -> int:
    """Mark the sessions that a person began before their last change as ended.

    Epoch numbers are compared, never times: a session begun after the change is out of reach, however late this runs.

    Returns:
        How many were marked.
    """
    rows = connection.execute(
        update(Session)
        .where(
            Session.user_id == user_id,
            Session.ended_at.is_(None),
            User.id == Session.user_id,
            User.session_epoch > Session.epoch,
        )
        .values(
            ended_at=func.clock_timestamp(),
            ended_reason=User.epoch_reason,
            ended_workspace_id=User.epoch_workspace_id,
        )
        .returning(Session.id, Session.ended_reason)
    ).all()
    return _tell(connection, rows, workspace_id=None, by=by)


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far a walk through a workspace's members has come."""

    last_member: UUID | None
    cleared: int


def clear_workspace(connection: Connection, *, workspace_id: UUID, after: UUID | None, most: int, by: Actor) -> Stretch:
    """Mark the sessions that a workspace's change of eligibility has ended, for the next members in the order of ids.

    Args:
        connection: in a transaction of its own.
        workspace_id: the workspace.
        after: the member up to whom this has been done.
        most: how many members to look at.
        by: who does it.

    Returns:
        The last member looked at, None at the end of the walk, and how many sessions were marked.
    """
    walk = select(Member.id, Member.user_id, Member.active_since_epoch).where(
        Member.workspace_id == workspace_id, Member.active
    )
    if after is not None:
        walk = walk.where(Member.id > after)
    members = walk.order_by(Member.id).limit(most).cte("walked")
    last = connection.execute(select(members.c.id).order_by(members.c.id.desc()).limit(1)).scalar_one_or_none()
    if last is None:
        return Stretch(None, 0)
    rows = connection.execute(
        update(Session)
        .where(
            Workspace.id == workspace_id,
            Session.user_id == members.c.user_id,
            Session.ended_at.is_(None),
            Workspace.session_epoch > Session.epoch,
            Workspace.session_epoch > members.c.active_since_epoch,
        )
        .values(ended_at=func.clock_timestamp(), ended_reason="revoked_hipaa_change", ended_workspace_id=workspace_id)
        .returning(Session.id, Session.ended_reason)
    ).all()
    return Stretch(last, _tell(connection, rows, workspace_id=workspace_id, by=by))


def mark_expired(connection: Connection, *, policy: SessionPolicy, most: int, by: Actor) -> int:
    """Mark sessions whose time is over as ended.

    Returns:
        How many were marked; fewer than `most` when none are left.
    """
    over = (
        select(Session.id)
        .where(Session.ended_at.is_(None), or_(_is_over(STANDARD, policy), _is_over(HIPAA, policy)))
        .limit(most)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    too_old = or_(*(_too_old(name, policy) for name in (STANDARD, HIPAA)))
    idle = case((Session.policy == HIPAA, "idle_hipaa"), else_="idle")
    rows = connection.execute(
        update(Session)
        .where(Session.id == func.any(func.array(over)))
        .values(ended_at=func.clock_timestamp(), ended_reason=case((too_old, "absolute"), else_=idle))
        .returning(Session.id, Session.ended_reason)
    ).all()
    return _tell(connection, rows, workspace_id=None, by=by)


def _is_over(name: str, policy: SessionPolicy) -> Any:
    unseen = Session.last_seen_at <= func.clock_timestamp() - policy.limits(name).idle
    return or_(_too_old(name, policy), and_(Session.policy == name, unseen))


def _too_old(name: str, policy: SessionPolicy) -> Any:
    return and_(Session.policy == name, Session.created_at <= func.clock_timestamp() - policy.limits(name).absolute)


def _tell(connection: Connection, rows: Any, *, workspace_id: UUID | None, by: Actor) -> int:
    by_reason: dict[str, list[UUID]] = {}
    for session_id, reason in rows:
        by_reason.setdefault(reason, []).append(session_id)
    facts = [SessionsCleared(reason=reason, session_ids=tuple(ids)) for reason, ids in by_reason.items()]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    return len(rows)
