"""Sessions: begin one, judge one, record activity, list, revoke.

A session is judged from committed state, by the database's clock, in one query; nothing is remembered between two
questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, case, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import users
from provisioning.directory.models import SESSION_EPOCHS, Member, User, Workspace
from provisioning.directory.models import Connection as IdpConnection
from provisioning.outbox import Actor
from provisioning.refusals import NoActiveMembership, NotFound
from provisioning.sessions.events import SessionBegun, SessionRevoked
from provisioning.sessions.models import Session
from provisioning.sessions.rules import HIPAA, STANDARD, UNKNOWN, SessionPolicy, Standing, Verdict, verdict
from provisioning.sessions.sign_in import UNTOLD, SignIn


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has just begun."""

    id: UUID
    user_id: UUID
    policy: str
    created_at: datetime
    expires_at: datetime


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


def begin_by_email(
    connection: Connection, *, email: str, digest: bytes, policy: SessionPolicy, by: Actor, how: SignIn = UNTOLD
) -> Begun:
    """Begin a session for the person who has this address.

    Raises:
        NotFound: nobody has it.
        NoActiveMembership: the person is an active member of no workspace.
    """
    account = users.by_email(connection, email)
    if account is None:
        raise NotFound(f"Nobody here has the address {email}.")
    return begin(connection, user_id=account[0], digest=digest, policy=policy, by=by, how=how)


def begin(
    connection: Connection,
    *,
    user_id: UUID,
    digest: bytes,
    policy: SessionPolicy,
    by: Actor,
    reach_id: UUID | None = None,
    how: SignIn = UNTOLD,
) -> Begun:
    """Begin a session.

    The person's row is locked FOR SHARE and the workspaces' FOR KEY SHARE until the commit, against which every change
    that ends sessions has to wait: a session either began before the change and has the smaller epoch, or is judged
    by what the change has made true.

    Args:
        connection: in a transaction.
        user_id: whose session it is.
        digest: of its text.
        policy: the limits in force.
        by: who began it.
        reach_id: the only workspace that it opens, where an admin of that workspace begins it.
        how: how the person proved who they are.

    Raises:
        NoActiveMembership: the person is an active member of no workspace, or not of that one.
    """
    connection.execute(select(User.id).where(User.id == user_id).with_for_update(read=True)).one()
    memberships = connection.execute(
        select(Workspace.id, Workspace.hipaa_eligible)
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Member.user_id == user_id, Member.active)
        .order_by(Workspace.id)
        .with_for_update(read=True, key_share=True, of=Workspace)
    ).all()
    if not any(reach_id in {None, workspace_id} for workspace_id, _ in memberships):
        raise NoActiveMembership("This person is an active member of no workspace.")
    name = HIPAA if any(eligible for _, eligible in memberships) else STANDARD
    row = connection.execute(
        insert(Session)
        .values(
            id=entropy.new_id(),
            user_id=user_id,
            digest=digest,
            reach_id=reach_id,
            policy=name,
            epoch=SESSION_EPOCHS.next_value(),
            text_epoch=SESSION_EPOCHS.next_value(),
            connection_workspace_id=_workspace_of(how.connection_id),
            **how.columns(),
        )
        .returning(Session.id, Session.created_at)
    ).one()
    fact = SessionBegun(user_id=user_id, session_id=row.id, policy=name)
    outbox.append(connection, fact, workspace_id=None, by=by)
    limits = policy.limits(name)
    return Begun(row.id, user_id, name, row.created_at, row.created_at + min(limits.absolute, limits.idle))


def _workspace_of(connection_id: UUID | None) -> Any:
    """The workspace of a connection, which foreign keys carry along."""
    if connection_id is None:
        return None
    return select(IdpConnection.workspace_id).where(IdpConnection.id == connection_id).scalar_subquery()


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


_STANDING: Select[*tuple[Any, ...]] = (
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
        _of_person(
            func.min(Workspace.slug),
            Workspace.session_epoch > Session.epoch,
            Workspace.session_epoch > Member.active_since_epoch,
        ),
        _of_person(func.min(case((Workspace.hipaa_eligible, Workspace.slug)))),
        _of_person(func.count()),
        func.clock_timestamp(),
    )
    .join(User, User.id == Session.user_id)
    .outerjoin(_ended_by, _ended_by.id == Session.ended_workspace_id)
    .outerjoin(_outdated_by, _outdated_by.id == User.epoch_workspace_id)
)
_BY_DIGEST = _STANDING.where(Session.digest == bindparam("digest"))
# A workspace's admins see and end the sessions of its members that reach into it, and no others.
_TOUCHES = and_(
    or_(Session.reach_id.is_(None), Session.reach_id == bindparam("workspace")),
    select(1).where(Member.user_id == Session.user_id, Member.workspace_id == bindparam("workspace")).exists(),
)


