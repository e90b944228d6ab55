"""Entries of the provisioning log: written many at once, searched newest first."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from provisioning.dialects import INACTIVE_ADVICE, NICKNAME_ADVICE, advise
from provisioning.directory import connections
from provisioning.directory.models import Connection as ConnectionRow
from provisioning.directory.models import Group, Member
from provisioning.journal.models import JournalEntry
from provisioning.prepared import Prepared

_FIRST_ERROR = 400
# Of fewer people nothing is concluded.
_FEW = 3


class Entry(NamedTuple):
    """One request of a connection, and what became of it."""

    id: UUID
    workspace_id: UUID
    connection_id: UUID
    at: datetime
    method: str
    path: str
    status: int
    milliseconds: int
    filter: str | None
    scim_type: str | None
    detail: str | None
    resource_type: str | None
    resource_id: str | None
    changes: dict[str, Any]
    notes: list[str]
    request_id: str | None


_FIELDS = Entry._fields
_VIEW = select(*(getattr(JournalEntry, name) for name in _FIELDS))
_GIVEN = (
    func.jsonb_to_recordset(bindparam("entries", type_=JSONB))
    .table_valued(*(column(name, getattr(JournalEntry, name).type) for name in _FIELDS), name="given")
    .render_derived(with_types=True)
)
_OF = (ConnectionRow.workspace_id == _GIVEN.c.workspace_id) & (ConnectionRow.id == _GIVEN.c.connection_id)
_OF_WHAT_IS_THERE = select(_GIVEN).join(ConnectionRow, _OF).with_for_update(read=True, key_share=True, of=ConnectionRow)
_WRITE = Prepared(insert(JournalEntry).from_select(_FIELDS, _OF_WHAT_IS_THERE))


def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write entries, many at once and as one parameter: a statement for each costs PostgreSQL ten times as much.

    Those of a connection that is gone by now are left out, and take no others with them.
    """
    _WRITE.run(connection, {"entries": [entry._asdict() for entry in entries]})


