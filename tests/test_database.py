"""Connections to PostgreSQL: what is idle may have died, and nobody is to notice."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from provisioning.database import reading, transaction

pytestmark = pytest.mark.usefixtures("app")


def backend():
    with reading() as connection:
        return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


def end(pid):
    with reading() as first, reading() as other:
        by = next(one for one in (first, other) if one.execute(text("SELECT pg_backend_pid()")).scalar_one() != pid)
        assert by.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}).scalar_one()


def test_a_connection_that_died_while_it_lay_idle_is_replaced():
    pid = backend()
    end(pid)
    # There is no event to wait for: that time goes by is what it is about.
    time.sleep(1.1)
    assert backend() != pid


def moments(connection):
    """When the transactions of two statements began."""
    return [connection.execute(text("SELECT transaction_timestamp()")).scalar_one() for _ in range(2)]


def test_statements_that_only_read_stand_alone_and_those_of_a_transaction_together():
    for _ in range(2):
        with reading() as connection:
            assert len(set(moments(connection))) == 2
        with transaction() as connection:
            assert len(set(moments(connection))) == 1
