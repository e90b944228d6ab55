"""One page of a list with the number of all, in one statement: both are true at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Numeric,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    UnaryExpression,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.engine import Connection

from provisioning.prepared import Prepared, Row

T = TypeVar("T")
_MOST_PLACES, _PLACE_SECONDS = 10_000, 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind the row of this key, and among rows of equal keys behind the one of this id."""

    key: str | None
    id: UUID | str


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted.

    Args:
        count: how many at the most; 0 only counts.
        start_index: the place of the first one, from 1.
        after: the place behind which the page begins, for those who walk through the list; nobody counts again then.
        before: the place before which it ends, for those who walk back.
    """

    count: int
    start_index: int = 1
    after: Place | None = None
    before: Place | None = None

    @property
    def is_walked(self) -> bool:
        """Whether it lies beyond a place."""
        return self.after is not None or self.before is not None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, how many the whole of it has (0 where nobody counted), and where its neighbours are.

    The next page begins behind `next`, and the one before, for those who walk, ends before `previous`.
    """

    items: tuple[T, ...]
    total: int
    next: Place | None = None
    previous: Place | None = None


@dataclass(frozen=True, slots=True)
class Sorting:
    """What a list is sorted by: a text or a number; rows without one come last, or first when descending.

    Args:
        key: by what.
        descending: whether the greatest comes first; rows of equal keys are in the order of their ids in any case.
        never_none: whether every row has one, so that an index can lead to any place.
    """

    key: ColumnElement[Any]
    descending: bool = False
    never_none: bool = False

    def order(self, identifier: SQLColumnExpression[Any], *, backwards: bool) -> list[UnaryExpression[Any]]:
        """The order of the list, or the very opposite."""
        key = self.key.desc().nulls_first() if self.descending != backwards else self.key.asc().nulls_last()
        return [key, identifier.desc() if backwards else identifier.asc()]

    def beyond(self, place: Place, identifier: SQLColumnExpression[Any], *, backwards: bool) -> ColumnElement[bool]:
        """What comes after a place, or before: a range, so that a deep page costs no more than the first."""
        falling = self.descending != backwards
        further_on = identifier < place.id if backwards else identifier > place.id
        if place.key is None:
            is_none = and_(self.key.is_(None), further_on)
            return or_(self.key.is_not(None), is_none) if falling else is_none
        there = self._there(place.key)
        if self.never_none and not self.descending:
            row, edge = tuple_(self.key, identifier), tuple_(there, place.id)
            return row < edge if backwards else row > edge
        further = self.key < there if falling else self.key > there
        beyond = or_(further, and_(self.key == there, further_on))
        if self.never_none:
            return and_(self.key <= there if falling else self.key >= there, beyond)
        return beyond if falling else or_(beyond, self.key.is_(None))

    def _there(self, key: str) -> ColumnElement[Any]:
        if isinstance(self.key.type, Numeric):
            return cast(literal(Decimal(key)), Numeric)
        return cast(literal(key), self.key.type) if isinstance(self.key.type, Integer | Uuid) else literal(key)


def fetch(
    connection: Connection,
    found: Select[*tuple[Any, ...]],
    *,
    identifier: SQLColumnExpression[Any],
    window: Window,
    sorting: Sorting | None,
    read: Callable[[Sequence[Any]], T],
) -> Page[T]:
    """Cut a page out of a selection.

    Args:
        connection: to read with.
        found: what is listed; its first column is the id.
        identifier: that column.
        window: which part of it.
        sorting: by what it is sorted; None for the order of the ids, in which things came.
        read: makes an item of the columns of a row.
    """
    counted = select(func.count()).select_from(
        found.with_only_columns(literal(1), maintain_column_froms=True).subquery()
    )
    if window.count == 0:
        return Page((), connection.execute(counted).scalar_one())
    rows = connection.execute(_statement(found, counted, identifier, window, sorting)).all()
    if not rows and window.start_index > 1:
        # A page behind the end has no row that could tell how many there are.
        return Page((), connection.execute(counted).scalar_one())
    return _cut(rows, len(found.selected_columns), window, sorting, read)


