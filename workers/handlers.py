"""Which work each fact calls for. Every handler may run twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioning.directory.events import HipaaEligibilityChanged, SessionsOutdated, WorkspaceDeleted
from provisioning.outbox import Claimed
from workers import deletion, revocation

HANDLERS: Mapping[str, tuple[Callable[[Claimed], None], ...]] = {
    HipaaEligibilityChanged.name: (revocation.clear_workspace,),
    SessionsOutdated.name: (revocation.clear_person,),
    WorkspaceDeleted.name: (deletion.remove_workspace,),
}
