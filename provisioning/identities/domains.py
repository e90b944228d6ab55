"""Whose addresses an identity provider speaks for: how an address finds its provider, and when its word is enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection as Database

from provisioning import outbox
from provisioning.directory import connections
from provisioning.directory.models import Connection, Workspace
from provisioning.identities.events import SignInDomainsSet
from provisioning.identities.models import SignInDomain, SignInProvider
from provisioning.identities.providers import VIEW, ProviderView
from provisioning.outbox import Actor
from provisioning.refusals import Invalid

_MOST = 200
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", re.ASCII)


def domain_of(email: str) -> str | None:
    """The domain of an address, as it is compared; None where there is none."""
    domain = email.strip().rpartition("@")[2].lower()
    return domain if "@" in email and _DOMAIN.fullmatch(domain) else None


def set_(
    database: Database, *, workspace_id: UUID, connection_id: UUID, domains: Iterable[str], by: Actor
) -> tuple[str, ...]:
    """Say whose addresses a connection's identity provider speaks for: these and no others.

    The operator alone says it: an admin of one workspace could otherwise have people of another sent to a provider
    of theirs.

    Raises:
        NotFound: the workspace has no such connection.
        Invalid: one of them is no domain, or there are too many.
    """
    wanted = sorted({domain.strip().lower() for domain in domains})
    if len(wanted) > _MOST:
        raise Invalid(f"A connection has up to {_MOST} domains.", field="domains")
    for domain in wanted:
        if not _DOMAIN.fullmatch(domain):
            raise Invalid(f"{domain} is no domain, such as corp.example.", field="domains")
    connections.lock(database, workspace_id=workspace_id, connection_id=connection_id)
    here = (SignInDomain.workspace_id == workspace_id, SignInDomain.connection_id == connection_id)
    database.execute(delete(SignInDomain).where(*here))
    key = {"workspace_id": workspace_id, "connection_id": connection_id}
    if wanted:
        database.execute(insert(SignInDomain), [{**key, "domain": domain} for domain in wanted])
    fact = SignInDomainsSet(connection_id=connection_id, domains=tuple(wanted))
    outbox.append(database, fact, workspace_id=workspace_id, by=by)
    return tuple(wanted)


def of(database: Database, *, workspace_id: UUID, connection_id: UUID) -> tuple[str, ...]:
    """The domains of a connection, in the order of the alphabet."""
    wanted = select(SignInDomain.domain).where(
        SignInDomain.workspace_id == workspace_id, SignInDomain.connection_id == connection_id
    )
    return tuple(database.execute(wanted.order_by(SignInDomain.domain)).scalars())


def of_workspace(database: Database, *, workspace_id: UUID) -> Sequence[tuple[str, UUID]]:
    """All domains of a workspace in the order of the alphabet, each with the connection that speaks for it."""
    wanted = select(SignInDomain.domain, SignInDomain.connection_id).where(SignInDomain.workspace_id == workspace_id)
    return [(row[0], row[1]) for row in database.execute(wanted.order_by(SignInDomain.domain))]


def is_own(database: Database, *, provider: ProviderView, email: str) -> bool | None:
    """Whether the operator says that an address is the provider's to speak for.

    Returns:
        True, or False where it is another connection's of the same workspace; None where nobody has been named.
    """
    wanted = select(SignInDomain.connection_id).where(
        SignInDomain.workspace_id == provider.workspace_id, SignInDomain.domain == domain_of(email)
    )
    named = set(database.execute(wanted).scalars())
    return provider.connection_id in named if named else None


def providers_for(database: Database, email: str) -> Sequence[ProviderView]:
    """The providers that an address leads to, by the names of their workspaces (home-realm discovery)."""
    domain = domain_of(email)
    if domain is None:
        return ()
    of_domain = (
        (SignInDomain.workspace_id == SignInProvider.workspace_id)
        & (SignInDomain.connection_id == SignInProvider.connection_id)
        & (SignInDomain.domain == domain)
    )
    wanted = VIEW.join(SignInDomain, of_domain).order_by(Workspace.slug, Connection.name)
    return [ProviderView(*row) for row in database.execute(wanted)]
