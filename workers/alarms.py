"""Looks for what somebody has to be told of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from provisioning import doctor
from provisioning.context import context
from provisioning.database import transaction
from provisioning.directory import mass_changes

_log = logging.getLogger(__name__)


def watch_mass_changes() -> int:
    """Raise an alarm for each connection that took something from too many people, and return how many there were."""
    with transaction() as database:
        raised = mass_changes.watch(database)
    if raised:
        _log.error("%s connections took something from a large share of their workspace's members", raised)
    return raised


def reconcile() -> int:
    """Prove what must hold, raise an alarm where it does not, and return how many invariants are broken."""
    with transaction() as database:
        broken = doctor.reconcile(
            database, policy=context().session_policy, syslog=context().forwarding.syslog is not None
        )
    for finding in broken:
        _log.error("%s: %s, such as %s", finding.name, finding.count, ", ".join(finding.ids))
    return len(broken)


# Under the names that the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    "provisioning.watch_mass_changes": watch_mass_changes,
    "provisioning.reconcile": reconcile,
}
