"""How facts are printed: one JSON document for programs, lines and tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
import orjson

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command puts what it has found."""

    as_json: bool

    def one(self, facts: Facts) -> None:
        """Print one thing."""
        if self.as_json:
            self.document(facts)
            return
        width = max(map(len, facts))
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):{width}}  {_shown(value)}")

    def many(self, name: str, rows: Sequence[Facts], *, total: int | None = None) -> None:
        """Print a list: in JSON as an object with the list under its name, and how many there are in all."""
        if self.as_json:
            self.document({name: list(rows), "total": len(rows) if total is None else total})
            return
        if not rows:
            click.echo(f"no {name}")
            return
        columns = list(rows[0])
        table = [[column.replace("_", " ") for column in columns]]
        table += [[_shown(row[column]) for column in columns] for row in rows]
        widths = [max(len(line[place]) for line in table) for place in range(len(columns))]
        for line in table:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if total is not None and total > len(rows):
            click.echo(f"({len(rows)} of {total})")

    def document(self, facts: Any) -> None:
        """Print one JSON document."""
        click.echo(orjson.dumps(facts, default=str, option=orjson.OPT_UTC_Z))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_shown(below)}" for name, below in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "-"
    return str(value)
