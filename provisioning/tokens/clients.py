"""OAuth clients: create one, give it secrets, take it away; and the access tokens that they ask for.

A client and each of its access tokens are judged from committed state, in one query, with the standing of its owner and
of the API token that made it. A client whose owner's membership is no longer the one under which it was made is as good
as gone, and so is one that outlives its maker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, insert, literal, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory.models import Member, Workspace
from provisioning.outbox import Actor
from provisioning.prepared import Prepared
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.tokens import access_tokens, public_keys
from provisioning.tokens.events import (
    AccessTokenIssued,
    AccessTokenRevoked,
    OAuthClientCreated,
    OAuthClientRemoved,
    OAuthSecretAdded,
    OAuthSecretLeaked,
    OAuthSecretRemoved,
)
from provisioning.tokens.models import AccessToken, OAuthClient, OAuthKey, OAuthSecret
from provisioning.tokens.standing import makers_stand, owner_stands

SHORTEST_LIFE, LONGEST_LIFE = timedelta(minutes=1), timedelta(days=30)
MOST_SECRETS = 2
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client as it is shown: everything but its secrets."""

    id: UUID
    workspace_id: UUID
    name: str
    member_id: UUID | None
    created_at: datetime
    # How long its access tokens live; None for the service's setting.
    token_lifetime: timedelta | None
    # The API token that made it, and with which it ends; None for one that the operator made.
    parent_id: UUID | None = None
    # Whether it counts: one whose owner is suspended, or was, or whose maker has ended, does not.
    stands: bool = True


@dataclass(frozen=True, slots=True)
class SecretView:
    """A secret as it is shown: that it is there."""

    id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessTokenView:
    """A live access token, and whose it is."""

    client: ClientView
    token_id: UUID
    scope: str
    issued_at: datetime
    expires_at: datetime

    @property
    def scopes(self) -> frozenset[str]:
        """What it is for, name by name: none is taken for another that begins alike."""
        return frozenset(self.scope.split())


@dataclass(frozen=True, slots=True)
class Proof:
    """By what a client has proved who it is: the digest of a secret, or the name of a key."""

    secret: bytes | None = None
    kid: str | None = None

    @property
    def is_held(self) -> ColumnElement[bool]:
        """Whether the client still has it, as a condition on its row."""
        if self.kid is not None:
            of_client = (OAuthKey.workspace_id == OAuthClient.workspace_id, OAuthKey.client_id == OAuthClient.id)
            return select(1).where(*of_client, OAuthKey.jwk["kid"].astext == self.kid).exists()
        of_client = (OAuthSecret.workspace_id == OAuthClient.workspace_id, OAuthSecret.client_id == OAuthClient.id)
        return select(1).where(*of_client, OAuthSecret.digest == self.secret).exists()


# Of who has not proved it yet: no client holds that.
UNPROVED = Proof()
_STANDS = and_(
    select(1).where(Workspace.id == OAuthClient.workspace_id, Workspace.deleted_at.is_(None)).exists(),
    owner_stands(OAuthClient),
    makers_stand(OAuthClient),
)
_COLUMNS = (
    OAuthClient.id,
    OAuthClient.workspace_id,
    OAuthClient.name,
    OAuthClient.member_id,
    OAuthClient.created_at,
    OAuthClient.token_lifetime,
    OAuthClient.parent_id,
)
_VIEW: Select[*tuple[Any, ...]] = select(*_COLUMNS, _STANDS.label("stands")).order_by(OAuthClient.id)
# Look-ups for whoever is about to prove, or to show, that they are a client: what doesn't stand isn't found.
_BY_ID: Select[*tuple[Any, ...]] = select(*_COLUMNS).where(OAuthClient.id == bindparam("client"), _STANDS)
BY_SECRET = _BY_ID.where(
    select(1)
    .where(
        OAuthSecret.workspace_id == OAuthClient.workspace_id,
        OAuthSecret.client_id == OAuthClient.id,
        OAuthSecret.digest == bindparam("digest"),
    )
    .exists()
)
WITH_KEYS = _BY_ID.add_columns(
    public_keys.aggregated(
        OAuthKey.workspace_id == OAuthClient.workspace_id, OAuthKey.client_id == OAuthClient.id
    ).label("keys")
)
BY_ACCESS_TOKEN: Select[*tuple[Any, ...]] = (
    select(
        *_COLUMNS, AccessToken.id.label("token_id"), AccessToken.scope, AccessToken.created_at.label("issued_at"),
        AccessToken.expires_at,
    )
    .join(
        AccessToken, (AccessToken.workspace_id == OAuthClient.workspace_id) & (AccessToken.client_id == OAuthClient.id)
    )
    .where(
        AccessToken.digest == bindparam("digest"),
        AccessToken.expires_at > func.clock_timestamp(),
        _STANDS,
    )
)  # fmt: skip
_BY_ACCESS_TOKEN = Prepared(BY_ACCESS_TOKEN)


