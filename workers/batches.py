"""Work on any number of rows, in transactions so short that nobody waits long for what they lock.

Every sweep and purge goes by this. How many rows a transaction takes follows from how long the last one took, so that
it is right for any machine, table and hour. PostgreSQL itself holds the bound: a statement that takes too long is given
up, which frees all that its transaction had locked, and fewer rows are tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from provisioning.database import transaction

# No lock is to be held for longer. A statement is given a third of it, and a transaction aims at a fifth: its end waits
# for a disk that has other things to do, too.
BOUND_SECONDS = 0.1
_AIM_SECONDS = BOUND_SECONDS / 5
_FIRST, _MOST = 250, 20_000
# A fact that names each thing of its batch has to fit into a message.
MOST_TOLD = 1000
# So few are let through whatever they take: what must end is more than what should be quick.
_LEAST = 8
_BRIEFLY = text(f"SELECT set_config('statement_timeout', '{BOUND_SECONDS * 1000 / 3:.0f}ms', true)")
# Then other work of the queue gets its turn; the next tick of the schedule goes on.
_TURN_SECONDS = 50.0
T = TypeVar("T")


class Stride:
    """How many rows are taken at once.

    Args:
        most: never more, whatever the time allows: what is told of the rows of one transaction must stay bearable.
    """

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._next = min(_FIRST, most)
        # How many the last transaction was told to take.
        self.asked = 0

    def take(self, work: Callable[[Connection, int], T]) -> T:
        """Do work in a transaction of its own.

        Args:
            work: given the connection and how many rows to take; begun anew with fewer where these took too long.
        """
        while True:
            self.asked = self._next
            begun = time.monotonic()
            try:
                with transaction() as connection:
                    if self.asked > _LEAST:
                        connection.execute(_BRIEFLY)
                    done = work(connection, self.asked)
            except OperationalError as error:
                if self.asked == _LEAST or not isinstance(error.orig, QueryCanceled):
                    raise
                self._next = max(_LEAST, self.asked // 4)
            else:
                self._learn(time.monotonic() - begun)
                return done

    def _learn(self, took: float) -> None:
        """Take as many more or fewer as the aim is further or nearer, twice as many or a quarter at the most."""
        factor = min(max(_AIM_SECONDS / max(took, 0.001), 0.25), 2.0)
        self._next = min(max(int(self.asked * factor), _LEAST), self._most)


def sweep(mark: Callable[[Connection, int], int], *, most: int = _MOST, seconds: float = _TURN_SECONDS) -> int:
    """Mark or delete rows until none are left, or until others want their turn.

    Args:
        mark: given a connection and how many rows to take; returns how many it took, fewer when none are left.
        most: never more at once.
        seconds: after which others get their turn; for work that is noted as done in the end, there is no such time.

    Returns:
        How many there were.
    """
    stride, total, until = Stride(most=most), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        marked = stride.take(mark)
        total += marked
        if marked < stride.asked:
            break
    return total
