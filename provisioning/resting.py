"""Connections that rest between requests, ready to go on.

What SQLAlchemy's pool does to lend a connection and to take it back costs more than PostgreSQL takes for a plain read,
and most of it is done for connections that come from anywhere. Those that rest here have just been used by a request
to whose end nothing had failed on them.
"""

from __future__ import annotations

import threading
from typing import cast

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

from provisioning.database import driver_of


class Resting:
    """The connections of one engine that rest. Made in the process that uses them: a fork would share their sockets.

    Args:
        engine: where they come from. Those that rest count as lent by its pool: no more of them rest than it keeps by
            itself, and none while somebody waits in `take`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._most = cast("QueuePool", engine.pool).size()
        self._resting: list[Connection] = []
        self._waiting = 0
        self._lock = threading.Lock()
        event.listen(engine, "engine_disposed", lambda _engine: self._dismiss())

    def take(self) -> Connection:
        """One that has rested last, or one from the pool."""
        while (connection := self._pop()) is not None:
            if _lives(connection):
                return connection
            _end(connection)
        try:
            return self._engine.connect()
        finally:
            with self._lock:
                self._waiting -= 1

    def leave(self, connection: Connection) -> None:
        """Have one rest on which nothing has failed, and which is in no transaction."""
        driver_of(connection).trust()
        with self._lock:
            if not self._waiting and len(self._resting) < self._most:
                self._resting.append(connection)
                return
        connection.close()

    def _pop(self) -> Connection | None:
        """One that rests; where none does, whoever asked waits for the pool from now on."""
        with self._lock:
            if self._resting:
                return self._resting.pop()
            self._waiting += 1
            return None

    def _dismiss(self) -> None:
        with self._lock:
            dismissed, self._resting = self._resting, []
        for connection in dismissed:
            _end(connection)


def _lives(connection: Connection) -> bool:
    try:
        driver_of(connection).require_life()
    except psycopg.Error:
        return False
    return True


def _end(connection: Connection) -> None:
    connection.invalidate()
    connection.close()
