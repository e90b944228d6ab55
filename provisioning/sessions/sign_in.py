"""How a person proved who they are, as a session remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

_LONGEST_ADDRESS, _LONGEST_AGENT, _LONGEST_WORD, _MOST_METHODS = 64, 512, 255, 16


@dataclass(frozen=True, slots=True)
class SignIn:
    """What is known of a sign-in; nothing of it opens anything.

    Args:
        address: the network address that it came from.
        user_agent: what the browser calls itself.
        connection_id: the connection whose identity provider vouched for the person.
        authenticated_at: when the person proved who they are (OpenID Connect's `auth_time`); without it, now.
        acr: how strongly, in the identity provider's words (OpenID Connect Core, section 2).
        amr: by which methods (RFC 8176).
        provider_session: what the identity provider calls the session (OpenID Connect's `sid`).
        id_token: the ID token, sealed, for a sign-out that the identity provider hears of.
    """

    address: str | None = None
    user_agent: str | None = None
    connection_id: UUID | None = None
    authenticated_at: datetime | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    provider_session: str | None = None
    id_token: str | None = None

    def columns(self) -> dict[str, Any]:
        """As it is stored: what others wrote is cut to a bounded length; what has to match is not."""
        return {
            "address": _cut(self.address, _LONGEST_ADDRESS),
            "user_agent": _cut(self.user_agent, _LONGEST_AGENT),
            "connection_id": self.connection_id,
            "acr": _cut(self.acr, _LONGEST_WORD),
            "amr": [_cut(method, _LONGEST_WORD) for method in self.amr[:_MOST_METHODS]],
            "provider_session": self.provider_session,
            "id_token": self.id_token,
            **({} if self.authenticated_at is None else {"authenticated_at": self.authenticated_at}),
        }


UNTOLD = SignIn()


def _cut(text: str | None, longest: int) -> str | None:
    return None if not text else text.replace("\0", "")[:longest]
