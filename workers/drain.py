"""Works off the facts that wait in the outbox, one after another, until none is due."""

from __future__ import annotations

import logging

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

from provisioning import outbox
from provisioning.nudge import DRAIN_TASK
from provisioning.outbox import Claimed
from workers.handlers import HANDLERS

_log = logging.getLogger(__name__)


def register(celery: Celery) -> None:
    """Make the task known under the name that nudges call."""
    celery.task(name=DRAIN_TASK)(drain)


def drain() -> int:
    """Take up due facts until there are none.

    Returns:
        How many were done.
    """
    done = 0
    while (claimed := outbox.claim()) is not None:
        try:
            done += _work(claimed)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the fact stays and the others go on
            _log.exception("work on fact %s (%s) failed, attempt %d", claimed.id, claimed.name, claimed.attempts)
            outbox.fail(claimed, error)
    return done


def _work(claimed: Claimed) -> int:
    with outbox.held(claimed) as held:
        if held is None:
            return 0
        for handle in HANDLERS[claimed.name]:
            handle(claimed)
    return 1