def judge(
    connection: Connection, *, digest: bytes, policy: SessionPolicy, workspace_id: UUID | None = None
) -> tuple[Verdict, Standing | None]:
    """Judge the session of this digest, at this moment.

    Args:
        connection: to read committed state with.
        digest: of the session's text.
        policy: the limits in force.
        workspace_id: where given, the sessions of those who are no members of it are unknown.

    Returns:
        The verdict, and what it rests on where there is such a session.
    """
    wanted = _BY_DIGEST if workspace_id is None else _BY_DIGEST.where(_TOUCHES)
    row = connection.execute(wanted, {"digest": digest, "workspace": workspace_id}).one_or_none()
    if row is None:
        return UNKNOWN, None
    standing = Standing(*row)
    return verdict(standing, policy), standing


def record_activity(connection: Connection, *, standing: Standing, policy: SessionPolicy) -> None:
    """Note that a session which was just found alive is in use, at most once an interval.

    What is written is the moment of the judgement, so that the idle limit may strike up to an interval early, but
    never late.
    """
    if standing.now - standing.last_seen_at < policy.activity_interval:
        return
    connection.execute(
        update(Session)
        .where(Session.id == standing.id, Session.ended_at.is_(None), Session.last_seen_at == standing.last_seen_at)
        .values(last_seen_at=standing.now)
    )


_SIGN_IN = (
    Session.address,
    Session.user_agent,
    Session.connection_id,
    Session.authenticated_at,
    Session.acr,
    Session.amr,
    Session.provider_session,
)
_LIST: Select[*tuple[Any, ...]] = (
    _STANDING.outerjoin(
        IdpConnection,
        and_(IdpConnection.workspace_id == Session.connection_workspace_id, IdpConnection.id == Session.connection_id),
    )
    .add_columns(User.email, IdpConnection.name, *_SIGN_IN)
    .order_by(Session.id.desc())
)


def _view(row: Sequence[Any], policy: SessionPolicy) -> SessionView:
    beyond = len(_STANDING.selected_columns)
    standing = Standing(*row[:beyond])
    email, connection, *how = row[beyond:]
    sign_in = SignIn(*how)
    return SessionView(
        standing.id,
        email,
        standing.created_at,
        standing.last_seen_at,
        verdict(standing, policy),
        replace(sign_in, amr=tuple(sign_in.amr)),
        connection,
    )


def every(
    connection: Connection, *, policy: SessionPolicy, workspace_id: UUID | None, email: str | None, most: int
) -> Sequence[SessionView]:
    """Sessions, newest first, the ended ones too.

    Args:
        connection: to read with.
        policy: the limits in force.
        workspace_id: only those of its members; None for the operator.
        email: only those of the person with this address.
        most: how many at the most.
    """
    wanted = _LIST.limit(most)
    if workspace_id is not None:
        wanted = wanted.where(_TOUCHES)
    if email is not None:
        wanted = wanted.where(User.email_key == users.address_key(email))
    return [_view(row, policy) for row in connection.execute(wanted, {"workspace": workspace_id})]


def revoke(connection: Connection, *, session_id: UUID, workspace_id: UUID | None, by: Actor) -> None:
    """End a session before its time; one that has ended already stays as it is.

    Args:
        connection: in a transaction.
        session_id: which.
        workspace_id: the session must be that of a member of it; None for the operator.
        by: who did it.

    Raises:
        NotFound: there is no such session, or it is none of that workspace's business.
    """
    wanted = select(Session.user_id).where(Session.id == session_id)
    if workspace_id is not None:
        wanted = wanted.where(_TOUCHES)
    user_id = connection.execute(wanted, {"workspace": workspace_id}).scalar_one_or_none()
    if user_id is None:
        raise NotFound("There is no such session.")
    ended = (
        update(Session)
        .where(Session.id == session_id, Session.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), ended_reason="revoked", ended_workspace_id=workspace_id)
    )
    if connection.execute(ended).rowcount:
        fact = SessionRevoked(user_id=user_id, session_id=session_id)
        outbox.append(connection, fact, workspace_id=workspace_id, by=by)
