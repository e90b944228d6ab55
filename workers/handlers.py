"""Which work each fact calls for. Every handler may run twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioning.directory.events import (
    HipaaEligibilityChanged,
    InvitationCreated,
    InvitationResent,
    SessionsOutdated,
)
from provisioning.outbox import Claimed
from workers import mail, revocation

HANDLERS: Mapping[str, tuple[Callable[[Claimed], None], ...]] = {
    HipaaEligibilityChanged.name: (revocation.clear_workspace,),
    InvitationCreated.name: (mail.invite,),
    InvitationResent.name: (mail.invite,),
    SessionsOutdated.name: (revocation.clear_person,),
}
