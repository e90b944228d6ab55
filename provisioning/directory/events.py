"""The facts of the directory. Those that end sessions are about the person, so that they are worked off in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from provisioning.outbox import Fact, Urgency


@dataclass(frozen=True, slots=True)
class _AboutWorkspace(Fact):
    workspace_id: UUID

    @property
    def subject(self) -> str:
        return f"workspace:{self.workspace_id}"


@dataclass(frozen=True, slots=True)
class WorkspaceCreated(_AboutWorkspace):
    """A workspace was founded."""

    name: ClassVar[str] = "workspace.created"
    slug: str
    hipaa_eligible: bool


@dataclass(frozen=True, slots=True)
class HipaaEligibilityChanged(_AboutWorkspace):
    """Ends every session that the members of the workspace began before."""

    name: ClassVar[str] = "workspace.hipaa_eligibility_changed"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.URGENT
    hipaa_eligible: bool


@dataclass(frozen=True, slots=True)
class WorkspaceDeleted(_AboutWorkspace):
    """A workspace is gone, with all that opens it; its members' sessions have ended, and its rows want removing."""

    name: ClassVar[str] = "workspace.deleted"
    calls_for_work: ClassVar[bool] = True
    slug: str


@dataclass(frozen=True, slots=True)
class OwnersByMappingChanged(_AboutWorkspace):
    """The operator let mappings give ownership, or no longer."""

    name: ClassVar[str] = "workspace.owners_by_mapping_changed"
    allowed: bool


@dataclass(frozen=True, slots=True)
class LongestTokenChanged(_AboutWorkspace):
    """API tokens live for at most so many seconds here from now on; none: as long as the service allows."""

    name: ClassVar[str] = "workspace.longest_token_changed"
    seconds: int | None


@dataclass(frozen=True, slots=True)
class SchemaRegistered(_AboutWorkspace):
    """A workspace got a schema extension of its own."""

    name: ClassVar[str] = "schema.registered"
    urn: str


@dataclass(frozen=True, slots=True)
class SchemaChanged(_AboutWorkspace):
    """An extension's definition was replaced."""

    name: ClassVar[str] = "schema.changed"
    urn: str


@dataclass(frozen=True, slots=True)
class SchemaRemoved(_AboutWorkspace):
    """An extension was taken away."""

    name: ClassVar[str] = "schema.removed"
    urn: str


@dataclass(frozen=True, slots=True)
class _AboutConnection(Fact):
    connection_id: UUID

    @property
    def subject(self) -> str:
        return f"connection:{self.connection_id}"


@dataclass(frozen=True, slots=True)
class ConnectionCreated(_AboutConnection):
    """An identity provider was given its way in."""

    name: ClassVar[str] = "connection.created"
    connection_name: str
    dialect: str


@dataclass(frozen=True, slots=True)
class ConnectionChanged(_AboutConnection):
    """An admin set something of a connection; what it is now is told."""

    name: ClassVar[str] = "connection.changed"
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConnectionSecretLeaked(_AboutConnection):
    """An alarm: somebody had the text of a credential or client secret and reported it; it was ended.

    Args:
        what: `token` or `client_secret`.
        found_at: the address where it was found, if that was told.
        source: what kind of place that is, if that was told.
    """

    name: ClassVar[str] = "connection.secret_leaked"
    what: str
    found_at: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class ClientSecretIssued(_AboutConnection):
    """A connection got a secret to ask for access tokens with; those it had before are gone."""

    name: ClassVar[str] = "connection.client_secret_issued"


@dataclass(frozen=True, slots=True)
class MassChange(_AboutConnection):
    """An alarm: within an hour a connection took something from a large share of the workspace's members."""

    name: ClassVar[str] = "connection.mass_change"
    count: int
    of: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldChangesSettled(_AboutConnection):
    """Somebody has looked at what was held: it was done, or dropped."""

    name: ClassVar[str] = "connection.held_changes_settled"
    confirmed: bool
    count: int


@dataclass(frozen=True, slots=True)
class ConnectionTokenRotated(_AboutConnection):
    """A connection got a new credential; the older ones end when they were told to."""

    name: ClassVar[str] = "connection.token_rotated"


@dataclass(frozen=True, slots=True)
class ConnectionSessionsOutdated(_AboutConnection):
    """A connection's identity provider vouches no more for those whom it signed in: their sessions are dead."""

    name: ClassVar[str] = "connection.sessions_outdated"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.URGENT


@dataclass(frozen=True, slots=True)
class ConnectionTokenRevoked(_AboutConnection):
    """A connection ended an access token of its own before its time."""

    name: ClassVar[str] = "connection.token_revoked"


@dataclass(frozen=True, slots=True)
class _AboutPerson(Fact):
    user_id: UUID
    member_id: UUID

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class MemberAdded(_AboutPerson):
    """A person became a team member."""

    name: ClassVar[str] = "member.added"
    active: bool
    origin: str


