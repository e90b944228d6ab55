"""Looks for what somebody has to be told of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from provisioning import doctor, drift, heartbeat
from provisioning.context import context
from provisioning.database import transaction
from provisioning.directory import connections, mass_changes

_DAILY = timedelta(days=1)
_DRIFT = "drift"
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
        broken = doctor.reconcile(database, policy=context().session_policy)
    for finding in broken:
        _log.error("%s: %s, such as %s", finding.name, finding.count, ", ".join(finding.ids))
    return len(broken)


def watch_drift() -> int:
    """Once a day, tell of workspaces in which other things are not as identity providers say; how many there are.

    The day is told by the database: a beat that begins anew, as with each deployment, doesn't put it off.
    """
    with transaction() as database:
        age = heartbeat.age_of(database, _DRIFT)
        if age is not None and age < _DAILY:
            return 0
        of = sorted({found.workspace_id for found in connections.every(database, workspace_id=None)})
    changed = 0
    for workspace_id in of:
        with transaction() as database:
            changed += drift.watch(database, workspace_id=workspace_id)
    with transaction() as database:
        heartbeat.show_life(database, _DRIFT)
    if changed:
        _log.warning("in %s workspaces what is in effect differs otherwise from what identity providers say", changed)
    return changed


# Under the names that the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    "provisioning.watch_mass_changes": watch_mass_changes,
    "provisioning.reconcile": reconcile,
    "provisioning.watch_drift": watch_drift,
}
