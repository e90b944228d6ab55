"""The facts of API tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
