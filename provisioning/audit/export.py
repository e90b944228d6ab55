"""A workspace's whole trail, oldest first: as JSON, a line a fact, or as a table in CSV.

Read in batches, so that neither memory nor a transaction grows with the trail. A line of JSON is the canonical form of
its fact: its SHA-256 is what the seals hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import spreadsheet
from provisioning.audit import canonical
from provisioning.audit.seals import FACT
from provisioning.outbox import Event

FORMATS = ("csv", "ndjson")
COLUMNS = ("seq", "id", "occurred_at", "name", "subject", "actor_kind", "actor_id", "request_id", "payload")
_AT_ONCE = 1000
_SEQ = canonical.FIELDS.index("seq")

Reading = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a workspace's trail: not before `since`, before `until`; None leaves a side open."""

    workspace_id: UUID
    since: datetime | None = None
    until: datetime | None = None

    def narrow(self, asked: Select[Any]) -> Select[Any]:
        """A question about facts, asked of this part alone."""
        asked = asked.where(Event.workspace_id == self.workspace_id)
        if self.since is not None:
            asked = asked.where(Event.occurred_at >= self.since)
        return asked if self.until is None else asked.where(Event.occurred_at < self.until)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines, and how many facts they tell."""

    text: str
    facts: int


def count(connection: Connection, wanted: Wanted) -> int:
    """How many facts there are to tell."""
    return int(connection.execute(wanted.narrow(select(func.count()).select_from(Event))).scalar_one())


def pieces(reading: Reading, wanted: Wanted, *, form: str) -> Iterator[Piece]:
    """The trail, some facts at a time.

    Args:
        reading: opens a connection to read with; none is held between two batches.
        wanted: which part.
        form: one of `FORMATS`.
    """
    if form == "csv":
        yield Piece(spreadsheet.written([COLUMNS]), 0)
    write = _table if form == "csv" else _lines
    asked = wanted.narrow(select(*FACT)).order_by(Event.seq).limit(_AT_ONCE)
    after = 0
    while True:
        with reading() as connection:
            rows = connection.execute(asked.where(Event.seq > after)).all()
        if rows:
            yield Piece(write(rows), len(rows))
            after = rows[-1][_SEQ]
        if len(rows) < _AT_ONCE:
            return


def _lines(rows: Sequence[Any]) -> str:
    return "".join(f"{canonical.line(row).decode()}\n" for row in rows)


def _table(rows: Sequence[Any]) -> str:
    return spreadsheet.written([_cells(row) for row in rows])


def _cells(row: Any) -> list[Any]:
    told = {**row._mapping, "payload": orjson.dumps(row.payload, option=orjson.OPT_SORT_KEYS).decode()}  # noqa: SLF001 - SQLAlchemy's public name
    return [told[name].isoformat() if name == "occurred_at" else told[name] for name in COLUMNS]
