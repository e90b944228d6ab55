"""Which work each fact calls for. Every handler may run twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioning.access.events import AccessRequestCreated, MappingConfirmed, MappingDeclined, MappingProposed
from provisioning.directory.events import (
    ConnectionSessionsOutdated,
    HipaaEligibilityChanged,
    InvitationCreated,
    InvitationResent,
    SessionsOutdated,
    WorkspaceDeleted,
)
from provisioning.forwarding.events import EndpointDisabled, EndpointFailing, EndpointRegistered
from provisioning.outbox import Claimed
from provisioning.tokens.events import ApiTokenExpiring, ApiTokenLeaked
from workers import deletion, mail, notices, revocation

HANDLERS: Mapping[str, tuple[Callable[[Claimed], None], ...]] = {
    AccessRequestCreated.name: (notices.access_requested,),
    ApiTokenExpiring.name: (notices.token_expiring,),
    ApiTokenLeaked.name: (notices.token_leaked,),
    EndpointDisabled.name: (notices.forwarding_disabled,),
    EndpointFailing.name: (notices.forwarding_failing,),
    EndpointRegistered.name: (notices.forwarding_registered,),
    HipaaEligibilityChanged.name: (revocation.clear_workspace,),
    ConnectionSessionsOutdated.name: (revocation.clear_connection,),
    InvitationCreated.name: (mail.invite,),
    InvitationResent.name: (mail.invite,),
    MappingProposed.name: (notices.mapping_proposed,),
    MappingConfirmed.name: (notices.mapping_confirmed,),
    MappingDeclined.name: (notices.mapping_declined,),
    SessionsOutdated.name: (revocation.clear_person,),
    WorkspaceDeleted.name: (deletion.remove_workspace,),
}
