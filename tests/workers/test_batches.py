"""How many rows a transaction takes follows from how long it takes; none holds its locks for long."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from provisioning.database import reading
from workers.batches import BOUND_SECONDS, Stride, sweep

pytestmark = pytest.mark.usefixtures("alone")
_SLEEP = text("SELECT pg_sleep(:seconds)")


def test_what_takes_too_long_is_given_up_by_the_server_and_tried_with_less():
    held, left = [], 400

    def slow(connection, most):
        nonlocal left
        begun = time.monotonic()
        held.append(None)
        connection.execute(_SLEEP, {"seconds": most * 0.001})
        held[-1] = (time.monotonic() - begun, most)
        marked = min(most, left)
        left -= marked
        return marked

    assert sweep(slow) == 400
    done = [one for one in held if one is not None]
    assert len(done) < len(held)
    assert max(most for _, most in done) * 0.001 < BOUND_SECONDS
    assert min(took for took, _ in done) < BOUND_SECONDS


def test_what_is_quick_is_taken_in_ever_larger_batches_up_to_what_can_be_told():
    asked = []

    def quick(_connection, most):
        asked.append(most)
        return most if max(asked) < 1000 or len(asked) < 10 else 0

    sweep(quick, most=1000)
    assert (asked[0], max(asked)) == (250, 1000)


def test_the_least_is_let_through_however_long_it_takes():
    stride, asked = Stride(most=8), []

    def stubborn(connection, most):
        asked.append(most)
        connection.execute(_SLEEP, {"seconds": 2 * BOUND_SECONDS})
        return most

    assert [stride.take(stubborn), stride.take(stubborn)] == [8, 8]
    assert asked == [8, 8]


def test_nothing_of_what_was_given_up_stays():
    def slow(connection, most):
        connection.execute(text("INSERT INTO heartbeat (name) VALUES (:name)"), {"name": str(most)})
        connection.execute(_SLEEP, {"seconds": 1.0 if most > 100 else 0})
        return 0

    sweep(slow)
    with reading() as connection:
        assert list(connection.execute(text("SELECT name FROM heartbeat")).scalars()) == ["62"]
