"""Connections rest between requests: they are used again, never dead ones, and nobody waits beside one."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from provisioning.database import db, driver_of, engine_options, one_connection, reading
from provisioning.resting import Resting
from tests.waiting import eventually


@pytest.fixture
def engine(app):
    """A pool that lends one connection and no more."""
    made = create_engine(app.config["SQLALCHEMY_DATABASE_URI"], **{**engine_options(pool_size=1), "max_overflow": 0})
    yield made
    made.dispose()


@pytest.fixture
def resting(engine):
    return Resting(engine)


def process_of(connection: Connection) -> int:
    return driver_of(connection).info.backend_pid


def end_process(number: int) -> None:
    """End one of PostgreSQL's processes, and wait until it is gone."""
    with db.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})


def test_who_comes_next_goes_on_with_the_connection_that_rests(resting):
    first = resting.take()
    resting.leave(first)
    second = resting.take()
    resting.leave(second)
    assert second is first


def test_one_whose_server_has_hung_up_is_not_given_to_anybody(resting):
    first = resting.take()
    dead = process_of(first)
    resting.leave(first)
    end_process(dead)
    second = resting.take()
    assert process_of(second) != dead
    assert second.execute(text("SELECT 1")).scalar_one() == 1
    second.rollback()
    resting.leave(second)


def test_none_rests_while_somebody_waits_for_the_pool(resting):
    got: list[Connection] = []
    first = resting.take()
    waiter = threading.Thread(target=lambda: got.append(resting.take()))
    waiter.start()
    # That somebody waits is to be seen from nowhere else.
    eventually(lambda: resting._waiting == 1)  # noqa: SLF001
    resting.leave(first)
    waiter.join(timeout=4)
    assert len(got) == 1
    resting.leave(got[0])


def test_no_more_rest_than_the_pool_keeps_by_itself(app):
    options = {**engine_options(pool_size=1), "max_overflow": 2}
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"], **options)
    resting = Resting(engine)
    for connection in [resting.take() for _ in range(3)]:
        resting.leave(connection)
    assert engine.pool.checkedout() == 1
    engine.dispose()


def test_those_of_an_engine_that_is_disposed_of_are_closed(engine, resting):
    first = resting.take()
    driver = driver_of(first)
    resting.leave(first)
    engine.dispose()
    assert driver.closed


def test_what_something_has_failed_on_goes_back_to_the_pool(engine, resting):
    with one_connection(resting), pytest.raises(ZeroDivisionError), reading():
        _ = 1 / 0
    assert engine.pool.checkedout() == 0
    with one_connection(resting), reading():
        assert engine.pool.checkedout() == 1
    assert engine.pool.checkedout() == 1
