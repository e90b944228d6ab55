"""The facts of access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from provisioning.outbox import Fact


@dataclass(frozen=True, slots=True)
class _AboutMapping(Fact):
    mapping_id: UUID
    condition: str
    role: str
    scope: dict[str, Any]

    @property
    def subject(self) -> str:
        return f"mapping:{self.mapping_id}"


@dataclass(frozen=True, slots=True)
class MappingCreated(_AboutMapping):
    """An admin's rule gives a role from now on."""

    name: ClassVar[str] = "mapping.created"


@dataclass(frozen=True, slots=True)
class MappingDeleted(_AboutMapping):
    """An admin's rule gives nothing any more."""

    name: ClassVar[str] = "mapping.deleted"


@dataclass(frozen=True, slots=True)
class PolicyCreated(Fact):
    """A member, group or API token was given a role."""

    name: ClassVar[str] = "policy.created"
    policy_id: UUID
    given_to: str
    role: str
    scope: dict[str, Any]

    @property
    def subject(self) -> str:
        """The policy."""
        return f"policy:{self.policy_id}"


@dataclass(frozen=True, slots=True)
class ResourcesRegistered(Fact):
    """The product that owns them told of resources."""

    name: ClassVar[str] = "resources.registered"
    resources: tuple[str, ...]

    @property
    def subject(self) -> str:
        """All registrations are worked off in order."""
        return "resources"
