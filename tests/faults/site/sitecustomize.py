"""Put on PYTHONPATH for one process alone: its clock goes wrong by so many seconds as FAULTS_CLOCK says."""

from __future__ import annotations

import os
import time
from datetime import timedelta

_OFF = float(os.environ["FAULTS_CLOCK"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _OFF
time.time_ns = lambda: _time_ns() + int(_OFF * 1e9)

# Only now, so that whatever they import sees the wrong clock.
from provisioning import clock  # noqa: E402

_now = clock.now
clock.now = lambda: _now() + timedelta(seconds=_OFF)
