"""Sessions: begin one, judge one, record activity, list, revoke.

A session is judged from committed state, by the database's clock, in one query; nothing is remembered between two
questions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import users
from provisioning.directory.models import SESSION_EPOCHS, Member, User, Workspace
from provisioning.directory.models import Connection as IdpConnection
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.outbox import Actor
from provisioning.prepared import Prepared, Row
from provisioning.refusals import NoActiveMembership, NotFound
from provisioning.sessions.events import SessionBegun, SessionEnded, SessionRenewed, SessionRevoked
from provisioning.sessions.listing import HERE, LIST, SessionView, view, without_others
from provisioning.sessions.models import Session
from provisioning.sessions.rules import (
    GRACE,
    HIPAA,
    MOST_LIVE,
    STANDARD,
    UNKNOWN,
    SessionPolicy,
    Standing,
    Verdict,
    verdict,
)
from provisioning.sessions.sign_in import UNTOLD, SignIn
from provisioning.sessions.standing import STANDING, TOUCHES


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has just begun."""

    id: UUID
    user_id: UUID
    policy: str
    created_at: datetime
    expires_at: datetime | None


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
    replaces: bytes | None = None,
) -> Begun:
    """Begin a session. The one that the browser had before ends, and the person's oldest where they have too many.

    The person's row is locked and the workspaces' FOR KEY SHARE until the commit, against which every change that ends
    sessions has to wait: a session either began before the change and has the smaller epoch, or is judged by what the
    change has made true.

    Args:
        connection: in a transaction.
        user_id: whose session it is.
        digest: of its text.
        policy: the limits in force.
        by: who began it.
        reach_id: the only workspace that it opens, where an admin of that workspace begins it.
        how: how the person proved who they are.
        replaces: the digest of the text that the browser has sent along, whosesoever session it is.

    Raises:
        NoActiveMembership: the person is an active member of no workspace, or not of that one.
    """
    connection.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True)).one()
    memberships = connection.execute(
        select(Workspace.id, Workspace.hipaa_eligible)
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Member.user_id == user_id, Member.active, Workspace.deleted_at.is_(None))
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
    outbox.append(connection, fact, workspace_id=reach_id, by=by)
    if replaces is not None:
        _end(connection, _BROUGHT, {"brought": replaces}, reason="signed_in_again", by=by)
    alive = _alive(connection, user_id=user_id, reach_id=reach_id, policy=policy)
    if too_many := [standing.id for standing, _ in alive[:-MOST_LIVE]]:
        _end(connection, Session.id.in_(too_many), {}, reason="too_many", by=by)
    standing, judged = alive[-1]
    return Begun(standing.id, user_id, name, standing.created_at, judged.expires_at)


def _alive(
    connection: Connection, *, user_id: UUID, reach_id: UUID | None, policy: SessionPolicy
) -> list[tuple[Standing, Verdict]]:
    """The person's sessions of one reach that live, oldest first; those that are over are left to the workers.

    Each reach is counted by itself: what a workspace's admins begin never ends what opens another.
    """
    same = Session.reach_id.is_not_distinct_from(reach_id)
    rows = connection.execute(
        STANDING.where(Session.user_id == user_id, same, Session.ended_at.is_(None)).order_by(Session.epoch)
    )
    judged = [(standing, verdict(standing, policy)) for standing in (Standing(*row) for row in rows)]
    return [(standing, found) for standing, found in judged if found.active]


def _end(connection: Connection, which: Any, values: dict[str, Any], *, reason: str, by: Actor) -> None:
    """End sessions by a sign-in, and tell of each."""
    ended = (
        update(Session)
        .where(which, Session.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), ended_reason=reason)
        .returning(Session.user_id, Session.id)
    )
    facts = [
        SessionEnded(user_id=user_id, session_id=session_id, reason=reason)
        for user_id, session_id in connection.execute(ended, values)
    ]
    outbox.append(connection, *facts, workspace_id=None, by=by)


def _workspace_of(connection_id: UUID | None) -> Any:
    """The workspace of a connection, which foreign keys carry along."""
    if connection_id is None:
        return None
    return select(IdpConnection.workspace_id).where(IdpConnection.id == connection_id).scalar_subquery()


