"""A workspace's own limits: its owners may make sessions shorter than the service does, and never longer.

They are kept with the epochs between which they are in force. A session is bound by those that are in force now and by
those that were while it lived, so that neither relaxing a limit nor anything that a worker misses lengthens one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory import workspaces
from provisioning.directory.models import SESSION_EPOCHS, Member, Workspace
from provisioning.outbox import Actor
from provisioning.refusals import Invalid
from provisioning.sessions.events import SessionLimitsChanged
from provisioning.sessions.models import Session, SessionLimit
from provisioning.sessions.rules import HIPAA, STANDARD, SessionPolicy

# Shorter ones would only keep people from working, in other workspaces, too.
SHORTEST = 60


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """What a workspace's owners have set, in seconds; None stands for the service's limit."""

    idle: int | None = None
    absolute: int | None = None


_IN_FORCE = SessionLimit.until_epoch.is_(None)


def of_workspace(connection: Connection, *, workspace_id: UUID) -> OwnLimits:
    """The limits that are in force."""
    wanted = select(SessionLimit.idle_seconds, SessionLimit.absolute_seconds)
    row = connection.execute(wanted.where(SessionLimit.workspace_id == workspace_id, _IN_FORCE)).one_or_none()
    return OwnLimits() if row is None else OwnLimits(*row)


def replace(
    connection: Connection, *, workspace_id: UUID, limits: OwnLimits, policy: SessionPolicy, by: Actor
) -> OwnLimits:
    """Set a workspace's limits. A shorter one binds all its members from the commit on, a longer one only new sessions.

    Args:
        connection: in a transaction.
        workspace_id: the workspace.
        limits: the new ones.
        policy: the service's limits.
        by: who does it.

    Raises:
        NotFound: there is no such workspace.
        Invalid: a limit is shorter than a minute, or longer than the service's.
    """
    hipaa = workspaces.lock(connection, workspace_id).hipaa_eligible
    longest = policy.limits(HIPAA if hipaa else STANDARD)
    _refuse_longer("idleSeconds", limits.idle, longest.idle)
    _refuse_longer("absoluteSeconds", limits.absolute, longest.absolute)
    if limits == of_workspace(connection, workspace_id=workspace_id):
        return limits
    epoch = connection.execute(select(SESSION_EPOCHS.next_value())).scalar_one()
    connection.execute(
        update(SessionLimit).where(SessionLimit.workspace_id == workspace_id, _IN_FORCE).values(until_epoch=epoch)
    )
    if limits != OwnLimits():
        new = {"idle_seconds": limits.idle, "absolute_seconds": limits.absolute}
        connection.execute(insert(SessionLimit).values(workspace_id=workspace_id, since_epoch=epoch, **new))
    fact = SessionLimitsChanged(workspace_id=workspace_id, idle_seconds=limits.idle, absolute_seconds=limits.absolute)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return limits


def _refuse_longer(field: str, seconds: int | None, longest: timedelta) -> None:
    most = int(longest.total_seconds())
    if seconds is not None and not SHORTEST <= seconds <= most:
        raise Invalid(f"A workspace's limit lies between {SHORTEST} seconds and the service's, {most}.", field=field)


def binding(session: Any = Session) -> ColumnElement[bool]:
    """Whether a limit binds a session, in a query that joins both with an active member of the limit's workspace.

    A session that opens another workspace alone is none of this one's business.
    """
    lived_under = and_(SessionLimit.until_epoch > session.epoch, SessionLimit.until_epoch > Member.active_since_epoch)
    reaches = or_(session.reach_id.is_(None), session.reach_id == SessionLimit.workspace_id)
    return and_(
        SessionLimit.workspace_id == Workspace.id, Workspace.deleted_at.is_(None), reaches, or_(_IN_FORCE, lived_under)
    )


def of_session() -> Any:
    """The limits that bind a session, as a column of a query of sessions: slug, idle and absolute seconds of each."""
    one = func.jsonb_build_array(Workspace.slug, SessionLimit.idle_seconds, SessionLimit.absolute_seconds)
    return (
        select(func.coalesce(func.jsonb_agg(one), func.jsonb_build_array()))
        .select_from(Member)
        .join(Workspace, Workspace.id == Member.workspace_id)
        .join(SessionLimit, binding())
        .where(Member.user_id == Session.user_id, Member.active)
        .correlate(Session)
        .scalar_subquery()
    )


def is_over(session: Any) -> ColumnElement[bool]:
    """Whether a session's time has run out by a limit, in a query as `binding` describes it."""
    now, second = func.clock_timestamp(), timedelta(seconds=1)
    return or_(
        session.last_seen_at + SessionLimit.idle_seconds * second <= now,
        session.created_at + SessionLimit.absolute_seconds * second <= now,
    )
