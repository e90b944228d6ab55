"""One page of a list with the number of all, in one statement: both are true at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Numeric, Select, SQLColumnExpression, and_, cast, func, literal, or_, select
from sqlalchemy.engine import Connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind the row of this key, and among rows of equal keys behind the one of this id."""

    key: str | None
    id: UUID


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted.

    Args:
        count: how many at the most; 0 only counts.
        start_index: the place of the first one, from 1.
        after: the place behind which the page begins, for those who walk through the list; nobody counts again then.
    """

    count: int
    start_index: int = 1
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, how many the whole of it has (0 where nobody counted), and where the next page begins."""

    items: tuple[T, ...]
    total: int
    next: Place | None = None


@dataclass(frozen=True, slots=True)
class Sorting:
    """What a list is sorted by: a text or a number; rows without one come last, or first when descending."""

    key: ColumnElement[Any]
    descending: bool = False

    def order(self, key: ColumnElement[Any]) -> ColumnElement[Any]:
        """The order by this key, however a statement calls it."""
        return key.desc().nulls_first() if self.descending else key.asc().nulls_last()

    def behind(self, place: Place, identifier: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
        """What comes after a place: a range, so that a deep page costs no more than the first."""
        later = identifier > place.id
        if place.key is None:
            is_none = and_(self.key.is_(None), later)
            return or_(self.key.is_not(None), is_none) if self.descending else is_none
        there = cast(literal(Decimal(place.key)), Numeric) if isinstance(self.key.type, Numeric) else literal(place.key)
        further = self.key < there if self.descending else self.key > there
        beyond = or_(further, and_(self.key == there, later))
        return beyond if self.descending else or_(beyond, self.key.is_(None))


def fetch(
    connection: Connection,
    found: Select[*tuple[Any, ...]],
    *,
    identifier: SQLColumnExpression[UUID],
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
    keyed = found if sorting is None else found.add_columns(sorting.key.label("sort_key"))
    order = [identifier] if sorting is None else [sorting.order(sorting.key), identifier]
    page = keyed.order_by(*order).limit(window.count + 1)
    if window.after is not None:
        behind = sorting.behind(window.after, identifier) if sorting else identifier > window.after.id
        statement = page.where(behind).add_columns(literal(0).label("total"))
    else:
        statement = page.offset(window.start_index - 1).add_columns(counted.scalar_subquery().label("total"))
    rows = connection.execute(statement).all()
    shown = rows[: window.count]
    place = None
    if len(rows) > window.count:
        key = None if sorting is None else shown[-1].sort_key
        place = Place(None if key is None else str(key), shown[-1][0])
    total = rows[0].total if rows else 0
    if not rows and window.start_index > 1:
        # A page behind the end has no row that could tell how many there are.
        total = connection.execute(counted).scalar_one()
    columns = len(found.selected_columns)
    return Page(tuple(read(row[:columns]) for row in shown), total, place)
