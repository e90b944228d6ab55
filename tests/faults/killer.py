"""Kills its own process at the N-th boundary between two effects: around statements, commits, nudges and the answer.

It is put into a victim's process from outside; the product knows nothing of it.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from typing import Any

from kombu.messaging import Producer
from sqlalchemy.engine.default import DefaultDialect

from tests.statements import listen


class Killer:
    """Counts the boundaries that the process passes, and strikes at one of them."""

    def __init__(self) -> None:
        self._left = 0

    def arm(self, boundary: int) -> None:
        """Strike at this boundary, counted from now; 0: at none."""
        self._left = boundary

    def passes(self, *_args: Any, **_kwargs: Any) -> None:
        """One boundary is passed, or it is the last thing that the process does."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Work with a boundary before and one after it."""

        @functools.wraps(work)
        def between(*args: Any, **kwargs: Any) -> Any:
            self.passes()
            done = work(*args, **kwargs)
            self.passes()
            return done

        return between


def install() -> Killer:
    """Put the boundaries into this process. What lies after a statement lies before the next one, or the commit."""
    killer = Killer()
    listen(killer.passes)
    DefaultDialect.do_commit = killer.around(DefaultDialect.do_commit)  # type: ignore[method-assign]
    Producer.publish = killer.around(Producer.publish)
    return killer


def die_of(value: str) -> None:
    """Kill this process at a statement that has this value among its parameters; an empty one is none."""

    def look(_statement: str, parameters: Any) -> None:
        if value in str(parameters):
            os.kill(os.getpid(), signal.SIGKILL)

    if value:
        listen(look)