def search(
    connection: Connection,
    *,
    workspace_id: UUID,
    connection_id: UUID | None = None,
    errors: bool = False,
    words: str | None = None,
    before: UUID | None = None,
    count: int = 100,
) -> Sequence[Entry]:
    """Entries of a workspace, newest first.

    Args:
        connection: to read with.
        workspace_id: whose log it is.
        connection_id: only of this connection.
        errors: only those that were refused or failed.
        words: only those whose path, filter, detail or resource holds this text.
        before: only those older than the one of this id, for the next page.
        count: how many at the most.
    """
    wanted = _VIEW.where(JournalEntry.workspace_id == workspace_id)
    if connection_id is not None:
        wanted = wanted.where(JournalEntry.connection_id == connection_id)
    if errors:
        wanted = wanted.where(JournalEntry.status >= _FIRST_ERROR)
    if words:
        told = (JournalEntry.path, JournalEntry.filter, JournalEntry.detail, JournalEntry.resource_id)
        whole = func.concat_ws(" ", *told, JournalEntry.changes)
        wanted = wanted.where(whole.icontains(words, autoescape=True))
    if before is not None:
        place = select(JournalEntry.at, JournalEntry.id).where(
            JournalEntry.workspace_id == workspace_id, JournalEntry.id == before
        )
        wanted = wanted.where(tuple_(JournalEntry.at, JournalEntry.id) < place.scalar_subquery())
    rows = connection.execute(wanted.order_by(JournalEntry.at.desc(), JournalEntry.id.desc()).limit(count))
    return [Entry._make(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Check:
    """How far a connection has come: what an admin looks at who has just set it up."""

    credential_seen: datetime | None
    first_user: datetime | None
    first_group: datetime | None
    last_activity: datetime | None
    requests_in_a_day: int
    errors_in_a_day: int
    last_error: str | None
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection fares, at a glance."""

    last_activity: datetime | None
    requests_in_a_day: int
    errors_in_a_day: int


def health(connection: Connection, *, workspace_id: UUID) -> dict[UUID, Health]:
    """How each of a workspace's connections fares, in one statement."""
    of = (
        JournalEntry.workspace_id == ConnectionRow.workspace_id,
        JournalEntry.connection_id == ConnectionRow.id,
    )
    lately = JournalEntry.at > func.clock_timestamp() - timedelta(days=1)
    day = _counted(*of, lately).lateral("day")
    rows = connection.execute(
        select(ConnectionRow.id, select(func.max(JournalEntry.at)).where(*of).scalar_subquery(), *day.c)
        .join(day, true())
        .where(ConnectionRow.workspace_id == workspace_id)
    )
    return {row[0]: Health(*row[1:]) for row in rows}


def _counted(*entries: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """How many requests there were, and how many of them were refused or failed."""
    errors = func.count().filter(JournalEntry.status >= _FIRST_ERROR)
    return select(func.count().label("requests"), errors.label("errors")).where(*entries)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a workspace's connections did in an hour or a day: requests, and how many of them were refused or failed."""

    at: datetime
    requests: int
    errors: int


def activity(connection: Connection, *, workspace_id: UUID, stretch: timedelta, count: int) -> Sequence[Stretch]:
    """What a workspace's connections did lately, the oldest first; the last stretch is the one that is under way.

    One statement; of each connection an index leads to the entries since then.

    Args:
        connection: to read with.
        workspace_id: whose connections.
        stretch: what is counted together.
        count: how many of them.
    """
    rows = connection.execute(_ACTIVITY, {"workspace": workspace_id, "stretch": stretch, "before": count - 1})
    return [Stretch(*row) for row in rows]


_ACTIVITY = text(
    f"""
    WITH scale AS (
        SELECT at FROM (SELECT date_bin(:stretch, clock_timestamp(), 'epoch') AS now) AS last,
            generate_series(last.now - :before * CAST(:stretch AS interval), last.now, :stretch) AS at
    ), counted AS (
        SELECT date_bin(:stretch, entry.at, 'epoch') AS at, count(*) AS requests,
            count(*) FILTER (WHERE entry.status >= {_FIRST_ERROR}) AS errors
        FROM connection JOIN journal_entry AS entry
            ON entry.workspace_id = connection.workspace_id AND entry.connection_id = connection.id
            AND entry.at >= (SELECT min(at) FROM scale)
        WHERE connection.workspace_id = :workspace
        GROUP BY 1
    )
    SELECT scale.at, coalesce(requests, 0), coalesce(errors, 0) FROM scale LEFT JOIN counted USING (at) ORDER BY 1
    """  # noqa: S608 - nothing in it comes from outside
)
_CHECKED = tuple(f.name for f in dataclasses.fields(Check) if f.name != "advice")


def check(connection: Connection, *, workspace_id: UUID, connection_id: UUID) -> Check:
    """Look at a connection: has it come in, has it pushed anybody, and what went wrong lately."""
    of = (JournalEntry.workspace_id == workspace_id, JournalEntry.connection_id == connection_id)
    lately = JournalEntry.at > func.clock_timestamp() - timedelta(days=1)
    wrong = JournalEntry.status >= _FIRST_ERROR
    day = _counted(*of, lately).subquery("day")
    last = select(JournalEntry.detail).where(*of, lately, wrong).order_by(JournalEntry.at.desc()).limit(1)
    row = connection.execute(
        select(
            select(func.min(JournalEntry.at)).where(*of).scalar_subquery(),
            _first(Member, workspace_id, connection_id),
            _first(Group, workspace_id, connection_id),
            select(func.max(JournalEntry.at)).where(*of).scalar_subquery(),
            *day.c,
            last.scalar_subquery(),
        )
    ).one()
    return Check(**dict(zip(_CHECKED, row, strict=True)), advice=_advice(connection, workspace_id, connection_id))


def _first(kind: type[Member | Group], workspace_id: UUID, connection_id: UUID) -> ScalarSelect[datetime]:
    """When a connection pushed the first of a kind that is still there: ids are given out in order."""
    here = (kind.workspace_id == workspace_id, kind.connection_id == connection_id)
    return select(kind.created_at).where(*here).order_by(kind.id).limit(1).scalar_subquery()


def _advice(connection: Connection, workspace_id: UUID, connection_id: UUID) -> tuple[str, ...]:
    """What an admin could do about the dialect, habits of the last day, and attributes that are mapped amiss."""
    lately = JournalEntry.at > func.clock_timestamp() - timedelta(days=1)
    notes = select(func.jsonb_array_elements_text(JournalEntry.notes)).where(
        JournalEntry.workspace_id == workspace_id, JournalEntry.connection_id == connection_id, lately
    )
    given = Member.external_ids[str(connection_id)].astext
    nickname = func.lower(given) == func.split_part(func.lower(Member.user_name), "@", 1)
    people, named, nicknamed, active = connection.execute(
        select(func.count(), func.count(given), func.count().filter(nickname), func.count().filter(Member.active))
        .select_from(Member)
        .where(Member.workspace_id == workspace_id, Member.connection_id == connection_id)
    ).one()
    of = connections.by_id(connection, workspace_id=workspace_id, connection_id=connection_id)
    met = set(connection.execute(notes.distinct()).scalars())
    return (
        *advise(met, pinned=of.dialect, learned=of.learned_dialect),
        *((NICKNAME_ADVICE,) if named >= _FEW and nicknamed * 2 > named else ()),
        *((INACTIVE_ADVICE,) if people >= _FEW and not active else ()),
    )


def forget(connection: Connection, *, older_than: timedelta, most: int) -> int:
    """Delete entries older than this, so many at the most, and return how many there were."""
    old = (
        select(JournalEntry.workspace_id, JournalEntry.id)
        .where(JournalEntry.at < func.clock_timestamp() - older_than)
        .limit(most)
        .subquery()
    )
    gone = delete(JournalEntry).where(JournalEntry.workspace_id == old.c.workspace_id, JournalEntry.id == old.c.id)
    return connection.execute(gone).rowcount
