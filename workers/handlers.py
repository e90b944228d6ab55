"""Which work each fact calls for. Every handler may run twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioning.directory.events import HipaaEligibilityChanged, SessionsOutdated
from provisioning.outbox import Claimed
from workers import revocation

HANDLERS: Mapping[str, tuple[Callable[[Claimed], None], ...]] = {
    HipaaEligibilityChanged.name: (revocation.clear_workspace,),
    SessionsOutdated.name: (revocation.clear_person,),
}
