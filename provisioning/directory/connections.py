"""Connections: one identity provider's link to one workspace, and the credentials by which it is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, insert, or_, select, update
from sqlalchemy.engine import Connection as Database
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import dialects, entropy, outbox
from provisioning.directory.events import (
    ClientSecretIssued,
    ConnectionChanged,
    ConnectionCreated,
    ConnectionSecretLeaked,
    ConnectionSessionsOutdated,
    ConnectionTokenRevoked,
    ConnectionTokenRotated,
)
from provisioning.directory.extensions import kinds_of
from provisioning.directory.models import SESSION_EPOCHS, ClientSecret, Connection, ConnectionToken, Workspace
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.scim.extensions import Kinds

DIALECTS = tuple(dialects.DIALECTS)
_LONGEST_NAME = 200
_MOST_PER_MINUTE = 1_000_000


class ConnectionView(NamedTuple):
    """A connection as it is shown."""

    id: UUID
    workspace_id: UUID
    workspace: str
    name: str
    dialect: str
    created_at: datetime
    learned_dialect: str | None
    paused_at: datetime | None
    dry_run: bool
    awaits_members: bool
    requests_per_minute: int | None
    alarm_percent: int
    holds_mass_changes: bool
    # The workspace's own schema extensions, as `extensions.kinds_of` reads them; told to who asks with a credential.
    definitions: str | None = None
    # Whether this use of the credential is to be written down; told to who asks with it.
    use_is_news: bool = False

    @property
    def kinds(self) -> Kinds:
        """The types of resource of the workspace."""
        return kinds_of(self.definitions)


VIEW: Select[*tuple[Any, ...]] = select(
    Connection.id,
    Connection.workspace_id,
    Workspace.slug,
    Connection.name,
    Connection.dialect,
    Connection.created_at,
    Connection.learned_dialect,
    Connection.paused_at,
    Connection.dry_run,
    Connection.awaits_members,
    Connection.requests_per_minute,
    Connection.alarm_percent,
    Connection.holds_mass_changes,
).join(Workspace, (Workspace.id == Connection.workspace_id) & Workspace.deleted_at.is_(None))


@dataclass(frozen=True, slots=True)
class Settings:
    """What an admin sets of a connection; None leaves a setting as it is.

    Args:
        dialect: one of `DIALECTS`.
        paused: whether every request is put off.
        dry_run: whether requests are answered as if, and nothing is written but the log.
        awaits_members: whether a group may name people who are still to come.
        requests_per_minute: how many are answered; 0 for the service's own limit.
        alarm_percent: which share of the workspace's members may lose something within an hour before that is told.
        holds_mass_changes: whether more than that is held until an owner has looked at it.
    """

    dialect: str | None = None
    paused: bool | None = None
    dry_run: bool | None = None
    awaits_members: bool | None = None
    requests_per_minute: int | None = None
    alarm_percent: int | None = None
    holds_mass_changes: bool | None = None


def configure(
    database: Database, *, workspace_id: UUID, connection_id: UUID, settings: Settings, by: Actor
) -> ConnectionView:
    """Set something of a connection; it holds from the next request on.

    Raises:
        NotFound: the workspace has no such connection.
        Invalid: a setting can't be so.
    """
    given = {name: value for name, value in dataclasses.asdict(settings).items() if value is not None}
    if given.get("dialect", DIALECTS[0]) not in DIALECTS:
        raise Invalid(f"A dialect is one of {', '.join(DIALECTS)}.", field="dialect")
    if not 0 <= given.get("requests_per_minute", 0) <= _MOST_PER_MINUTE:
        raise Invalid(f"At most {_MOST_PER_MINUTE} requests a minute can be allowed.", field="requestsPerMinute")
    if not 1 <= given.get("alarm_percent", 1) <= 100:  # noqa: PLR2004 - per cent
        raise Invalid("A share lies between 1 and 100 per cent.", field="alarmPercent")
    values: dict[str, Any] = {name: value for name, value in given.items() if name != "paused"}
    if "paused" in given:
        values["paused_at"] = func.coalesce(Connection.paused_at, func.clock_timestamp()) if given["paused"] else None
    if "requests_per_minute" in given:
        values["requests_per_minute"] = given["requests_per_minute"] or None
    by_id(database, workspace_id=workspace_id, connection_id=connection_id)
    if values:
        here = (Connection.workspace_id == workspace_id, Connection.id == connection_id)
        fact = ConnectionChanged(connection_id=connection_id, settings=given)
        change = update(Connection).where(*here).values(**values)
        database.execute(outbox.together(database, change, fact, workspace_id=workspace_id, by=by))
    return by_id(database, workspace_id=workspace_id, connection_id=connection_id)


def learn(database: Database, *, workspace_id: UUID, connection_id: UUID, dialect: str) -> None:
    """Remember which dialect a connection was heard to speak."""
    here = (Connection.workspace_id == workspace_id, Connection.id == connection_id)
    database.execute(update(Connection).where(*here).values(learned_dialect=dialect))


def create(
    database: Database, *, workspace_id: UUID, name: str, dialect: str, digest: bytes, by: Actor
) -> ConnectionView:
    """Give an identity provider its way in.

    Args:
        database: in a transaction.
        workspace_id: the workspace that it pushes to.
        name: what admins call it, unique in the workspace.
        dialect: one of `DIALECTS`.
        digest: of its first bearer credential.
        by: who did it.

    Raises:
        Invalid: the name or dialect is not one.
        Conflict: the name is taken.
    """
    if dialect not in DIALECTS:
        raise Invalid(f"A dialect is one of {', '.join(DIALECTS)}.", field="dialect")
    if not name.strip() or len(name) > _LONGEST_NAME or "\0" in name:
        raise Invalid(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    new_id = entropy.new_id()
    try:
        database.execute(insert(Connection).values(id=new_id, workspace_id=workspace_id, name=name, dialect=dialect))
    except IntegrityError:
        raise Conflict(f"The workspace has a connection called {name} already.", field="name") from None
    _add_token(database, workspace_id=workspace_id, connection_id=new_id, digest=digest)
    fact = ConnectionCreated(connection_id=new_id, connection_name=name, dialect=dialect)
    outbox.append(database, fact, workspace_id=workspace_id, by=by)
    return by_name(database, workspace_id=workspace_id, name=name)


def _add_token(database: Database, *, workspace_id: UUID, connection_id: UUID, digest: bytes) -> None:
    new = insert(ConnectionToken).values(workspace_id=workspace_id, connection_id=connection_id, digest=digest)
    database.execute(new)


def rotate(
    database: Database, *, workspace_id: UUID, name: str, digest: bytes, overlap: timedelta, by: Actor
) -> ConnectionView:
    """Give a connection a new credential; those it has end after the overlap, or when they were going to anyway.

    Raises:
        NotFound: the workspace has no connection of this name.
    """
    found = by_name(database, workspace_id=workspace_id, name=name)
    ends = func.clock_timestamp() + overlap
    database.execute(
        update(ConnectionToken)
        .where(
            ConnectionToken.workspace_id == workspace_id,
            ConnectionToken.connection_id == found.id,
            or_(ConnectionToken.expires_at.is_(None), ConnectionToken.expires_at > ends),
        )
        .values(expires_at=ends)
    )
    _add_token(database, workspace_id=workspace_id, connection_id=found.id, digest=digest)
    outbox.append(database, ConnectionTokenRotated(connection_id=found.id), workspace_id=workspace_id, by=by)
    return found


def issue_secret(
    database: Database, *, workspace_id: UUID, connection_id: UUID, digest: bytes, by: Actor
) -> ConnectionView:
    """Give a connection a secret to ask for access tokens with; those it had before are gone, with what they got.

    Raises:
        NotFound: the workspace has no such connection.
    """
    lock(database, workspace_id=workspace_id, connection_id=connection_id)
    found = by_id(database, workspace_id=workspace_id, connection_id=connection_id)
    end_short_tokens(database, workspace_id=workspace_id, connection_id=connection_id)
    here = (ClientSecret.workspace_id == workspace_id, ClientSecret.connection_id == connection_id)
    database.execute(delete(ClientSecret).where(*here))
    new = insert(ClientSecret).values(workspace_id=workspace_id, connection_id=connection_id, digest=digest)
    fact = ClientSecretIssued(connection_id=connection_id)
    database.execute(outbox.together(database, new, fact, workspace_id=workspace_id, by=by))
    return found


def has_secret(database: Database, *, of: ConnectionView, digest: bytes) -> bool:
    """Whether this is the digest of a live secret of the connection."""
    wanted = select(ClientSecret.digest).where(
        ClientSecret.workspace_id == of.workspace_id,
        ClientSecret.connection_id == of.id,
        ClientSecret.digest == digest,
    )
    return database.execute(wanted).one_or_none() is not None


def add_short_token(database: Database, *, of: ConnectionView, digest: bytes, lifetime: timedelta, by: Actor) -> None:
    """Store an access token that was asked for by client credentials; those whose time is over go."""
    here = (ConnectionToken.workspace_id == of.workspace_id, ConnectionToken.connection_id == of.id)
    database.execute(delete(ConnectionToken).where(*here, ConnectionToken.expires_at < func.clock_timestamp()))
    new = insert(ConnectionToken).values(
        workspace_id=of.workspace_id,
        connection_id=of.id,
        digest=digest,
        expires_at=func.clock_timestamp() + lifetime,
    )
    fact = ConnectionTokenRotated(connection_id=of.id)
    database.execute(outbox.together(database, new, fact, workspace_id=of.workspace_id, by=by))


def report_leaked(database: Database, *, digest: bytes, found_at: str | None, source: str | None, by: Actor) -> bool:
    """End a credential or client secret that somebody has found; with a client secret, what was got by one.

    Returns:
        Whether it was one of ours, and is gone.
    """
    token = delete(ConnectionToken).where(ConnectionToken.digest == digest)
    kept = (ConnectionToken.workspace_id, ConnectionToken.connection_id)
    what, found = "token", database.execute(token.returning(*kept)).one_or_none()
    if found is None:
        secret = delete(ClientSecret).where(ClientSecret.digest == digest)
        kept = (ClientSecret.workspace_id, ClientSecret.connection_id)
        what, found = "client_secret", database.execute(secret.returning(*kept)).one_or_none()
    if found is None:
        return False
    if what == "client_secret":
        end_short_tokens(database, workspace_id=found[0], connection_id=found[1])
    fact = ConnectionSecretLeaked(connection_id=found[1], what=what, found_at=found_at, source=source)
    outbox.append(database, fact, workspace_id=found[0], by=by)
    return True


def end_short_tokens(database: Database, *, workspace_id: UUID, connection_id: UUID) -> None:
    """End the access tokens of a connection, with credentials that end soon anyway: nothing tells the two apart."""
    here = (ConnectionToken.workspace_id == workspace_id, ConnectionToken.connection_id == connection_id)
    database.execute(delete(ConnectionToken).where(*here, ConnectionToken.expires_at.is_not(None)))


def end_short_token(database: Database, *, of: ConnectionView, digest: bytes, by: Actor) -> None:
    """End an access token of this very connection; a token without an end, or of another, stays as it is."""
    gone = delete(ConnectionToken).where(
        ConnectionToken.workspace_id == of.workspace_id,
        ConnectionToken.connection_id == of.id,
        ConnectionToken.digest == digest,
        ConnectionToken.expires_at.is_not(None),
    )
    if database.execute(gone).rowcount:
        outbox.append(database, ConnectionTokenRevoked(connection_id=of.id), workspace_id=of.workspace_id, by=by)


def anywhere(database: Database, connection_id: UUID) -> ConnectionView | None:
    """The connection of this id in whatever workspace: for who is about to prove that it is theirs."""
    row = database.execute(VIEW.where(Connection.id == connection_id)).one_or_none()
    return None if row is None else ConnectionView(*row)


def by_name(database: Database, *, workspace_id: UUID, name: str) -> ConnectionView:
    """The workspace's connection of this name.

    Raises:
        NotFound: there is none.
    """
    wanted = VIEW.where(Connection.workspace_id == workspace_id, Connection.name == name)
    row = database.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(f"The workspace has no connection called {name}.")
    return ConnectionView(*row)


def by_id(database: Database, *, workspace_id: UUID, connection_id: UUID) -> ConnectionView:
    """The workspace's connection of this id.

    Raises:
        NotFound: there is none.
    """
    wanted = VIEW.where(Connection.workspace_id == workspace_id, Connection.id == connection_id)
    row = database.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("The workspace has no such connection.")
    return ConnectionView(*row)


def lock(database: Database, *, workspace_id: UUID, connection_id: UUID) -> None:
    """Hold a connection against every other change of it until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    wanted = select(Connection.id).where(Connection.workspace_id == workspace_id, Connection.id == connection_id)
    if database.execute(wanted.with_for_update(key_share=True)).one_or_none() is None:
        raise NotFound("The workspace has no such connection.")


