"""Places in a chain of the audit trail, in the order of its seals, and what comes after one.

Seals are numbered as they commit and hold what was committed by then, so nothing is ever put in before a place that
was reached: whoever goes on there passes over nothing, however late a fact was committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.audit import trail
from provisioning.audit.models import Seal, of_chain
from provisioning.audit.trail import Entry
from provisioning.outbox import Event


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Behind the fact of this `seq` under this seal."""

    seal: int
    seq: int


BEGINNING = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Stop:
    """What happened, and the place behind it."""

    place: Place
    entry: Entry


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of what happened, and the place up to which that is all there is."""

    stops: Sequence[Stop]
    end: Place


def end(connection: Connection, *, chain: UUID) -> Place:
    """The place behind all that is sealed."""
    last = select(Seal.number, Seal.last_seq).where(Seal.workspace_id == chain).order_by(Seal.number.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    return BEGINNING if row is None else Place(*row)


def since(connection: Connection, *, chain: UUID, moment: datetime) -> Place:
    """The place before which nothing has happened since a moment; some of what comes then may be a little older."""
    first = select(func.min(Seal.number)).where(Seal.workspace_id == chain, Seal.last_at >= moment)
    number: int | None = connection.execute(first).scalar_one()
    return end(connection, chain=chain) if number is None else Place(number, 0)


def has_more(
    chain: ColumnElement[UUID], seal: ColumnElement[int], seq: ColumnElement[int], *also: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether something is sealed behind a place, as a condition; `also` says what else holds for its seal."""
    further = tuple_(Seal.number, Seal.last_seq) > tuple_(seal, seq)
    # The first comparison alone is one that the key's index serves.
    on = (Seal.workspace_id == chain, Seal.number >= seal, further, Seal.dropped.is_(None))
    return select(1).where(*on, *also).exists()


def stretch(connection: Connection, *, chain: UUID, place: Place, most: int, up_to: Place | None = None) -> Stretch:
    """What comes next.

    Args:
        connection: to read with.
        chain: of a workspace, or `audit.models.NOWHERE`.
        place: behind which.
        most: how many at once.
        up_to: the place to end at, if not at the last one.
    """
    # Asked first: what is sealed by then is seen below, or is there no more.
    last = up_to or end(connection, chain=chain)
    here = tuple_(Event.seal_number, Event.seq)
    wanted = select(*trail.COLUMNS, Event.seal_number, Event.seq).where(
        of_chain(chain),
        Event.seal_number.is_not(None),
        here > tuple_(place.seal, place.seq),
        here <= tuple_(last.seal, last.seq),
    )
    rows = connection.execute(wanted.order_by(Event.seal_number, Event.seq).limit(most))
    stops = [_stop(row) for row in rows]
    return Stretch(stops, stops[-1].place if len(stops) == most else max(place, last))


def _stop(row: Sequence[Any]) -> Stop:
    *told, seal, seq = row
    return Stop(Place(seal, seq), trail.entry(told))


def held(connection: Connection, *, by: str) -> bool:
    """Whether this transaction is the one that tells this listener, until it ends; nobody waits for that."""
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_key(by)))).scalar_one())


def hold(connection: Connection, *, by: str) -> None:
    """Be the one that tells this listener, until the transaction's end, as soon as nobody else is."""
    connection.execute(select(func.pg_advisory_xact_lock(_key(by))))


def _key(by: str) -> ColumnElement[int]:
    return func.hashtextextended(literal(f"forwarding to {by}"), 0)
