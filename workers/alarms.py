"""Looks for what somebody has to be told of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from provisioning import doctor, drift
from provisioning.context import context
from provisioning.database import transaction
from provisioning.directory import mass_changes, workspaces

_DAILY = timedelta(days=1)
# Then other work of the queue gets its turn.
_TURN_SECONDS = 10.0
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


def watch_drift() -> int:
    """Count, for some time, what drifts in workspaces that are due; in how many it is other than was told last.

    Each is counted once a day by the database's clock: a beat that begins anew, as with each deployment, puts nothing
    off, and what isn't reached this time is by the next.
    """
    changed, until = 0, time.monotonic() + _TURN_SECONDS
    while time.monotonic() < until:
        with transaction() as database:
            workspace_id = workspaces.take_to_count(database, every=_DAILY)
        if workspace_id is None:
            break
        with transaction() as database:
            changed += drift.watch(database, workspace_id=workspace_id)
    if changed:
        _log.warning("in %s workspaces what is in effect differs otherwise from what identity providers say", changed)
    return changed


# Under the names that the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    "provisioning.watch_mass_changes": watch_mass_changes,
    "provisioning.reconcile": reconcile,
    "provisioning.watch_drift": watch_drift,
}