_BROUGHT = or_(
    Session.digest == bindparam("brought"),
    and_(Session.former_digest == bindparam("brought"), Session.former_until > func.clock_timestamp()),
)
_WITH_DIGEST = STANDING.where(_BROUGHT)
_BY_DIGEST = Prepared(_WITH_DIGEST)
# Judged for a workspace: whoever is suspended there is nobody's business there any more.
_IS_ACTIVE_HERE = (
    select(1)
    .where(Member.user_id == Session.user_id, Member.workspace_id == bindparam("workspace"), Member.active)
    .exists()
)
_BY_DIGEST_HERE = Prepared(_WITH_DIGEST.where(TOUCHES, _IS_ACTIVE_HERE).add_columns(HERE))


def judge(
    connection: Connection, *, digest: bytes, policy: SessionPolicy, workspace_id: UUID | None = None
) -> tuple[Verdict, Standing | None]:
    """Judge the session of this digest, at this moment.

    Args:
        connection: to read committed state with.
        digest: of the session's text.
        policy: the limits in force.
        workspace_id: where given, the sessions of those who are no active members of it are unknown, and the verdict
            names no other workspace.

    Returns:
        The verdict, and what it rests on where there is such a session.
    """
    wanted = _BY_DIGEST if workspace_id is None else _BY_DIGEST_HERE
    row = wanted.one_or_none(connection, {"brought": digest, "workspace": workspace_id})
    if row is None:
        return UNKNOWN, None
    if workspace_id is None:
        standing = Standing(*row)
        return verdict(standing, policy), standing
    standing = Standing(*row[:-1])
    return without_others(verdict(standing, policy), row[-1]), standing


@dataclass(frozen=True, slots=True)
class Seen:
    """A session as one workspace's applications see it, and the member of that workspace whose it is."""

    verdict: Verdict
    standing: Standing
    member_id: UUID
    user_name: str
    # When the person proved who they are, how strongly and by what, as far as that is known.
    authenticated_at: datetime
    acr: str | None
    amr: tuple[str, ...]


_STEP_UP = (Session.authenticated_at, Session.acr, Session.amr)


