"""Put on PYTHONPATH for one process alone: its clock is wrong by FAULTS_CLOCK seconds, and FAULTS_DEADLY kills it."""

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
from tests.faults import killer  # noqa: E402

_now = clock.now
clock.now = lambda: _now() + timedelta(seconds=_OFF)
killer.die_of(os.environ["FAULTS_DEADLY"])
