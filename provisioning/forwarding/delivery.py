"""The way of events to endpoints: at least once, in the order of the seals, each endpoint by itself.

Where a batch ends is noted before it is sent, and that it was taken after. Who dies in between leaves it to another,
who sends the very same batch again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.audit.trail import Entry
from provisioning.forwarding import messages, places, selection
from provisioning.forwarding.call import Outcome
from provisioning.forwarding.endpoints import origin_of
from provisioning.forwarding.events import EndpointDisabled, EndpointFailing, EndpointRecovered
from provisioning.forwarding.means import Patience
from provisioning.forwarding.models import GONE, UNREACHABLE, Endpoint
from provisioning.forwarding.places import Place
from provisioning.outbox import SYSTEM

_LOOKED_AT_ONCE = 500
_LONGEST_PAUSE = timedelta(minutes=15)
# Whoever asks for more is asked again then all the same: nobody switches an endpoint off in this way.
_LONGEST_ASKED = timedelta(hours=1)
_IS_DUE = Endpoint.disabled_at.is_(None) & (Endpoint.due_at <= func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Key:
    """Which endpoint."""

    workspace_id: UUID
    endpoint_id: UUID

    @property
    def row(self) -> ColumnElement[bool]:
        """It, as a condition."""
        return (Endpoint.workspace_id == self.workspace_id) & (Endpoint.id == self.endpoint_id)


@dataclass(frozen=True, slots=True)
class Batch:
    """What an endpoint is to be sent next; of nothing where nothing up to its end concerns it.

    Args:
        of: which endpoint.
        url: where it is.
        begin: the place behind which it begins.
        end: the place behind its last event.
        entries: its events.
    """

    of: Key
    url: str
    begin: Place
    end: Place
    entries: Sequence[Entry]


def due(connection: Connection) -> Sequence[Key]:
    """The endpoints for which something is there and which may be tried now, those first that have waited longest."""
    more = places.has_more(Endpoint.workspace_id.expression, Endpoint.seal.expression, Endpoint.seq.expression)
    wanted = select(Endpoint.workspace_id, Endpoint.id).where(_IS_DUE, more)
    return [Key(*row) for row in connection.execute(wanted.order_by(Endpoint.due_at))]


def held(connection: Connection, key: Key) -> bool:
    """Whether this transaction is the one that serves an endpoint, until it ends; nobody waits for that."""
    return places.held(connection, by=f"endpoint {key.endpoint_id}")


def take_up(connection: Connection, key: Key) -> Batch | None:
    """The endpoint's next batch, whose end is noted; None where there is none, or it may not be tried now.

    Args:
        connection: in a transaction that is committed before anything is sent.
        key: which endpoint, held.
    """
    asked = select(*Endpoint.__table__.columns).where(key.row, _IS_DUE).with_for_update()
    row: Any = connection.execute(asked).one_or_none()
    if row is None:
        return None
    begin = Place(row.seal, row.seq)
    noted = None if row.batch_seal is None else Place(row.batch_seal, row.batch_seq)
    some = places.stretch(connection, chain=key.workspace_id, place=begin, most=_LOOKED_AT_ONCE, up_to=noted)
    wanted = [stop for stop in some.stops if selection.matches(row.events, stop.entry.name)]
    entries = [stop.entry for stop in wanted] if noted else messages.fitting(stop.entry for stop in wanted)
    end = some.end if len(entries) == len(wanted) else wanted[len(entries) - 1].place
    if end == begin:
        return None
    if entries:
        connection.execute(update(Endpoint).where(key.row).values(batch_seal=end.seal, batch_seq=end.seq))
    return Batch(key, row.url, begin, end, entries)


def succeed(connection: Connection, batch: Batch) -> None:
    """Note that a batch was taken, or that nothing of it concerned the endpoint; it is well again if it was not."""
    row = _lock(connection, batch)
    if row is None:
        return
    values: dict[str, Any] = {"seal": batch.end.seal, "seq": batch.end.seq, "batch_seal": None, "batch_seq": None}
    if batch.entries:
        well = {"attempts": 0, "error": None, "failing_since": None, "alarmed_at": None}
        values |= {**well, "delivered_at": func.clock_timestamp(), "due_at": func.clock_timestamp()}
    connection.execute(update(Endpoint).where(batch.of.row).values(**values))
    if batch.entries and row.alarmed_at is not None:
        fact = EndpointRecovered(endpoint_id=batch.of.endpoint_id, origin=origin_of(batch.url))
        outbox.append(connection, fact, workspace_id=batch.of.workspace_id, by=SYSTEM)


def fail(connection: Connection, batch: Batch, outcome: Outcome, *, patience: Patience) -> None:
    """Note that a batch was not taken: it is tried again later, and the owners are told when that goes on for long."""
    row = _lock(connection, batch)
    if row is None:
        return
    now, attempts, error = row.now, row.attempts + 1, outcome.error or ""
    since = row.failing_since or now
    is_late = row.alarmed_at is None and now - since >= patience.alarm
    is_over = row.disabled_at is None and (outcome.gone or now - since >= patience.give_up)
    pause = max(outbox.pause_after(attempts, longest=_LONGEST_PAUSE), min(outcome.pause, _LONGEST_ASKED))
    values = {"attempts": attempts, "error": error, "failing_since": since, "due_at": now + pause}
    about: dict[str, Any] = {"endpoint_id": batch.of.endpoint_id, "origin": origin_of(batch.url), "error": error}
    facts: list[outbox.Fact] = []
    if is_over:
        because = GONE if outcome.gone else UNREACHABLE
        values |= {"disabled_at": now, "disabled_because": because}
        facts = [EndpointDisabled(because=because, **about)]
    elif is_late:
        values["alarmed_at"] = now
        facts = [EndpointFailing(failing_since=since.isoformat(), **about)]
    change = update(Endpoint).where(batch.of.row).values(**values)
    connection.execute(outbox.together(connection, change, *facts, workspace_id=batch.of.workspace_id, by=SYSTEM))


def _lock(connection: Connection, batch: Batch) -> Any:
    """The endpoint, if it is still where the batch began: an owner may have moved it meanwhile."""
    still = (Endpoint.seal == batch.begin.seal) & (Endpoint.seq == batch.begin.seq)
    wanted = select(*Endpoint.__table__.columns, func.clock_timestamp().label("now")).where(batch.of.row, still)
    return connection.execute(wanted.with_for_update()).one_or_none()
