"""Waiting for what other processes bring about: asked again and again, within a bound."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import text

from provisioning.database import Connection, reading

T = TypeVar("T")


def eventually(ask: Callable[[], T], *, within: float = 60.0, every: float = 0.05) -> T:
    """Ask until the answer is true, and return it; fail with the last answer when the time is over."""
    pause = threading.Event()
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within} s"
        pause.wait(every)
    return answer


_WAITS = text("SELECT pid FROM pg_stat_activity WHERE :me = ANY (pg_blocking_pids(pid)) LIMIT 1")


def blocked_by(connection: Connection) -> int:
    """A server process that waits for what this connection has locked, once there is one."""
    me = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with reading() as watching:
        return int(eventually(lambda: watching.execute(_WAITS, {"me": me}).scalar(), within=30))