def seen_in(workspace: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """The session that was `brought`, if it is an active member's of a workspace and reaches that: a row for `seen`."""
    here = and_(
        Member.workspace_id == workspace,
        Member.user_id == Session.user_id,
        Member.active,
        or_(Session.reach_id.is_(None), Session.reach_id == workspace),
    )
    return _WITH_DIGEST.add_columns(Member.id, Member.user_name, *_STEP_UP).join(Member, here)


_SEEN = Prepared(seen_in(bindparam("workspace")))


def seen(row: Row, policy: SessionPolicy) -> Seen:
    """A row of `seen_in`, judged."""
    *columns, member_id, user_name, authenticated_at, acr, amr = row
    standing = Standing(*columns)
    return Seen(verdict(standing, policy), standing, member_id, user_name, authenticated_at, acr, tuple(amr))


def seen_from(connection: Connection, *, digest: bytes, policy: SessionPolicy, workspace_id: UUID) -> Seen | None:
    """Judge the session of this digest as a workspace's applications see it.

    Returns:
        None where there is none of a person who is an active member there, or it doesn't reach that workspace.
    """
    row = _SEEN.one_or_none(connection, {"brought": digest, "workspace": workspace_id})
    return None if row is None else seen(row, policy)


def record_activity(connection: Connection, *, standing: Standing, policy: SessionPolicy) -> Standing:
    """Note that a session which was just found alive is in use, at most once an interval.

    What is written is the moment of the judgement, so that the idle limit may strike up to an interval early, but
    never late; and only while the session lives, so that a write which comes late revives nothing.

    Returns:
        What the session is judged by from now on.
    """
    if standing.now - standing.last_seen_at < policy.activity_interval:
        return standing
    noted = connection.execute(
        update(Session)
        .where(
            Session.id == standing.id,
            Session.ended_at.is_(None),
            Session.last_seen_at == standing.last_seen_at,
            func.clock_timestamp() < verdict(standing, policy).expires_at,
        )
        .values(last_seen_at=standing.now)
    )
    return replace(standing, last_seen_at=standing.now) if noted.rowcount else standing


_NEWEST_FIRST = Sorting(Session.id.expression, descending=True, never_none=True)


def renew(connection: Connection, *, standing: Standing, digest: bytes, by: Actor) -> bool:
    """Give a session that was just found alive a new text, for the person's privileges have changed.

    The text before is taken for a few seconds more, by the database's clock, for requests that were on their way.

    Args:
        connection: in a transaction.
        standing: as it was judged.
        digest: of the new text.
        by: whose request it is.

    Returns:
        Whether it was this request that renewed it: of several at once, one does.
    """
    # Whoever changes the privileges waits, so that the text's number is the later one or is replaced again.
    connection.execute(select(User.id).where(User.id == standing.user_id).with_for_update(read=True))
    renewed = (
        update(Session)
        .where(
            Session.id == standing.id,
            Session.ended_at.is_(None),
            User.id == Session.user_id,
            User.privilege_epoch > Session.text_epoch,
        )
        .values(
            digest=digest,
            former_digest=Session.digest,
            former_until=func.clock_timestamp() + GRACE,
            text_epoch=SESSION_EPOCHS.next_value(),
        )
    )
    if not connection.execute(renewed).rowcount:
        return False
    fact = SessionRenewed(user_id=standing.user_id, session_id=standing.id)
    outbox.append(connection, fact, workspace_id=None, by=by)
    return True


def every(
    connection: Connection,
    *,
    policy: SessionPolicy,
    workspace_id: UUID | None,
    window: Window,
    email: str | None = None,
    user_id: UUID | None = None,
    people: Select[UUID] | None = None,
    ended: bool | None = None,
    oldest_first: bool = False,
) -> Page[SessionView]:
    """Some of the sessions, newest first unless told otherwise, the ended ones too, and how many there are.

    Args:
        connection: to read with.
        policy: the limits in force.
        workspace_id: only those of its members; None for the operator.
        window: which part of the list.
        email: only those of the person with this address.
        user_id: only those of this person.
        people: only those of the people whom this selects.
        ended: only those that have been marked as ended, or only the others; of either kind where nothing is said.
        oldest_first: whether the list begins with the oldest.
    """
    wanted = LIST
    if workspace_id is not None:
        wanted = wanted.where(TOUCHES)
    if email is not None:
        wanted = wanted.where(User.email_key == users.address_key(email))
    if user_id is not None:
        wanted = wanted.where(Session.user_id == user_id)
    if people is not None:
        wanted = wanted.where(Session.user_id.in_(people))
    if ended is not None:
        wanted = wanted.where(Session.ended_at.is_not(None) if ended else Session.ended_at.is_(None))
    return fetch(
        connection,
        wanted.params(workspace=workspace_id),
        identifier=Session.id,
        window=window,
        sorting=None if oldest_first else _NEWEST_FIRST,
        read=lambda row: view(row, policy, workspace_id),
    )


def revoke_of_member(connection: Connection, *, workspace_id: UUID, user_id: UUID, by: Actor) -> int:
    """End all sessions of a member that touch a workspace; those that open another one alone stay.

    Returns:
        How many were ended.
    """
    ended = (
        update(Session)
        .where(Session.user_id == user_id, TOUCHES, Session.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), ended_reason="revoked", ended_workspace_id=workspace_id)
        .returning(Session.id)
    )
    found = connection.execute(ended, {"workspace": workspace_id}).scalars().all()
    facts = [SessionRevoked(user_id=user_id, session_id=session_id) for session_id in found]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    return len(found)


def by_id(connection: Connection, *, policy: SessionPolicy, workspace_id: UUID, session_id: UUID) -> SessionView:
    """A session that opens a workspace, judged at this moment.

    Raises:
        NotFound: there is no such session, or it is none of that workspace's business.
    """
    row = connection.execute(LIST.where(Session.id == session_id, TOUCHES), {"workspace": workspace_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such session.")
    return view(row, policy, workspace_id)


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
        wanted = wanted.where(TOUCHES)
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
