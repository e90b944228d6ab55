"""Moments as an operator writes them: `2026-01-31`, or `2026-01-31T12:00:00Z`; UTC where nothing else is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


class MomentType(click.ParamType[datetime]):
    """A moment on the command line."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say what a moment looks like."""
        if isinstance(value, datetime):
            return value
        try:
            read = datetime.fromisoformat(value)
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("it must be a moment such as 2026-01-31 or 2026-01-31T12:00:00Z", param, ctx)


MOMENT = MomentType()
