"""One-time sign-in links: how the first owner gets in, and how anybody does when all else fails."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.outbox import Actor
from provisioning.refusals import Unauthenticated
from provisioning.sessions import lifecycle
from provisioning.sessions.events import SignInLinkIssued, SignInLinkLeaked
from provisioning.sessions.lifecycle import Begun
from provisioning.sessions.models import SignInLink
from provisioning.sessions.rules import SessionPolicy
from provisioning.sessions.sign_in import UNTOLD, SignIn

LIFETIME = timedelta(minutes=10)


def issue(connection: Connection, *, user_id: UUID, digest: bytes, by: Actor) -> None:
    """Store a link that signs a person in, once, within ten minutes."""
    connection.execute(
        insert(SignInLink).values(digest=digest, user_id=user_id, expires_at=func.clock_timestamp() + LIFETIME)
    )
    outbox.append(connection, SignInLinkIssued(user_id=user_id), workspace_id=None, by=by)


def report_leaked(connection: Connection, *, digest: bytes, by: Actor) -> bool:
    """Use up a link that somebody has found, so that nobody is signed in by it.

    Returns:
        Whether there is such a link, used before or not.
    """
    found = select(SignInLink.user_id, SignInLink.used_at).where(SignInLink.digest == digest).with_for_update()
    row = connection.execute(found).one_or_none()
    if row is None:
        return False
    if row.used_at is None:
        used = update(SignInLink).where(SignInLink.digest == digest).values(used_at=func.clock_timestamp())
        connection.execute(used)
        outbox.append(connection, SignInLinkLeaked(user_id=row.user_id), workspace_id=None, by=by)
    return True


def redeem(
    connection: Connection,
    *,
    link: bytes,
    session: bytes,
    policy: SessionPolicy,
    how: SignIn = UNTOLD,
    replaces: bytes | None = None,
) -> Begun:
    """Use a link up and begin the session that it stands for.

    Args:
        connection: in a transaction.
        link: the digest of the link's text.
        session: the digest of the new session's text.
        policy: the limits in force.
        how: where it is used.
        replaces: the digest of the session that the browser had until now.

    Raises:
        Unauthenticated: the link is unknown, used or too old; which of them is not told.
        NoActiveMembership: the person is an active member of no workspace.
    """
    user_id = connection.execute(
        update(SignInLink)
        .where(SignInLink.digest == link, SignInLink.used_at.is_(None), SignInLink.expires_at > func.clock_timestamp())
        .values(used_at=func.clock_timestamp())
        .returning(SignInLink.user_id)
    ).scalar_one_or_none()
    if user_id is None:
        raise Unauthenticated("This link has been used already, or is older than ten minutes: ask for a new one.")
    person = Actor("person", str(user_id))
    return lifecycle.begin(
        connection, user_id=user_id, digest=session, policy=policy, by=person, how=how, replaces=replaces
    )
