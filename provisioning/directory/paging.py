"""One page of a list, with the number of all: cut by PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

T = TypeVar("T")
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and how many the whole of it has."""

    items: tuple[T, ...]
    total: int


def fetch(
    connection: Connection,
    ordered: Select[*tuple[Any, ...]],
    *,
    start_index: int,
    count: int,
    read: Callable[[AnyRow], T],
) -> Page[T]:
    """Cut a page out of an ordered selection.

    Args:
        connection: to read with.
        ordered: what is listed, in an order that no two rows share a place in.
        start_index: the place of the first row wanted, from 1.
        count: how many rows at the most.
        read: makes an item of a row.
    """
    everything = select(func.count()).select_from(ordered.with_only_columns(1).order_by(None).subquery())
    total = connection.execute(everything).scalar_one()
    if count == 0 or start_index > total:
        return Page((), total)
    rows = connection.execute(ordered.offset(start_index - 1).limit(count))
    return Page(tuple(read(row) for row in rows), total)
