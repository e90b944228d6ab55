"""Signing out that an identity provider tells of: whose it is, and that no telling of it counts twice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection as Database
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory.models import Member
from provisioning.identities.events import SignedOutByProvider
from provisioning.identities.models import Identity, LogoutToken
from provisioning.identities.providers import ProviderView
from provisioning.outbox import Actor


def take(database: Database, *, provider: ProviderView, jti: str, expires: datetime) -> bool:
    """Take up a logout token, if it wasn't before: one that is heard again must not end what began since.

    Args:
        database: in the transaction that ends the sessions.
        provider: whose token it is.
        jti: its id.
        expires: when it is refused anyway.
    """
    new = insert(LogoutToken).values(
        workspace_id=provider.workspace_id,
        connection_id=provider.connection_id,
        jti=jti,
        expires_at=expires,
    )
    taken = database.execute(new.on_conflict_do_nothing().returning(LogoutToken.jti))
    return taken.one_or_none() is not None


def person(database: Database, *, provider: ProviderView, subject: str | None) -> UUID | None:
    """The account of whom a provider means by a subject, if they ever came here."""
    if subject is None:
        return None
    wanted = (
        select(Member.user_id)
        .join(Identity, (Identity.workspace_id == Member.workspace_id) & (Identity.member_id == Member.id))
        .where(
            Identity.workspace_id == provider.workspace_id,
            Identity.connection_id == provider.connection_id,
            Identity.issuer == provider.issuer,
            Identity.subject == subject,
        )
    )
    return database.execute(wanted).scalar_one_or_none()


def record(database: Database, *, provider: ProviderView, sessions: int, by: Actor) -> None:
    """Write down that the provider told of a sign-out, and how many sessions it ended."""
    fact = SignedOutByProvider(connection_id=provider.connection_id, sessions=sessions)
    outbox.append(database, fact, workspace_id=provider.workspace_id, by=by)


def forget(database: Database, *, most: int) -> int:
    """Delete logout tokens that are refused for their age by now, and return how many there were."""
    over = (
        select(LogoutToken.workspace_id, LogoutToken.connection_id, LogoutToken.jti)
        .where(LogoutToken.expires_at < func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 1))
        .limit(most)
        .cte("over")
    )
    gone = delete(LogoutToken).where(
        LogoutToken.workspace_id == over.c.workspace_id,
        LogoutToken.connection_id == over.c.connection_id,
        LogoutToken.jti == over.c.jti,
    )
    return database.execute(gone).rowcount