def view(row: Sequence[Any]) -> ClientView:
    """The first columns of each look-up as a value."""
    identifier, workspace_id, name, member_id, created_at, seconds, parent_id = row[: len(_COLUMNS)]
    lifetime = None if seconds is None else timedelta(seconds=seconds)
    return ClientView(identifier, workspace_id, name, member_id, created_at, lifetime, parent_id)


def _shown(row: Sequence[Any]) -> ClientView:
    """A row of `_VIEW` as a value."""
    return replace(view(row), stands=row[-1])


def access_token(row: Sequence[Any]) -> AccessTokenView:
    """A row of `BY_ACCESS_TOKEN` as a value."""
    return AccessTokenView(view(row), *row[len(_COLUMNS) : len(_COLUMNS) + 4])


def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    name: str,
    owner_id: UUID | None,
    token_lifetime: timedelta | None,
    by: Actor,
    parent_id: UUID | None = None,
) -> ClientView:
    """Make a client. Its policies, secrets and keys are given apart, in the same transaction.

    Args:
        connection: in a transaction.
        workspace_id: the workspace in which it acts.
        name: what it is for.
        owner_id: the member whose client it is; it ends with their membership, or its suspension.
        token_lifetime: how long its access tokens live; None for the service's setting.
        by: who makes it.
        parent_id: the API token that makes it, if one does: it ends with that one, and with those that made that.

    Raises:
        Invalid: the name or the lifetime can't be.
        NotFound: the owner is no active member of the workspace.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or "\0" in name:
        raise Invalid(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    if token_lifetime is not None and not SHORTEST_LIFE <= token_lifetime <= LONGEST_LIFE:
        raise Invalid("An access token lives for a minute up to 30 days.", field="tokenLifetime")
    new = insert(OAuthClient).values(
        id=entropy.new_id(),
        workspace_id=workspace_id,
        name=name,
        **_owner(connection, workspace_id, owner_id),
        parent_id=parent_id,
        token_lifetime=None if token_lifetime is None else int(token_lifetime.total_seconds()),
    )
    made = view(connection.execute(new.returning(*_COLUMNS)).one())
    fact = OAuthClientCreated(client_id=made.id, client_name=name, member_id=owner_id, parent_id=parent_id)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return made


def _owner(connection: Connection, workspace_id: UUID, owner_id: UUID | None) -> dict[str, Any]:
    if owner_id is None:
        return {}
    wanted = select(Member.active_since_epoch, Member.user_id).where(
        Member.workspace_id == workspace_id, Member.id == owner_id, Member.active
    )
    found = connection.execute(wanted.with_for_update(read=True)).one_or_none()
    if found is None:
        raise NotFound("There is no such active member in this workspace.", field="ownerId")
    return {"member_id": owner_id, "member_epoch": found.active_since_epoch, "user_id": found.user_id}


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[ClientView]:
    """The workspace's clients, oldest first."""
    return [_shown(row) for row in connection.execute(_VIEW.where(OAuthClient.workspace_id == workspace_id))]


