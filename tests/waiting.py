"""Waiting for what other processes bring about: asked again and again, within a bound."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(ask: Callable[[], T], *, within: float = 20.0, every: float = 0.05) -> T:
    """Ask until the answer is true, and return it; fail with the last answer when the time is over."""
    pause = threading.Event()
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within} s"
        pause.wait(every)
    return answer
