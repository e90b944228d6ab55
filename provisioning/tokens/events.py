"""The facts of API tokens, OAuth clients and access tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from provisioning.outbox import Fact


@dataclass(frozen=True, slots=True)
class _AboutToken(Fact):
    token_id: UUID

    @property
    def subject(self) -> str:
        return f"token:{self.token_id}"


@dataclass(frozen=True, slots=True)
class ApiTokenIssued(_AboutToken):
    """A token was made and shown once."""

    name: ClassVar[str] = "api_token.issued"
    token_name: str


@dataclass(frozen=True, slots=True)
class ApiTokenRevoked(_AboutToken):
    """A token was ended before its time."""

    name: ClassVar[str] = "api_token.revoked"
    reason: str


@dataclass(frozen=True, slots=True)
class ApiTokenExpired(_AboutToken):
    """A token's time is over."""

    name: ClassVar[str] = "api_token.expired"


@dataclass(frozen=True, slots=True)
class _AboutClient(Fact):
    client_id: UUID

    @property
    def subject(self) -> str:
        return f"oauth_client:{self.client_id}"


@dataclass(frozen=True, slots=True)
class OAuthClientCreated(_AboutClient):
    """A program may ask for access tokens from now on."""

    name: ClassVar[str] = "oauth_client.created"
    client_name: str
    member_id: UUID | None


@dataclass(frozen=True, slots=True)
class OAuthClientRemoved(_AboutClient):
    """A client is gone, and its access tokens, secrets and keys with it."""

    name: ClassVar[str] = "oauth_client.removed"


@dataclass(frozen=True, slots=True)
class OAuthSecretAdded(_AboutClient):
    """A client got a secret, shown once; the ones it has stay valid."""

    name: ClassVar[str] = "oauth_client.secret_added"
    secret_id: UUID


@dataclass(frozen=True, slots=True)
class OAuthSecretRemoved(_AboutClient):
    """A client's secret counts no more."""

    name: ClassVar[str] = "oauth_client.secret_removed"
    secret_id: UUID


@dataclass(frozen=True, slots=True)
class _AboutKey(Fact):
    holder: str
    client_id: UUID
    kid: str

    @property
    def subject(self) -> str:
        return f"{'oauth_client' if self.holder == 'client' else self.holder}:{self.client_id}"


@dataclass(frozen=True, slots=True)
class OAuthKeyAdded(_AboutKey):
    """A public key was registered, of an OAuth client or a connection."""

    name: ClassVar[str] = "oauth_client.key_added"


@dataclass(frozen=True, slots=True)
class OAuthKeyRemoved(_AboutKey):
    """A public key counts no more."""

    name: ClassVar[str] = "oauth_client.key_removed"


@dataclass(frozen=True, slots=True)
class AccessTokenIssued(_AboutClient):
    """A client asked for an access token and got it."""

    name: ClassVar[str] = "access_token.issued"
    token_id: UUID
    scope: str


@dataclass(frozen=True, slots=True)
class AccessTokenRevoked(_AboutClient):
    """A client ended an access token of its own before its time."""

    name: ClassVar[str] = "access_token.revoked"
    token_id: UUID