def by_id(connection: Connection, *, workspace_id: UUID, client_id: UUID) -> ClientView:
    """The workspace's client of this id.

    Raises:
        NotFound: it has none.
    """
    return _one(connection, _VIEW, workspace_id, client_id)


def lock(connection: Connection, *, workspace_id: UUID, client_id: UUID) -> ClientView:
    """The client, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    return _one(connection, _VIEW.with_for_update(of=OAuthClient), workspace_id, client_id)


def _one(connection: Connection, wanted: Select[*tuple[Any, ...]], workspace_id: UUID, client_id: UUID) -> ClientView:
    here = wanted.where(OAuthClient.workspace_id == workspace_id, OAuthClient.id == client_id)
    row = connection.execute(here).one_or_none()
    if row is None:
        raise NotFound("There is no such client in this workspace.")
    return _shown(row)


def remove(connection: Connection, *, client: ClientView, by: Actor) -> None:
    """Take a locked client away: from the commit on nothing that it has, or has asked for, opens anything."""
    here = (OAuthClient.workspace_id == client.workspace_id, OAuthClient.id == client.id)
    fact = OAuthClientRemoved(client_id=client.id)
    gone = outbox.together(connection, delete(OAuthClient).where(*here), fact, workspace_id=client.workspace_id, by=by)
    connection.execute(gone)


def secrets(connection: Connection, *, client: ClientView) -> Sequence[SecretView]:
    """The secrets of a client, oldest first: that they are there."""
    wanted = select(OAuthSecret.id, OAuthSecret.created_at).where(
        OAuthSecret.workspace_id == client.workspace_id, OAuthSecret.client_id == client.id
    )
    return [SecretView(*row) for row in connection.execute(wanted.order_by(OAuthSecret.id))]


def add_secret(connection: Connection, *, client: ClientView, digest: bytes, by: Actor) -> SecretView:
    """Give a locked client another secret; those that it has stay valid.

    Raises:
        Conflict: it has two already.
    """
    if len(secrets(connection, client=client)) >= MOST_SECRETS:
        raise Conflict(f"There are {MOST_SECRETS} secrets already: remove one first.", field="secret")
    new = insert(OAuthSecret).values(
        id=entropy.new_id(), workspace_id=client.workspace_id, client_id=client.id, digest=digest
    )
    made = SecretView(*connection.execute(new.returning(OAuthSecret.id, OAuthSecret.created_at)).one())
    fact = OAuthSecretAdded(client_id=client.id, secret_id=made.id)
    outbox.append(connection, fact, workspace_id=client.workspace_id, by=by)
    return made


def remove_secret(connection: Connection, *, client: ClientView, secret_id: UUID, by: Actor) -> None:
    """Take a secret from a locked client, and its access tokens: which of them were got by this one is not known.

    Raises:
        NotFound: it has none of this id.
    """
    gone = delete(OAuthSecret).where(
        OAuthSecret.workspace_id == client.workspace_id,
        OAuthSecret.client_id == client.id,
        OAuthSecret.id == secret_id,
    )
    if not connection.execute(gone).rowcount:
        raise NotFound("There is no such secret.")
    access_tokens.end_of(connection, workspace_id=client.workspace_id, client_id=client.id)
    fact = OAuthSecretRemoved(client_id=client.id, secret_id=secret_id)
    outbox.append(connection, fact, workspace_id=client.workspace_id, by=by)


def issue(
    connection: Connection,
    *,
    client: ClientView,
    proof: Proof,
    digest: bytes,
    scope: str,
    lifetime: timedelta,
    by: Actor,
) -> None:
    """Store an access token that a client has asked for, unless it or its proof was taken away at that moment.

    Args:
        connection: in a transaction.
        client: who asks.
        proof: by what it has proved that.
        digest: of the access token's text.
        scope: what that is for.
        lifetime: how long it lives.
        by: the client, as facts record it.

    Raises:
        NotFound: the client has ended, or has that credential no more.
    """
    here = (OAuthClient.workspace_id == client.workspace_id, OAuthClient.id == client.id)
    # Held first: only a statement that begins afterwards sees what whoever held it before has taken away.
    connection.execute(select(OAuthClient.id).where(*here).with_for_update(read=True, key_share=True))
    row = select(
        literal(entropy.new_id()), OAuthClient.workspace_id, OAuthClient.id, literal(digest), literal(scope),
        func.clock_timestamp() + lifetime,
    ).where(*here, _STANDS, proof.is_held)  # fmt: skip
    columns = ("id", "workspace_id", "client_id", "digest", "scope", "expires_at")
    new = insert(AccessToken).from_select(columns, row)
    token_id = connection.execute(new.returning(AccessToken.id)).scalar_one_or_none()
    if token_id is None:
        raise NotFound("There is no such client.")
    fact = AccessTokenIssued(client_id=client.id, token_id=token_id, scope=scope)
    outbox.append(connection, fact, workspace_id=client.workspace_id, by=by)


def live(connection: Connection, digest: bytes) -> AccessTokenView | None:
    """The access token of this digest if it lives at this moment, by the database's clock and committed state."""
    row = _BY_ACCESS_TOKEN.one_or_none(connection, {"digest": digest})
    return None if row is None else access_token(row)


