"""The facts of identities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from provisioning.outbox import Fact


@dataclass(frozen=True, slots=True)
class _AboutConnection(Fact):
    connection_id: UUID

    @property
    def subject(self) -> str:
        return f"connection:{self.connection_id}"


@dataclass(frozen=True, slots=True)
class SignInProviderSet(_AboutConnection):
    """An admin told how a connection's identity provider signs people in."""

    name: ClassVar[str] = "sign_in_provider.set"
    issuer: str
    client_id: str
    creates_members: bool


@dataclass(frozen=True, slots=True)
class SignInProviderRemoved(_AboutConnection):
    """A connection's identity provider signs nobody in any more."""

    name: ClassVar[str] = "sign_in_provider.removed"


@dataclass(frozen=True, slots=True)
class SignInDomainsSet(_AboutConnection):
    """The operator said which addresses a connection's identity provider speaks for."""

    name: ClassVar[str] = "sign_in_domains.set"
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentityLinked(_AboutConnection):
    """A subject of an identity provider came for the first time, and is this member from now on."""

    name: ClassVar[str] = "identity.linked"
    member_id: UUID
    by_what: str


@dataclass(frozen=True, slots=True)
class SignInRefused(_AboutConnection):
    """Somebody whom the identity provider vouched for was not let in."""

    name: ClassVar[str] = "sign_in.refused"
    reason: str
    member_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SignedOutByProvider(_AboutConnection):
    """The identity provider told that somebody has signed out there."""

    name: ClassVar[str] = "sign_out.by_provider"
    sessions: int