def end_sessions(database: Database, *, workspace_id: UUID, connection_id: UUID, by: Actor) -> None:
    """End, from the commit on, every session that has begun through a connection: one write, whatever their number."""
    here = (Connection.workspace_id == workspace_id, Connection.id == connection_id)
    raised = update(Connection).where(*here).values(session_epoch=SESSION_EPOCHS.next_value())
    fact = ConnectionSessionsOutdated(connection_id=connection_id)
    database.execute(outbox.together(database, raised, fact, workspace_id=workspace_id, by=by))


def every(database: Database, *, workspace_id: UUID | None) -> Sequence[ConnectionView]:
    """The connections of a workspace by name, or of all workspaces for the operator."""
    wanted = VIEW.order_by(Workspace.slug, Connection.name)
    if workspace_id is not None:
        wanted = wanted.where(Connection.workspace_id == workspace_id)
    return [ConnectionView(*row) for row in database.execute(wanted)]


@dataclass(frozen=True, slots=True)
class CredentialView:
    """A bearer credential of a connection as it is shown: not the text, which nobody has."""

    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None


def credentials(database: Database, *, workspace_id: UUID, connection_id: UUID) -> Sequence[CredentialView]:
    """The live credentials of a connection, oldest first."""
    wanted = select(
        ConnectionToken.created_at,
        ConnectionToken.expires_at,
        ConnectionToken.last_used_at,
        ConnectionToken.last_used_from,
    ).where(
        ConnectionToken.workspace_id == workspace_id,
        ConnectionToken.connection_id == connection_id,
        or_(ConnectionToken.expires_at.is_(None), ConnectionToken.expires_at > func.clock_timestamp()),
    )
    return [CredentialView(*row) for row in database.execute(wanted.order_by(ConnectionToken.created_at))]
