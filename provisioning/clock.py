"""The only clock of the house. What judges a session or token asks the database's clock instead, in the same query."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
