"""How connections' identity providers sign people in: their settings, set by the workspace's admins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection as Database

from provisioning import outbox
from provisioning.directory import connections
from provisioning.directory.members import SCIM
from provisioning.directory.models import Connection, Member, Workspace
from provisioning.identities.events import SignInProviderRemoved, SignInProviderSet
from provisioning.identities.models import AUTH_METHODS, Identity, SignInProvider
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound

_LONGEST = 500
_LONGEST_AGE = 90 * 24 * 3600
# What people can change of themselves, or what goes to somebody else one day.
_MUTABLE = frozenset({"email", "preferred_username", "upn", "unique_name", "name", "nickname", "phone_number"})
_CLAIM = re.compile(r"[A-Za-z0-9_.:/-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an admin sets.

    Args:
        issuer: the provider's issuer (OpenID Connect Discovery 1.0, section 3), from which all else is found.
        client_id: what it calls us.
        auth_method: how we prove to it who we are, one of `AUTH_METHODS`.
        credential: the client's secret or private key, sealed.
        external_id_claim: the claim that holds what the connection calls externalId.
        creates_members: whether people who are new here become members by signing in.
        max_age: how many seconds ago they may have proved who they are; None asks nothing.
    """

    issuer: str
    client_id: str
    auth_method: str
    credential: str
    external_id_claim: str = "sub"
    creates_members: bool = False
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider as it is stored; the credential is sealed, and never shown."""

    workspace_id: UUID
    workspace: str
    connection_id: UUID
    connection: str
    issuer: str
    client_id: str
    auth_method: str
    credential: str
    external_id_claim: str
    creates_members: bool
    max_age: int | None
    # Whether an admin has paused the connection: then nobody signs in through it, either.
    paused: bool


VIEW: Select[*tuple[Any, ...]] = (
    select(
        SignInProvider.workspace_id,
        Workspace.slug,
        SignInProvider.connection_id,
        Connection.name,
        SignInProvider.issuer,
        SignInProvider.client_id,
        SignInProvider.auth_method,
        SignInProvider.credential,
        SignInProvider.external_id_claim,
        SignInProvider.creates_members,
        SignInProvider.max_age,
        Connection.paused_at.is_not(None),
    )
    .join(
        Connection,
        (Connection.workspace_id == SignInProvider.workspace_id) & (Connection.id == SignInProvider.connection_id),
    )
    .join(Workspace, (Workspace.id == SignInProvider.workspace_id) & Workspace.deleted_at.is_(None))
)


def set_(database: Database, *, workspace_id: UUID, connection_id: UUID, terms: Terms, by: Actor) -> ProviderView:
    """Tell how a connection's identity provider signs people in.

    Another issuer or client is another provider: whom the former one meant is forgotten, and the sessions that began
    through it end.

    Raises:
        NotFound: the workspace has no such connection.
        Invalid: a setting can't be so.
        Conflict: people are to become members by signing in, and the connection pushes them by SCIM.
    """
    _check(terms)
    connections.lock(database, workspace_id=workspace_id, connection_id=connection_id)
    if terms.creates_members and owns_directory(database, workspace_id=workspace_id, connection_id=connection_id):
        raise Conflict("This connection pushes its people by SCIM: nobody else comes in by it.", field="createsMembers")
    former = _held(database, connection_id)
    if former is not None and (former.issuer, former.client_id) != (terms.issuer, terms.client_id):
        _forget(database, former, by=by)
    values = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    database.execute(
        insert(SignInProvider)
        .values(workspace_id=workspace_id, connection_id=connection_id, **values)
        .on_conflict_do_update(index_elements=["workspace_id", "connection_id"], set_=values)
    )
    fact = SignInProviderSet(
        connection_id=connection_id,
        issuer=terms.issuer,
        client_id=terms.client_id,
        creates_members=terms.creates_members,
    )
    outbox.append(database, fact, workspace_id=workspace_id, by=by)
    return of(database, workspace_id=workspace_id, connection_id=connection_id)


def remove(database: Database, *, workspace_id: UUID, connection_id: UUID, by: Actor) -> None:
    """Have a connection's identity provider sign nobody in any more; the sessions that began through it end.

    Raises:
        NotFound: the workspace has no such connection, or it signs nobody in.
    """
    connections.lock(database, workspace_id=workspace_id, connection_id=connection_id)
    found = _held(database, connection_id)
    if found is None:
        raise NotFound("The workspace has no connection of this id by which people sign in.")
    _forget(database, found, by=by)
    gone = delete(SignInProvider).where(
        SignInProvider.workspace_id == workspace_id, SignInProvider.connection_id == connection_id
    )
    fact = SignInProviderRemoved(connection_id=connection_id)
    database.execute(outbox.together(database, gone, fact, workspace_id=workspace_id, by=by))


def _held(database: Database, connection_id: UUID) -> ProviderView | None:
    """The provider, held against sign-ins: one that is under way either ends before it changes, or finds it changed."""
    wanted = VIEW.where(SignInProvider.connection_id == connection_id).with_for_update(of=SignInProvider)
    row = database.execute(wanted).one_or_none()
    return None if row is None else ProviderView(*row)


def still(database: Database, provider: ProviderView) -> bool:
    """Whether people still sign in through this very provider; if so, until the transaction's end."""
    wanted = select(SignInProvider.issuer).where(
        SignInProvider.workspace_id == provider.workspace_id,
        SignInProvider.connection_id == provider.connection_id,
        SignInProvider.issuer == provider.issuer,
        SignInProvider.client_id == provider.client_id,
    )
    return database.execute(wanted.with_for_update(read=True)).one_or_none() is not None


