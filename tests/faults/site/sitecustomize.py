"""Put on PYTHONPATH for one process alone: its clock is wrong by FAULTS_CLOCK seconds, and FAULTS_DEADLY kills it."""  # noqa: INP001 - Python looks for it as it is

from __future__ import annotations

import datetime as dt
import os
import time
from typing import Any

_OFF = float(os.environ["FAULTS_CLOCK"])
_time, _time_ns, _right = time.time, time.time_ns, dt.datetime
time.time = lambda: _time() + _OFF
time.time_ns = lambda: _time_ns() + int(_OFF * 1e9)


class _Kind(type):
    """Takes right moments for its own: drivers written in C make those."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _right)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _right)


class _Wrong(_right, metaclass=_Kind):
    def __new__(cls, *args: Any, **kwargs: Any) -> dt.datetime:  # type: ignore[misc]
        return _right(*args, **kwargs)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
        return _right.now(tz) + dt.timedelta(seconds=_OFF)


dt.datetime = _Wrong  # type: ignore[misc]

# Only now, so that whatever it imports sees the wrong clock.
from tests.faults import killer  # noqa: E402

killer.die_of(os.environ["FAULTS_DEADLY"])
