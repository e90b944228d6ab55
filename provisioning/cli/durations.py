"""Lengths of time as an operator writes them: `90s`, `15m`, `12h`, `90d`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
from marshmallow import ValidationError

from config.variables import Duration


class DurationType(click.ParamType[timedelta]):
    """A length of time on the command line."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it, or say what a length of time looks like."""
        if isinstance(value, timedelta):
            return value
        try:
            return Duration().deserialize(value) or timedelta(0)
        except ValidationError as error:
            self.fail(f"it {error.messages[0]}", param, ctx)


DURATION = DurationType()


def in_seconds(length: timedelta | None) -> int | None:
    """A length in whole seconds, if there is one."""
    return None if length is None else int(length.total_seconds())
