"""Looks for what somebody has to be told of."""

from __future__ import annotations

import logging

from celery import Celery

from provisioning.database import transaction
from provisioning.directory import mass_changes

_log = logging.getLogger(__name__)


def register(celery: Celery) -> None:
    """Make the task known under the name that the schedule uses."""
    celery.task(name="provisioning.watch_mass_changes")(watch_mass_changes)


def watch_mass_changes() -> int:
    """Raise an alarm for each connection that took something from too many people, and return how many there were."""
    with transaction() as database:
        raised = mass_changes.watch(database)
    if raised:
        _log.error("%s connections took something from a large share of their workspace's members", raised)
    return raised
