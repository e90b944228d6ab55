"""What must hold, asked in SQL: each room asks about its own tables, and gets a count and a few ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """How many things break an invariant, and the ids of a few of them."""

    name: str
    count: int
    ids: tuple[str, ...] = ()


def look(connection: Connection, name: str, breaking: Select[Any]) -> Finding:
    """Count what breaks an invariant.

    Args:
        connection: to read with.
        name: of the invariant.
        breaking: the ids of what breaks it, as a query of one column.
    """
    broken = breaking.cte("broken")
    rows = connection.execute(select(func.count().over(), *broken.c).limit(_NAMED)).all()
    return Finding(name, rows[0][0] if rows else 0, tuple(str(row[1]) for row in rows))
