"""`Something is waiting`: sends a task's name to the broker. May fail silently: the facts are in the outbox.

Every wait is bounded, so that an absent or frozen broker never holds up the request that has just been committed.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from celery import Celery
from celery.exceptions import OperationalError
from flask import Flask, current_app
from kombu.exceptions import KombuError

_EXTENSION = "provisioning.nudge"
_PATIENCE_SECONDS = 0.2
_log = logging.getLogger(__name__)


def broker_address(url: str) -> str:
    """The broker's URL as Celery writes it: a Unix socket has a scheme of its own there."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    return f"redis+socket://{path}?virtual_host={query.removeprefix('db=') or '0'}"


def init_app(app: Flask, *, broker_url: str | None) -> None:
    """Give an application its way to the broker; without an address nudges go nowhere and sweeps find the facts."""
    if broker_url is None:
        return
    sender = Celery("provisioning", broker=broker_address(broker_url), set_as_current=False)
    sender.conf.broker_transport_options = {
        "max_retries": 0,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
        "socket_timeout": _PATIENCE_SECONDS,
        "socket_connect_timeout": _PATIENCE_SECONDS,
    }
    sender.conf.task_ignore_result = True
    app.extensions[_EXTENSION] = sender


def warm_up(app: Flask) -> None:
    """Load now what Celery loads on first use, which would make the first request that nudges wait for it."""
    sender = app.extensions.get(_EXTENSION)
    if sender is not None:
        sender.finalize()
        _log.debug("nudges go by %s", type(sender.amqp.send_task_message).__name__)
        _log.debug("through %s", type(sender.producer_pool).__name__)


def reach_broker() -> bool:
    """Whether the broker answers; False where no address is set.

    Raises:
        OperationalError, KombuError, OSError: it does not.
    """
    sender = current_app.extensions.get(_EXTENSION)
    if sender is None:
        return False
    with sender.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=_PATIENCE_SECONDS)
        connection.default_channel.close()
    return True


def task_of(queue: str) -> str:
    """The name of the task that works off the facts of a queue."""
    return f"provisioning.drain_{queue}"


@functools.cache
def teller(queue: str) -> Callable[[], None]:
    """What nudges the workers of a queue: the same function each time, so that one commit nudges once."""
    return functools.partial(drain, queue)


def overtake(queue: str, *, more_than: int) -> int:
    """Forget the nudges that wait in a queue if they are too many, and return how many these were.

    For whoever is about to look at all facts of the queue: a nudge stands for a fact that is committed already.
    """
    sender = current_app.extensions.get(_EXTENSION)
    if sender is None:
        return 0
    with sender.pool.acquire(block=True) as connection:
        try:
            channel = connection.default_channel
            if channel.queue_declare(queue, passive=True).message_count <= more_than:
                return 0
            return int(channel.queue_purge(queue))
        except connection.channel_errors:
            # An empty queue is none.
            return 0
        except connection.connection_errors as error:
            _log.warning("nudges not counted (%s)", type(error).__name__)
            return 0


def drain(queue: str) -> None:
    """Tell a worker that facts are waiting in a queue, if anybody listens."""
    sender = current_app.extensions.get(_EXTENSION)
    if sender is None:
        return
    try:
        sender.send_task(task_of(queue), queue=queue, retry=False, ignore_result=True)
    except (OperationalError, KombuError, OSError) as error:
        _log.warning("nudge not delivered (%s): the next sweep finds the facts", type(error).__name__)
