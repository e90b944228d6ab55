"""The facts of access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from provisioning.outbox import Fact, Urgency


@dataclass(frozen=True, slots=True)
class _AboutMapping(Fact):
    mapping_id: UUID
    rule: str

    @property
    def subject(self) -> str:
        return f"mapping:{self.mapping_id}"


@dataclass(frozen=True, slots=True)
class MappingCreated(_AboutMapping):
    """An admin's rule is there; what it gives are policies of its own."""

    name: ClassVar[str] = "mapping.created"


@dataclass(frozen=True, slots=True)
class MappingChanged(_AboutMapping):
    """An admin's rule is another, or was switched on or off."""

    name: ClassVar[str] = "mapping.changed"
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MappingDeleted(_AboutMapping):
    """An admin's rule gives nothing any more."""

    name: ClassVar[str] = "mapping.deleted"


@dataclass(frozen=True, slots=True)
class MappingsOrdered(Fact):
    """An admin put the rules into another order."""

    name: ClassVar[str] = "mappings.ordered"
    mappings: tuple[UUID, ...]

    @property
    def subject(self) -> str:
        """All of the workspace's rules."""
        return "mappings"


@dataclass(frozen=True, slots=True)
class _AboutMappingProposal(Fact):
    proposal_id: UUID
    mapping_id: UUID
    rule: str
    # The owner who asked; none: the operator.
    asker_id: UUID | None

    @property
    def subject(self) -> str:
        return f"mapping_proposal:{self.proposal_id}"


@dataclass(frozen=True, slots=True)
class MappingProposed(_AboutMappingProposal):
    """Somebody wants a mapping to give ownership: another owner is to confirm it, and nothing counts before."""

    name: ClassVar[str] = "mapping_proposal.created"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS


@dataclass(frozen=True, slots=True)
class MappingConfirmed(_AboutMappingProposal):
    """A second one has said so: the mapping gives ownership."""

    name: ClassVar[str] = "mapping_proposal.confirmed"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    # The owner who confirmed; none: the operator.
    second_id: UUID | None


@dataclass(frozen=True, slots=True)
class MappingDeclined(_AboutMappingProposal):
    """Somebody has said no, or the one who asked took it back: the mapping stays as it is."""

    name: ClassVar[str] = "mapping_proposal.declined"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    why: str | None


@dataclass(frozen=True, slots=True)
class MappingProposalExpired(_AboutMappingProposal):
    """Nobody has confirmed it in time: the mapping stays as it is."""

    name: ClassVar[str] = "mapping_proposal.expired"


@dataclass(frozen=True, slots=True)
class _AboutPolicy(Fact):
    policy_id: UUID
    given_to: str
    role: str
    scope: dict[str, Any]

    @property
    def subject(self) -> str:
        return f"policy:{self.policy_id}"


@dataclass(frozen=True, slots=True)
class PolicyCreated(_AboutPolicy):
    """A member, group, program, mapping or invitation was given a role."""

    name: ClassVar[str] = "policy.created"
    ends_at: datetime | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyDeleted(_AboutPolicy):
    """A role was taken away again: by an admin, or because its resources are gone."""

    name: ClassVar[str] = "policy.deleted"


@dataclass(frozen=True, slots=True)
class PolicyHandedOver(_AboutPolicy):
    """A role that was held for somebody invited is theirs: they are a member now."""

    name: ClassVar[str] = "policy.handed_over"
    was: str


@dataclass(frozen=True, slots=True)
class PolicyExpired(_AboutPolicy):
    """A role that was given for a time has ended."""

    name: ClassVar[str] = "policy.expired"


@dataclass(frozen=True, slots=True)
class _AboutAccessRequest(Fact):
    request_id: UUID
    member_id: UUID
    role: str
    scope: dict[str, Any]

    @property
    def subject(self) -> str:
        return f"access_request:{self.request_id}"


@dataclass(frozen=True, slots=True)
class AccessRequestCreated(_AboutAccessRequest):
    """A member asks for a role."""

    name: ClassVar[str] = "access_request.created"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    why: str


@dataclass(frozen=True, slots=True)
class AccessRequestApproved(_AboutAccessRequest):
    """A member was given what they asked for."""

    name: ClassVar[str] = "access_request.approved"
    policy_id: UUID
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccessRequestDenied(_AboutAccessRequest):
    """A member was told no."""

    name: ClassVar[str] = "access_request.denied"
    why: str | None


@dataclass(frozen=True, slots=True)
class AccessRequestClosed(_AboutAccessRequest):
    """A member has in another way what they asked for."""

    name: ClassVar[str] = "access_request.closed"


@dataclass(frozen=True, slots=True)
class _AboutRole(Fact):
    role: str

    @property
    def subject(self) -> str:
        return f"role:{self.role}"


@dataclass(frozen=True, slots=True)
class RoleCreated(_AboutRole):
    """A workspace has a role of its own."""

    name: ClassVar[str] = "role.created"
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleChanged(_AboutRole):
    """A workspace's own role is called or allows something else."""

    name: ClassVar[str] = "role.changed"
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleDeleted(_AboutRole):
    """A workspace's own role is gone."""

    name: ClassVar[str] = "role.deleted"


@dataclass(frozen=True, slots=True)
class _AboutLabel(Fact):
    label: str

    @property
    def subject(self) -> str:
        return f"label:{self.label}"


@dataclass(frozen=True, slots=True)
class LabelCreated(_AboutLabel):
    """A workspace has a new label."""

    name: ClassVar[str] = "label.created"


@dataclass(frozen=True, slots=True)
class LabelRenamed(_AboutLabel):
    """A label is called otherwise; its resources and policies went along."""

    name: ClassVar[str] = "label.renamed"
    was: str


@dataclass(frozen=True, slots=True)
class LabelDeleted(_AboutLabel):
    """A label that nothing used is gone."""

    name: ClassVar[str] = "label.deleted"


@dataclass(frozen=True, slots=True)
class ResourcesLabelled(Fact):
    """Resources carry other labels: each with those that it carries now."""

    name: ClassVar[str] = "resources.labelled"
    labels: dict[str, list[str]]

    @property
    def subject(self) -> str:
        """All changes of resources are worked off in order."""
        return "resources"


@dataclass(frozen=True, slots=True)
class ResourcesRemoved(Fact):
    """The product that owned them told that resources are gone."""

    name: ClassVar[str] = "resources.removed"
    resources: tuple[str, ...]

    @property
    def subject(self) -> str:
        """All changes of resources are worked off in order."""
        return "resources"


@dataclass(frozen=True, slots=True)
class ResourcesRegistered(Fact):
    """The product that owns them told of resources."""

    name: ClassVar[str] = "resources.registered"
    resources: tuple[str, ...]

    @property
    def subject(self) -> str:
        """All registrations are worked off in order."""
        return "resources"