class _Places:
    """Where pages that are asked for by number begin, as far as this process has served them or the pages before them.

    Counting along an index up to the last page of a million takes longer than all else. A place is good for a minute
    and while the list has as many as it had: then the page is the one that counting would lead to.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], tuple[UUID, int, float]] = {}

    def keep(self, where: tuple[Any, ...], row: Row) -> None:
        """A page that begins there begins with this row, of an id first and a total last; very many are forgotten."""
        if len(self._found) >= _MOST_PLACES:
            self._found.clear()
        self._found[where] = (row[0], row[-1], time.monotonic() + _PLACE_SECONDS)

    def find(self, where: tuple[Any, ...]) -> tuple[UUID, int] | None:
        """The row with which a page begins, and how many the list had then."""
        identifier, total, until = self._found.get(where, (None, 0, 0.0))
        return None if identifier is None or time.monotonic() >= until else (identifier, total)


class Walk(Generic[T]):
    """The whole of a list in the order of the ids, in which things came: page by page, with statements made once.

    Args:
        found: what is listed; its first column is the id, and what it depends on are `bindparam`s.
        identifier: that column.
        counted: how many there are.
        read: makes an item of the columns of a row.
    """

    def __init__(
        self,
        found: Select[*tuple[Any, ...]],
        *,
        identifier: SQLColumnExpression[Any],
        counted: ScalarSelect[Any],
        read: Callable[[Sequence[Any]], T],
    ) -> None:
        self._columns, self._read = len(found.selected_columns), read
        self._total = Prepared(select(counted))
        page = found.order_by(identifier).limit(bindparam("most", type_=Integer))
        ids = found.with_only_columns(identifier, maintain_column_froms=True).order_by(identifier).correlate(None)
        begin = ids.offset(bindparam("passed", type_=Integer)).limit(1).scalar_subquery()
        total = counted.label("total")
        self._first = Prepared(page.add_columns(total))
        self._from = Prepared(page.where(identifier >= begin).add_columns(total))
        self._behind = Prepared(page.where(identifier > bindparam("after")).add_columns(literal(0)))
        self._at = Prepared(page.where(identifier >= bindparam("at")).add_columns(total))
        self._places = _Places()

    def fetch(self, connection: Connection, values: Mapping[str, Any], window: Window) -> Page[T]:
        """One page; nobody walks back here.

        Args:
            connection: to read with.
            values: what the list depends on.
            window: which part of it.
        """
        given = {**values, "most": window.count + 1, "passed": window.start_index - 1}
        if window.after is not None:
            rows = self._behind.rows(connection, {**given, "after": window.after.id})
        elif given["passed"]:
            rows = self._numbered(connection, given, (*values.values(), window.start_index))
        else:
            rows = self._first.rows(connection, given)
        if (not rows and given["passed"]) or not window.count:
            return Page((), self._total.one(connection, values)[0])
        if window.after is None and len(rows) > window.count:
            following = (*values.values(), window.start_index + window.count)
            self._places.keep(following, rows[window.count])
        return _cut(rows, self._columns, window, None, self._read)

    def _numbered(self, connection: Connection, given: Mapping[str, Any], where: tuple[Any, ...]) -> list[Row]:
        """The rows from a number on: found by the place that is known of it, or counted up to."""
        known = self._places.find(where)
        if known is not None:
            rows = self._at.rows(connection, {**given, "at": known[0]})
            if rows and rows[0][-1] == known[1]:
                return rows
        rows = self._from.rows(connection, given)
        if rows:
            self._places.keep(where, rows[0])
        return rows


def _cut(
    rows: Sequence[Any],
    columns: int,
    window: Window,
    sorting: Sorting | None,
    read: Callable[[Sequence[Any]], T],
) -> Page[T]:
    """The page of some rows, of which there may be one more than it has."""
    more, shown = len(rows) > window.count, rows[: window.count]
    backwards = window.before is not None
    if backwards:
        shown = shown[::-1]
    following = _place(shown[-1], sorting) if shown and (more or backwards) else None
    is_first = window.after is None if not backwards else not more
    previous = None if is_first or not shown else _place(shown[0], sorting)
    total = rows[0][-1] if rows else 0
    return Page(tuple(read(row[:columns]) for row in shown), total, following, previous)


def _statement(
    found: Select[*tuple[Any, ...]],
    counted: Select[int],
    identifier: SQLColumnExpression[Any],
    window: Window,
    sorting: Sorting | None,
) -> Select[*tuple[Any, ...]]:
    """One row more than the page has, so that it is seen whether there is another."""
    place, backwards = window.after or window.before, window.before is not None
    keyed, order = found, [identifier.desc() if backwards else identifier.asc()]
    if sorting is not None:
        keyed, order = found.add_columns(sorting.key.label("sort_key")), sorting.order(identifier, backwards=backwards)
    page = keyed.order_by(*order).limit(window.count + 1)
    if place is None:
        return _begun(page, found, identifier, window, sorting).add_columns(counted.scalar_subquery().label("total"))
    if sorting is not None:
        page = page.where(sorting.beyond(place, identifier, backwards=backwards))
    else:
        page = page.where(identifier < place.id if backwards else identifier > place.id)
    return page.add_columns(literal(0).label("total"))


def _begun(
    page: Select[*tuple[Any, ...]],
    found: Select[*tuple[Any, ...]],
    identifier: SQLColumnExpression[Any],
    window: Window,
    sorting: Sorting | None,
) -> Select[*tuple[Any, ...]]:
    """The page from a place by number: in the order of the ids, an index alone is counted along until there."""
    passed = window.start_index - 1
    if sorting is not None or not passed:
        return page.offset(passed)
    ids = found.with_only_columns(identifier, maintain_column_froms=True).order_by(identifier).correlate(None)
    return page.where(identifier >= ids.offset(passed).limit(1).scalar_subquery())


def _place(row: Any, sorting: Sorting | None) -> Place:
    key = None if sorting is None else row.sort_key
    return Place(None if key is None else str(key), row[0])
