"""Tables in CSV (RFC 4180) that no spreadsheet runs: what would be a formula is text in it."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from typing import Any

# What makes a formula of a cell in one spreadsheet or another.
_RUN = frozenset("=+-@")


def written(table: Sequence[Sequence[Any]]) -> str:
    """Lines of a table; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows([[defused(str(cell)) if cell is not None else "" for cell in row] for row in table])
    return text.getvalue()


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: marked as text where it begins like one, in any width."""
    first = unicodedata.normalize("NFKC", cell.lstrip()[:1])
    return f"'{cell}" if first in _RUN or cell[:1] in {"\t", "\r", "\n"} else cell
