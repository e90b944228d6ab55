"""A job of the schedule is done once, however many of its ticks have piled up while no worker was there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta

from provisioning import heartbeat
from provisioning.database import transaction


def once(job: Callable[[], int], *, name: str, every: timedelta) -> Callable[[], int]:
    """The job, which a tick begins only if no other tick has begun it within half of its interval.

    The database's clock alone decides: ticks carry the time of whoever sent them, and no machine's clock is believed.
    What dies on the way is begun again by the next tick.

    Args:
        job: may run twice, and finds by itself what is to be done.
        name: of its task.
        every: how often beat sends a tick.
    """

    @functools.wraps(job)
    def tick() -> int:
        with transaction() as connection:
            is_due = heartbeat.show_life(connection, name, every=every / 2)
        return job() if is_due else 0

    return tick
