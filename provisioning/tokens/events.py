"""The facts of API tokens, OAuth clients and access tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from provisioning.outbox import Fact, Urgency


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
    expires_at: datetime
    member_id: UUID | None
    parent_id: UUID | None
    ranges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApiTokenChanged(_AboutToken):
    """A token is called otherwise, or may be used from elsewhere; policies have facts of their own."""

    name: ClassVar[str] = "api_token.changed"
    token_name: str
    ranges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApiTokenRotated(_AboutToken):
    """A token got a new secret, shown once, and maybe a new end; the secrets before it end when they were told to."""

    name: ClassVar[str] = "api_token.rotated"
    token_name: str
    expires_at: datetime
    overlap_ends_at: datetime


@dataclass(frozen=True, slots=True)
class ApiTokenOverlapEnded(_AboutToken):
    """Of a token's secrets only the newest is valid from now on."""

    name: ClassVar[str] = "api_token.overlap_ended"
    token_name: str


@dataclass(frozen=True, slots=True)
class ApiTokenShortened(_AboutToken):
    """A token ends earlier than it was told to: the workspace allows no such long life any more."""

    name: ClassVar[str] = "api_token.shortened"
    token_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiTokenRevoked(_AboutToken):
    """A token was ended before its time."""

    name: ClassVar[str] = "api_token.revoked"
    reason: str


@dataclass(frozen=True, slots=True)
class ApiTokenLeaked(_AboutToken):
    """An alarm: somebody had the text of a secret of this token and reported it; the token was ended.

    Args:
        token_name: what it is for.
        found_at: the address where it was found, if that was told.
        source: what kind of place that is, if that was told.
        to: the members who are to be told: its owner, or the owners of the workspace.
    """

    name: ClassVar[str] = "api_token.leaked"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    token_name: str
    found_at: str | None
    source: str | None
    to: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ApiTokenExpiring(_AboutToken):
    """A token's time will be over soon; told once for each of 14, 3 and 1 days before.

    Args:
        token_name: what it is for.
        days: how near its end is: at most so many days.
        expires_at: when it ends.
        to: the members who are to be told: its owner, or the owners of the workspace.
    """

    name: ClassVar[str] = "api_token.expiring"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    token_name: str
    days: int
    expires_at: datetime
    to: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ApiTokenExpired(_AboutToken):
    """A token's time is over."""

    name: ClassVar[str] = "api_token.expired"


@dataclass(frozen=True, slots=True)
class ApiTokenForgotten(_AboutToken):
    """A token that ended long ago is listed no more; what became of it stays in the audit trail."""

    name: ClassVar[str] = "api_token.forgotten"
    token_name: str


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
    parent_id: UUID | None


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
class OAuthSecretLeaked(_AboutClient):
    """An alarm: somebody had the text of a client's secret or access token and reported it; it was ended."""

    name: ClassVar[str] = "oauth_client.secret_leaked"
    what: str
    found_at: str | None
    source: str | None


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
