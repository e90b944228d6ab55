"""Facts about endpoints and the syslog. Addresses may hold secrets: only scheme, host and port are told of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from provisioning.outbox import Fact, Urgency


@dataclass(frozen=True, slots=True)
class _OfEndpoint(Fact):
    endpoint_id: UUID
    origin: str

    @property
    def subject(self) -> str:
        """The endpoint."""
        return f"forwarding_endpoint:{self.endpoint_id}"


@dataclass(frozen=True, slots=True)
class EndpointRegistered(_OfEndpoint):
    """What happens in the workspace is sent to this address from now on; a letter tells the owners."""

    name: ClassVar[str] = "forwarding_endpoint.registered"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    events: list[Any]


@dataclass(frozen=True, slots=True)
class EndpointChanged(_OfEndpoint):
    """An endpoint is told of other events from now on, or was switched on or off."""

    name: ClassVar[str] = "forwarding_endpoint.changed"
    events: list[Any]
    enabled: bool


@dataclass(frozen=True, slots=True)
class EndpointSecretRotated(_OfEndpoint):
    """An endpoint got a new secret, shown once; the one before signs beside it until it ends."""

    name: ClassVar[str] = "forwarding_endpoint.secret_rotated"
    overlap_seconds: int


@dataclass(frozen=True, slots=True)
class EndpointReplayed(_OfEndpoint):
    """An endpoint is told again, or only, of what has happened since a moment."""

    name: ClassVar[str] = "forwarding_endpoint.replayed"
    since: str


@dataclass(frozen=True, slots=True)
class EndpointFailing(_OfEndpoint):
    """An alarm: an endpoint has not taken what it was sent for long; it is tried again and again."""

    name: ClassVar[str] = "forwarding_endpoint.failing"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    error: str
    failing_since: str


@dataclass(frozen=True, slots=True)
class EndpointRecovered(_OfEndpoint):
    """An endpoint of which an alarm told takes what it is sent again."""

    name: ClassVar[str] = "forwarding_endpoint.recovered"


@dataclass(frozen=True, slots=True)
class EndpointDisabled(_OfEndpoint):
    """An alarm: an endpoint is sent nothing any more; it failed for days, or said that it is gone."""

    name: ClassVar[str] = "forwarding_endpoint.disabled"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    because: str
    error: str


@dataclass(frozen=True, slots=True)
class EndpointRemoved(_OfEndpoint):
    """An endpoint is gone, and its secrets with it."""

    name: ClassVar[str] = "forwarding_endpoint.removed"


@dataclass(frozen=True, slots=True)
class SyslogReplayed(Fact):
    """The operator had the syslog told again, or only, of what has happened since a moment."""

    name: ClassVar[str] = "syslog.replayed"
    since: str

    @property
    def subject(self) -> str:
        """The service as a whole."""
        return "service:syslog"
