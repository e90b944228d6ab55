"""Works off the facts that wait in the outbox: for each urgency a task, on a queue that no other's work holds up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from celery.exceptions import SoftTimeLimitExceeded

from provisioning import heartbeat, nudge, outbox, progress
from provisioning.database import transaction
from provisioning.outbox import Claimed, Urgency
from workers.handlers import HANDLERS

# In these queues nothing waits but nudges, each of which has all facts looked at; so many keep all workers busy.
_NUDGED_ALONE = frozenset({Urgency.URGENT, Urgency.LETTERS})
_MOST_NUDGES = 1000
# Then whatever else waits in the queue gets its turn.
_TURN_SECONDS = 20.0
_log = logging.getLogger(__name__)


def drain(urgency: Urgency) -> int:
    """Take up due facts until there are none; when that takes long, have it gone on with after others' turns.

    Returns:
        How many were done.
    """
    done, until = 0, time.monotonic() + _TURN_SECONDS
    with transaction() as connection:
        heartbeat.show_life(connection, urgency)
    if urgency in _NUDGED_ALONE and (overtaken := nudge.overtake(urgency, more_than=_MOST_NUDGES)):
        _log.info("%d nudges of %s forgotten: this worker looks at what they stand for", overtaken, urgency)
    while (claimed := outbox.claim(urgency, names=HANDLERS)) is not None:
        try:
            done += _work(claimed)
        except SoftTimeLimitExceeded:
            progress.forgive(claimed)
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the fact stays and the others go on
            _log.exception("work on fact %s (%s) failed, attempt %d", claimed.id, claimed.name, claimed.attempts)
            outbox.fail(claimed, error)
        if time.monotonic() > until:
            nudge.drain(urgency)
            break
    return done


def _work(claimed: Claimed) -> int:
    with outbox.held(claimed) as held:
        if held is None:
            return 0
        for handle in HANDLERS[claimed.name]:
            handle(claimed)
        progress.finish(held, claimed)
    return 1


def _of(urgency: Urgency) -> Callable[[], int]:
    def work() -> int:
        return drain(urgency)

    return work


# Under the names that nudges call.
TASKS = {nudge.task_of(urgency): _of(urgency) for urgency in Urgency}
