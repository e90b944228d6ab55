"""The facts of API tokens."""

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
