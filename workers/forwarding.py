"""Tells the outside what happens: endpoints by calls, each by itself, and the operator's syslog."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import requests

from provisioning import heartbeat, nudge
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.forwarding import call, delivery, messages, places, sending, syslog, syslog_places
from provisioning.forwarding.call import Outcome
from provisioning.forwarding.delivery import Batch, Key
from provisioning.forwarding.means import QUEUE
from provisioning.forwarding.wire import Target

# Then whatever else waits in the queue gets its turn.
_TURN_SECONDS = 20.0
_BATCHES_AT_ONCE = 20
_CHAINS_AT_ONCE, _LINES_AT_ONCE = 20, 200
_log = logging.getLogger(__name__)


def forward_to_endpoints() -> int:
    """Send endpoints what has been sealed and they were not sent yet, and return how many events were taken.

    One that another worker serves is left to that one, so that an endpoint which lets us wait holds up no other.
    """
    taken, until = 0, time.monotonic() + _TURN_SECONDS
    with transaction() as connection:
        heartbeat.show_life(connection, QUEUE)
    with reading() as connection:
        due = delivery.due(connection)
    if not due:
        return 0
    with call.session(context().forwarding.outbound) as http:
        for key in due:
            if time.monotonic() > until:
                nudge.drain(QUEUE)
                break
            taken += _serve(http, key)
    return taken


def _serve(http: requests.Session, key: Key) -> int:
    """Send an endpoint some batches; a firehose goes on after the others' turns."""
    taken = 0
    for _ in range(_BATCHES_AT_ONCE):
        with transaction() as holder:
            if not delivery.held(holder, key):
                return taken
            with transaction() as connection:
                batch = delivery.take_up(connection, key)
            if batch is None or not _deliver(http, batch):
                return taken
        taken += len(batch.entries)
    nudge.drain(QUEUE)
    return taken


def _deliver(http: requests.Session, batch: Batch) -> bool:
    """Send one batch, and note what became of it."""
    outcome = _send(http, batch) if batch.entries else Outcome()
    with transaction() as connection:
        if outcome.taken:
            delivery.succeed(connection, batch)
        else:
            delivery.fail(connection, batch, outcome, patience=context().forwarding.patience)
            _log.warning("forwarding endpoint %s took nothing: %s", batch.of.endpoint_id, outcome.error)
    return outcome.taken


def _send(http: requests.Session, batch: Batch) -> Outcome:
    where = {"workspace_id": batch.of.workspace_id, "endpoint_id": batch.of.endpoint_id}
    message, sealer = messages.of(batch.entries), context().forwarding.sealer
    return sending.send(http, message, url=batch.url, sealer=sealer, **where)


def forward_to_syslog() -> int:
    """Send the syslog what has been sealed and it was not sent yet, and return how many events that were."""
    target, sent, until = context().forwarding.syslog, 0, time.monotonic() + _TURN_SECONDS
    if target is None:
        return 0
    while time.monotonic() < until:
        with transaction() as holder:
            last = _tell_syslog(target) if syslog_places.held(holder) else None
        if last is None:
            break
        sent += last
    return sent


def _tell_syslog(target: Target) -> int | None:
    """Send some of what is waiting, of as many chains as there is room for, over one connection.

    Returns:
        How many events that were; None where nothing waits, or it was not taken.
    """
    with transaction() as connection:
        syslog_places.begin(connection)
        behind = syslog_places.behind(connection, most=_CHAINS_AT_ONCE)
        stretches = [
            (one.chain, places.stretch(connection, chain=one.chain, place=one.place, most=_LINES_AT_ONCE))
            for one in behind
        ]
    host = urlsplit(context().public_url).hostname or ""
    lines = [syslog.line(stop.entry, chain=chain, host=host) for chain, some in stretches for stop in some.stops]
    try:
        if lines:
            target.send(lines)
    except OSError as error:
        _log.warning("syslog took nothing: %s", type(error).__name__)
        return None
    with transaction() as connection:
        for chain, some in stretches:
            syslog_places.move(connection, chain=chain, to=some.end)
    return len(lines) if stretches else None


# Under the names that nudges call and the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    nudge.task_of(QUEUE): forward_to_endpoints,
    "provisioning.forward_to_syslog": forward_to_syslog,
}