def end_token(connection: Connection, *, client: ClientView, digest: bytes, by: Actor) -> None:
    """End an access token of this very client; anything else stays as it is (RFC 7009, section 2.2)."""
    gone = delete(AccessToken).where(
        AccessToken.workspace_id == client.workspace_id,
        AccessToken.client_id == client.id,
        AccessToken.digest == digest,
    )
    token_id = connection.execute(gone.returning(AccessToken.id)).scalar_one_or_none()
    if token_id is not None:
        fact = AccessTokenRevoked(client_id=client.id, token_id=token_id)
        outbox.append(connection, fact, workspace_id=client.workspace_id, by=by)


def report_leaked(
    connection: Connection, *, digest: bytes, found_at: str | None, source: str | None, by: Actor
) -> bool:
    """End an access token or a client's secret that somebody has found; with a secret, what was got by one.

    Returns:
        Whether it was one of ours, and is gone.
    """
    kept = (AccessToken.workspace_id, AccessToken.client_id)
    token = delete(AccessToken).where(AccessToken.digest == digest)
    what, found = "access_token", connection.execute(token.returning(*kept)).one_or_none()
    if found is None:
        what, found = "client_secret", _secret_ended(connection, digest)
    if found is None:
        return False
    workspace_id, client_id = found
    if what == "client_secret":
        access_tokens.end_of(connection, workspace_id=workspace_id, client_id=client_id)
    fact = OAuthSecretLeaked(client_id=client_id, what=what, found_at=found_at, source=source)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return True


def _secret_ended(connection: Connection, digest: bytes) -> Any:
    """The client whose secret this was, held so that no token is issued by it at this moment."""
    here = (OAuthSecret.workspace_id == OAuthClient.workspace_id) & (OAuthSecret.client_id == OAuthClient.id)
    whose = select(OAuthClient.id).join(OAuthSecret, here).where(OAuthSecret.digest == digest)
    connection.execute(whose.with_for_update(of=OAuthClient))
    secret = delete(OAuthSecret).where(OAuthSecret.digest == digest)
    return connection.execute(secret.returning(OAuthSecret.workspace_id, OAuthSecret.client_id)).one_or_none()


# An array of places: of a subquery with IN PostgreSQL makes a join that looks at the whole table for each batch.
_OVER = text(
    """
    DELETE FROM access_token WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM access_token WHERE expires_at <= clock_timestamp()
        ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
    ))
    """
)


def delete_expired(connection: Connection, *, most: int) -> int:
    """Delete access tokens whose time is over; no check waits for this, and it is no news.

    Returns:
        How many there were; fewer than `most` when none are left.
    """
    return connection.execute(_OVER, {"most": most}).rowcount