@dataclass(frozen=True, slots=True)
class MemberUpdated(_AboutPerson):
    """Something of the profile changed; the attributes are named, their values are not repeated here."""

    name: ClassVar[str] = "member.updated"
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberActivated(_AboutPerson):
    """A suspended team member was restored, with the groups and policies of before."""

    name: ClassVar[str] = "member.activated"


@dataclass(frozen=True, slots=True)
class MemberSuspended(_AboutPerson):
    """A team member was suspended; groups and policies are kept, unused."""

    name: ClassVar[str] = "member.suspended"


@dataclass(frozen=True, slots=True)
class MemberRemoved(_AboutPerson):
    """A person is no longer a team member.

    Args:
        asked_by: the connection that had asked for it, where that was held until somebody confirmed it.
    """

    name: ClassVar[str] = "member.removed"
    asked_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class OwnerAppointed(_AboutPerson):
    """A team member may do everything in the workspace from now on."""

    name: ClassVar[str] = "member.owner_appointed"


@dataclass(frozen=True, slots=True)
class MemberProtected(_AboutPerson):
    """An owner put a team member out of the identity providers' reach."""

    name: ClassVar[str] = "member.protected"


@dataclass(frozen=True, slots=True)
class MemberUnprotected(_AboutPerson):
    """A team member is within the identity providers' reach again."""

    name: ClassVar[str] = "member.unprotected"


@dataclass(frozen=True, slots=True)
class OwnerDemoted(_AboutPerson):
    """An owner is a team member like any other from now on."""

    name: ClassVar[str] = "member.owner_demoted"


@dataclass(frozen=True, slots=True)
class LastOwnerLost(_AboutPerson):
    """An alarm: the identity provider's word was obeyed, and the workspace has no active owner left."""

    name: ClassVar[str] = "workspace.last_owner_lost"


@dataclass(frozen=True, slots=True)
class SessionsOutdated(Fact):
    """The person's session epoch was raised: what lives from before is dead already and wants clearing away."""

    name: ClassVar[str] = "user.sessions_outdated"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.URGENT
    user_id: UUID
    reason: str

    @property
    def subject(self) -> str:
        """The person."""
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class _AboutGroup(Fact):
    group_id: UUID

    @property
    def subject(self) -> str:
        return f"group:{self.group_id}"


@dataclass(frozen=True, slots=True)
class GroupAdded(_AboutGroup):
    """A user group came to be."""

    name: ClassVar[str] = "group.added"
    display_name: str


@dataclass(frozen=True, slots=True)
class GroupUpdated(_AboutGroup):
    """The group was renamed or got another external id; the attributes are named."""

    name: ClassVar[str] = "group.updated"
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupMembersChanged(_AboutGroup):
    """Members joined or left; only those concerned are named."""

    name: ClassVar[str] = "group.members_changed"
    added: tuple[UUID, ...]
    removed: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class GroupMembersAwaited(_AboutGroup):
    """The identity provider named people whom it has not pushed; they join when it does."""

    name: ClassVar[str] = "group.members_awaited"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupDetached(_AboutGroup):
    """An owner made a pushed group a local one; the connection does not see it any more."""

    name: ClassVar[str] = "group.detached"
    display_name: str
    connection_id: UUID


@dataclass(frozen=True, slots=True)
class GroupRemoved(_AboutGroup):
    """A user group is gone; its members stay in the workspace."""

    name: ClassVar[str] = "group.removed"
    display_name: str


@dataclass(frozen=True, slots=True)
class GroupInvitationsChanged(_AboutGroup):
    """People who are invited are going to be in the group when they have accepted, or no longer."""

    name: ClassVar[str] = "group.invitations_changed"
    added: tuple[UUID, ...]
    removed: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class _AboutInvitation(Fact):
    invitation_id: UUID
    email: str

    @property
    def subject(self) -> str:
        return f"invitation:{self.invitation_id}"


@dataclass(frozen=True, slots=True)
class InvitationCreated(_AboutInvitation):
    """Somebody was invited: a letter is to be written, whose secret nobody knows yet."""

    name: ClassVar[str] = "invitation.created"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS
    owner: bool


@dataclass(frozen=True, slots=True)
class InvitationResent(_AboutInvitation):
    """Another letter is to be written; what the former said is void."""

    name: ClassVar[str] = "invitation.resent"
    calls_for_work: ClassVar[bool] = True
    urgency: ClassVar[Urgency] = Urgency.LETTERS


@dataclass(frozen=True, slots=True)
class InvitationRevoked(_AboutInvitation):
    """An invitation was taken back: by an admin, or because the membership of that person ended."""

    name: ClassVar[str] = "invitation.revoked"


@dataclass(frozen=True, slots=True)
class InvitationExpired(_AboutInvitation):
    """An invitation that nobody accepted in time is gone: cleaned up, or replaced by another."""

    name: ClassVar[str] = "invitation.expired"


@dataclass(frozen=True, slots=True)
class InvitationAccepted(_AboutInvitation):
    """Whoever the address belongs to is a team member now."""

    name: ClassVar[str] = "invitation.accepted"
    user_id: UUID
    member_id: UUID
