"""What a session is judged by, as one query with the database's clock in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, bindparam, case, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning.directory.models import Connection as IdpConnection
from provisioning.directory.models import Member, User, Workspace
from provisioning.sessions import limits
from provisioning.sessions.models import Session

_ended_by, _outdated_by = aliased(Workspace), aliased(Workspace)


def _of_person(wanted: Any, *conditions: Any) -> Any:
    """A look at the workspaces in which the person is active, from within a query of sessions."""
    return (
        select(wanted)
        .join_from(Member, Workspace, Workspace.id == Member.workspace_id)
        .where(Member.user_id == Session.user_id, Member.active, *conditions)
        .correlate(Session)
        .scalar_subquery()
    )


# The workspace whose connection vouched for the session, and whose identity provider does so no more.
_CLOSED = (
    select(Workspace.slug)
    .join_from(IdpConnection, Workspace, Workspace.id == IdpConnection.workspace_id)
    .where(
        IdpConnection.workspace_id == Session.connection_workspace_id,
        IdpConnection.id == Session.connection_id,
        IdpConnection.session_epoch > Session.epoch,
    )
    .correlate(Session)
    .scalar_subquery()
)
_IS_THERE = Workspace.deleted_at.is_(None)
_CHANGE = array([case((_IS_THERE, "revoked_hipaa_change"), else_="removed"), Workspace.slug])

# The columns in the order of the fields of `rules.Standing`.
STANDING: Select[*tuple[Any, ...]] = (
    select(
        Session.id,
        Session.user_id,
        Session.reach_id,
        Session.policy,
        Session.created_at,
        Session.last_seen_at,
        Session.ended_at,
        Session.ended_reason,
        _ended_by.slug,
        User.session_epoch > Session.epoch,
        User.epoch_reason,
        _outdated_by.slug,
        User.privilege_epoch > Session.text_epoch,
        _of_person(
            func.min(_CHANGE),
            Workspace.session_epoch > Session.epoch,
            Workspace.session_epoch > Member.active_since_epoch,
        ),
        _of_person(func.min(case((Workspace.hipaa_eligible, Workspace.slug))), _IS_THERE),
        limits.of_session(),
        _of_person(func.count(), _IS_THERE),
        _CLOSED,
        func.clock_timestamp(),
    )
    .join(User, User.id == Session.user_id)
    .outerjoin(_ended_by, _ended_by.id == Session.ended_workspace_id)
    .outerjoin(_outdated_by, _outdated_by.id == User.epoch_workspace_id)
)
# A workspace's admins see and end the sessions of its members that reach into it, and no others.
TOUCHES = and_(
    or_(Session.reach_id.is_(None), Session.reach_id == bindparam("workspace")),
    select(1).where(Member.user_id == Session.user_id, Member.workspace_id == bindparam("workspace")).exists(),
)
