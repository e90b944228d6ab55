"""Whose a subject is: the member whom a connection's identity provider means by who signs in.

A connection speaks for the members of its own workspace and for nobody else. Once a subject has been linked, nothing
but the link counts: addresses change hands, subjects don't.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection as Database

from provisioning import outbox
from provisioning.directory import connections, members, roster, users
from provisioning.directory.filters import has_external_id
from provisioning.directory.models import Member, User
from provisioning.directory.profile import Profile
from provisioning.directory.roster import MemberView
from provisioning.identities import domains, providers
from provisioning.identities.events import IdentityLinked, SignInRefused
from provisioning.identities.models import Identity
from provisioning.identities.providers import ProviderView
from provisioning.outbox import Actor
from provisioning.refusals import SignInRefusal

# What lets in whoever is invited by an address that is proven; None where nobody is.
Admit = Callable[[Database, str], MemberView | None]
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an identity provider says of who signs in, verified.

    Args:
        subject: who it is to the provider, always the same (OpenID Connect Core 1.0, section 2).
        external_id: the value of the claim that the connection calls externalId.
        email: their address, whether or not it is theirs.
        email_verified: what the provider says of that; None where it says nothing.
        name: what to show.
    """

    subject: str
    external_id: str | None
    email: str | None
    email_verified: bool | None
    name: str | None


def member_of(database: Database, *, provider: ProviderView, said: Assertion, admit: Admit, by: Actor) -> MemberView:
    """The active member who signs in; linked now where they come for the first time.

    Args:
        database: in a transaction.
        provider: through which they come.
        said: what it says of them.
        admit: lets in whoever is invited by a proven address.
        by: who does it.

    Raises:
        SignInRefusal: nobody is meant, or somebody who may not come in; `reason` says which.
    """
    member_id = _linked(database, provider, said)
    if member_id is None:
        # Those who come for the first time come one at a time, so that nobody is made or linked twice.
        where = {"workspace_id": provider.workspace_id, "connection_id": provider.connection_id}
        connections.lock(database, **where)
        member_id = _linked(database, provider, said)
    if not providers.still(database, provider):
        raise SignInRefusal("Nobody signs in through this connection any more.", reason="connection_closed")
    if member_id is not None:
        return _let_in(roster.lock(database, workspace_id=provider.workspace_id, member_id=member_id))
    found, by_what = _by_external_id(database, provider, said), "external_id"
    if found is None and said.email is not None and _speaks_for(database, provider, said):
        found, by_what = admit(database, said.email), "invitation"
        if found is None:
            found, by_what = _by_address(database, provider, said.email), "address"
    if found is None:
        found, by_what = _created(database, provider, said, by=by), "created"
    member = _let_in(found)
    if member.protected:
        raise SignInRefusal(
            "You are out of the identity provider's reach: sign in by a link of the operator.",
            reason="protected_member",
            member_id=member.id,
        )
    _link(database, provider, said, member, by_what=by_what, by=by)
    return member


def record_refusal(database: Database, *, provider: ProviderView, refusal: SignInRefusal, by: Actor) -> None:
    """Write down that somebody was not let in, and why."""
    fact = SignInRefused(
        connection_id=provider.connection_id,
        reason=refusal.facts["reason"],
        member_id=refusal.facts.get("member_id"),
    )
    outbox.append(database, fact, workspace_id=provider.workspace_id, by=by)


def _let_in(member: MemberView) -> MemberView:
    if not member.active:
        raise SignInRefusal("Your membership of this workspace is suspended.", reason="suspended", member_id=member.id)
    return member


def _linked(database: Database, provider: ProviderView, said: Assertion) -> UUID | None:
    wanted = select(Identity.member_id).where(
        Identity.workspace_id == provider.workspace_id,
        Identity.connection_id == provider.connection_id,
        Identity.issuer == provider.issuer,
        Identity.subject == said.subject,
    )
    return database.execute(wanted).scalar_one_or_none()


def _by_external_id(database: Database, provider: ProviderView, said: Assertion) -> MemberView | None:
    """The member to whom this very connection gave the externalId that the provider tells."""
    if said.external_id is None:
        return None
    meant = has_external_id(str(provider.connection_id), said.external_id)
    return _locked(database, provider, meant)


def _by_address(database: Database, provider: ProviderView, email: str) -> MemberView | None:
    """The member with a proven address."""
    key = users.address_key(email)
    return _locked(database, provider, Member.user_id.in_(select(User.id).where(User.email_key == key)))


def _locked(database: Database, provider: ProviderView, meant: Any) -> MemberView | None:
    found = database.execute(select(Member.id).where(Member.workspace_id == provider.workspace_id, meant)).scalars()
    ids = found.all()
    # An externalId that two members have means neither.
    if len(ids) != 1:
        return None
    return roster.lock(database, workspace_id=provider.workspace_id, member_id=ids[0])


def _speaks_for(database: Database, provider: ProviderView, said: Assertion) -> bool:
    """Whether an address is proven: the operator says that it is the provider's, or the provider has verified it.

    What the provider says is not verified, never is; `"true"` is not true. What is another connection's, that one
    alone speaks for.
    """
    if said.email is None or said.email_verified is False:
        return False
    is_own = domains.is_own(database, provider=provider, email=said.email)
    return is_own is True or (is_own is None and said.email_verified is True)


def _created(database: Database, provider: ProviderView, said: Assertion, *, by: Actor) -> MemberView:
    """Somebody new as a member with minimal access, where the connection may bring them in.

    Only with an address of the provider's own domains: others verify anybody's.
    """
    where = {"workspace_id": provider.workspace_id, "connection_id": provider.connection_id}
    if not provider.creates_members or providers.owns_directory(database, **where):
        raise SignInRefusal("Nobody has given you access to this workspace yet.", reason="unknown_person")
    is_own = said.email is not None and domains.is_own(database, provider=provider, email=said.email) is True
    if said.email is None or not is_own or said.email_verified is False:
        raise SignInRefusal("Your identity provider does not speak for your address.", reason="unverified_address")
    document: dict[str, Any] = {"userName": said.email.strip(), "active": True}
    if said.name is not None:
        document["displayName"] = said.name[:_LONGEST_NAME]
    if said.external_id is not None:
        document["externalId"] = said.external_id
    profile = Profile.of(document)
    return members.create(database, profile=profile, by=by, origin=members.SIGN_IN, **where)


def _link(
    database: Database, provider: ProviderView, said: Assertion, member: MemberView, *, by_what: str, by: Actor
) -> None:
    """Remember whose the subject is; somebody who is another subject of this provider already is not this one.

    Raises:
        SignInRefusal: that is so.
    """
    new = insert(Identity).values(
        workspace_id=provider.workspace_id,
        connection_id=provider.connection_id,
        issuer=provider.issuer,
        subject=said.subject,
        member_id=member.id,
    )
    if database.execute(new.on_conflict_do_nothing().returning(Identity.member_id)).one_or_none() is not None:
        fact = IdentityLinked(connection_id=provider.connection_id, member_id=member.id, by_what=by_what)
        outbox.append(database, fact, workspace_id=provider.workspace_id, by=by)
    else:
        raise SignInRefusal(
            "Somebody else signs in with this address: ask an admin of the workspace.",
            reason="another_subject",
            member_id=member.id,
        )
