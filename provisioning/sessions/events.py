"""The facts of sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from provisioning.outbox import Fact


@dataclass(frozen=True, slots=True)
class _AboutSessions(Fact):
    user_id: UUID

    @property
    def subject(self) -> str:
        return f"sessions-of:{self.user_id}"


@dataclass(frozen=True, slots=True)
class SessionBegun(_AboutSessions):
    """A person signed in."""

    name: ClassVar[str] = "session.begun"
    session_id: UUID
    policy: str


@dataclass(frozen=True, slots=True)
class SessionRevoked(_AboutSessions):
    """A session was ended before its time, by somebody."""

    name: ClassVar[str] = "session.revoked"
    session_id: UUID


@dataclass(frozen=True, slots=True)
class SessionEnded(_AboutSessions):
    """A sign-in ended a session: the one that the browser had before, or the oldest of too many."""

    name: ClassVar[str] = "session.ended"
    session_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class SessionRenewed(_AboutSessions):
    """A session got a new text, for the person's privileges have changed; the text before ends."""

    name: ClassVar[str] = "session.renewed"
    session_id: UUID


@dataclass(frozen=True, slots=True)
class SessionLimitsChanged(Fact):
    """Owners set how long their members' sessions may live; what is null is the service's limit."""

    name: ClassVar[str] = "workspace.session_limits_changed"
    workspace_id: UUID
    idle_seconds: int | None
    absolute_seconds: int | None

    @property
    def subject(self) -> str:
        """The workspace."""
        return f"workspace:{self.workspace_id}"


@dataclass(frozen=True, slots=True)
class SignInLinkIssued(_AboutSessions):
    """The operator made a link that signs a person in once."""

    name: ClassVar[str] = "sign_in_link.issued"


@dataclass(frozen=True, slots=True)
class SignInLinkLeaked(_AboutSessions):
    """An alarm: somebody had a link that signs a person in, and reported it before it was used; it is void."""

    name: ClassVar[str] = "sign_in_link.leaked"


@dataclass(frozen=True, slots=True)
class SessionsCleared(Fact):
    """Sessions that were refused already are marked as ended."""

    name: ClassVar[str] = "sessions.cleared"
    reason: str
    session_ids: tuple[UUID, ...]

    @property
    def subject(self) -> str:
        """Nothing else: the order of clearings is of no matter."""
        return f"sessions-cleared:{self.session_ids[0]}"