def _forget(database: Database, provider: ProviderView, *, by: Actor) -> None:
    here = (Identity.workspace_id == provider.workspace_id, Identity.connection_id == provider.connection_id)
    database.execute(delete(Identity).where(*here))
    connections.end_sessions(database, workspace_id=provider.workspace_id, connection_id=provider.connection_id, by=by)


def _check(terms: Terms) -> None:
    address = urlsplit(terms.issuer)
    plain = not (address.query or address.fragment or address.username or address.password)
    if address.scheme not in {"https", "http"} or not address.hostname or not plain or len(terms.issuer) > _LONGEST:
        raise Invalid("An issuer is an https address without query or fragment.", field="issuer")
    if not terms.client_id.strip() or len(terms.client_id) > _LONGEST or "\0" in terms.client_id:
        raise Invalid(f"A client id has 1 to {_LONGEST} characters.", field="clientId")
    if terms.auth_method not in AUTH_METHODS:
        raise Invalid(f"An authentication method is one of {', '.join(AUTH_METHODS)}.", field="authMethod")
    if not _CLAIM.fullmatch(terms.external_id_claim):
        raise Invalid("This can't be the name of a claim.", field="externalIdClaim")
    if terms.external_id_claim in _MUTABLE:
        raise Invalid("Addresses and names change hands: choose a claim that never changes.", field="externalIdClaim")
    if terms.max_age is not None and not 0 < terms.max_age <= _LONGEST_AGE:
        raise Invalid("People may have signed in up to 90 days ago.", field="maxAge")


def owns_directory(database: Database, *, workspace_id: UUID, connection_id: UUID) -> bool:
    """Whether a connection pushes the workspace's people by SCIM: then only those whom it pushes come in by it."""
    pushed = select(Member.id).where(
        Member.workspace_id == workspace_id, Member.connection_id == connection_id, Member.origin == SCIM
    )
    return database.execute(pushed.limit(1)).one_or_none() is not None


def find(database: Database, connection_id: UUID) -> ProviderView | None:
    """The provider of the connection of this id, in whatever workspace: for who is about to sign in through it."""
    row = database.execute(VIEW.where(SignInProvider.connection_id == connection_id)).one_or_none()
    return None if row is None else ProviderView(*row)


def of(database: Database, *, workspace_id: UUID, connection_id: UUID) -> ProviderView:
    """The provider of a workspace's connection.

    Raises:
        NotFound: the workspace has no such connection, or it signs nobody in.
    """
    found = find(database, connection_id)
    if found is None or found.workspace_id != workspace_id:
        raise NotFound("The workspace has no connection of this id by which people sign in.")
    return found
