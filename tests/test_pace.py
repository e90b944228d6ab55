"""How fast somebody may ask, with a shared Redis, without one, and with one that is gone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from provisioning.embedded import EmbeddedRedis
from provisioning.pace import Pace


@pytest.fixture(scope="module")
def redis():
    with tempfile.TemporaryDirectory(prefix="pace-") as sockets:
        server = EmbeddedRedis(sockets=Path(sockets))
        server.start()
        yield server
        server.stop()


def allowed(pace, who, times, per_minute=None):
    return [pace.take(who, per_minute) is None for _ in range(times)].count(True)


def test_all_processes_count_together(redis):
    one, other = Pace(redis.url, per_minute=20), Pace(redis.url, per_minute=20)
    # A minute may end in between; then each minute has its own measure.
    assert 20 <= allowed(one, "a", 15) + allowed(other, "a", 15) <= 30
    assert allowed(other, "b", 15) == 15


def test_without_redis_each_process_counts_for_itself():
    pace = Pace("amqp://broker", per_minute=3)
    assert allowed(pace, "a", 10) in {3, 4, 5, 6}
    assert allowed(pace, "a", 10, per_minute=1000) == 10


def test_a_redis_that_is_gone_holds_nobody_up():
    pace = Pace("redis://127.0.0.1:1/0", per_minute=3)
    began = time.monotonic()
    assert allowed(pace, "a", 10) in {3, 4, 5, 6}
    assert time.monotonic() - began < 5
    assert 1 <= (pace.take("a", 1) or 1) <= 60


def test_of_a_large_measure_some_are_taken_at_once_and_never_too_many(redis):
    one, other = Pace(redis.url, per_minute=2000), Pace(redis.url, per_minute=2000)
    answered = allowed(one, "c", 3000) + allowed(other, "c", 3000)
    # What a process has taken and not used is lost to the other; a minute may end in between.
    assert 1800 <= answered <= 2000 or 3600 <= answered <= 4000


def test_no_client_of_another_broker_is_loaded():
    assert find_spec("valkey"), "else this shows nothing"
    made = "import sys; from provisioning.pace import Pace; Pace('redis://x', per_minute=1); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own command
    assert {"redis", "valkey"} & set(done.stdout.split()) == {"redis"}
