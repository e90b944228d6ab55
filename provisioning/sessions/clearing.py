"""For the workers: mark as ended what every check refuses already. Nothing here decides; twice does no harm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, and_, bindparam, case, column, delete, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory.models import Member, User, Workspace
from provisioning.outbox import Actor
from provisioning.sessions import limits
from provisioning.sessions.events import SessionsCleared
from provisioning.sessions.models import Session, SessionLimit, SignInLink
from provisioning.sessions.rules import HIPAA, STANDARD, SessionPolicy, Standing, verdict
from provisioning.sessions.standing import STANDING


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
    members: int
    cleared: int


def count_members(connection: Connection, *, workspace_id: UUID) -> int:
    """How many members a walk through a workspace is going to look at."""
    walked = select(func.count()).where(Member.workspace_id == workspace_id, Member.active)
    return connection.execute(walked).scalar_one()


def clear_workspace(connection: Connection, *, workspace_id: UUID, after: UUID | None, most: int, by: Actor) -> Stretch:
    """Mark the sessions that a workspace's change or deletion has ended, for the next members in the order of ids.

    Args:
        connection: in a transaction of its own.
        workspace_id: the workspace.
        after: the member up to whom this has been done.
        most: how many members to look at.
        by: who does it.

    Returns:
        The last member looked at, None at the end of the walk, how many there were, and how many sessions were marked.
    """
    walk = select(Member.id, Member.user_id, Member.active_since_epoch).where(
        Member.workspace_id == workspace_id, Member.active
    )
    if after is not None:
        walk = walk.where(Member.id > after)
    members = walk.order_by(Member.id).limit(most).cte("walked")
    counted = select(members.c.id, func.count().over()).order_by(members.c.id.desc()).limit(1)
    last, looked_at = connection.execute(counted).one_or_none() or (None, 0)
    if last is None:
        return Stretch(None, 0, 0)
    rows = connection.execute(
        update(Session)
        .where(
            Workspace.id == workspace_id,
            Session.user_id == members.c.user_id,
            Session.ended_at.is_(None),
            Workspace.session_epoch > Session.epoch,
            Workspace.session_epoch > members.c.active_since_epoch,
        )
        .values(
            ended_at=func.clock_timestamp(),
            ended_reason=case((Workspace.deleted_at.is_(None), "revoked_hipaa_change"), else_="removed"),
            ended_workspace_id=workspace_id,
        )
        .returning(Session.id, Session.ended_reason)
    ).all()
    return Stretch(last, looked_at, _tell(connection, rows, workspace_id=workspace_id, by=by))


def mark_expired(connection: Connection, *, policy: SessionPolicy, most: int, by: Actor) -> int:
    """Mark sessions whose time is over as ended, for the reason that a check gives at this moment.

    Returns:
        How many were marked; fewer than `most` when none are left.
    """
    over = or_(*(_is_over(name, policy) for name in (STANDARD, HIPAA)), _is_over_by_workspace())
    found = connection.execute(
        select(Session.id).where(Session.ended_at.is_(None), over).limit(most).with_for_update(skip_locked=True)
    ).scalars()
    rows = connection.execute(STANDING.where(Session.id.in_(list(found))))
    endings = [
        {"id": str(standing.id), "reason": judged.reason, "workspace": judged.workspace}
        for standing in (Standing(*row) for row in rows)
        if not (judged := verdict(standing, policy)).active
    ]
    return _tell(connection, _mark(connection, endings), workspace_id=None, by=by)


def _mark(connection: Connection, endings: list[dict[str, Any]]) -> Any:
    """Mark each session with the ending that it was judged by."""
    columns = (column("id", Uuid), column("reason", Text), column("workspace", Text))
    ending = (
        func.jsonb_to_recordset(bindparam("endings", endings, JSONB))
        .table_valued(*columns, name="ending")
        .render_derived(with_types=True)
    )
    causing = (
        select(Workspace.id)
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Workspace.slug == ending.c.workspace, Member.user_id == Session.user_id)
        .order_by(Workspace.deleted_at.desc().nulls_first())
        .limit(1)
        .scalar_subquery()
    )
    marked = (
        update(Session)
        .where(Session.id == ending.c.id)
        .values(ended_at=func.clock_timestamp(), ended_reason=ending.c.reason, ended_workspace_id=causing)
        .returning(Session.id, Session.ended_reason)
    )
    return connection.execute(marked).all()


def _is_over(name: str, policy: SessionPolicy) -> ColumnElement[bool]:
    limits, now = policy.limits(name), func.clock_timestamp()
    past = or_(Session.created_at <= now - limits.absolute, Session.last_seen_at <= now - limits.idle)
    return and_(Session.policy == name, past)


def _is_over_by_workspace() -> ColumnElement[bool]:
    """Whether the time of a session has run out by a limit of a workspace of the person's."""
    sessions = aliased(Session)
    return Session.id.in_(
        select(sessions.id)
        .join(Member, and_(Member.user_id == sessions.user_id, Member.active))
        .join(Workspace, Workspace.id == Member.workspace_id)
        .join(SessionLimit, limits.binding(sessions))
        .where(sessions.ended_at.is_(None), limits.is_over(sessions))
    )


def forget(connection: Connection, *, older_than: timedelta, most: int) -> int:
    """Delete sessions that ended long ago, and links whose time was over then. The facts of them stay.

    Returns:
        How many sessions were deleted; fewer than `most` when none are left.
    """
    then = func.clock_timestamp() - older_than
    connection.execute(delete(SignInLink).where(SignInLink.expires_at < then))
    old = (
        select(Session.id)
        .where(Session.ended_at < then)
        .order_by(Session.ended_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    return connection.execute(delete(Session).where(Session.id == old.c.id)).rowcount


def _tell(connection: Connection, rows: Any, *, workspace_id: UUID | None, by: Actor) -> int:
    by_reason: dict[str, list[UUID]] = {}
    for session_id, reason in rows:
        by_reason.setdefault(reason, []).append(session_id)
    facts = [SessionsCleared(reason=reason, session_ids=tuple(ids)) for reason, ids in by_reason.items()]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    return len(rows)
