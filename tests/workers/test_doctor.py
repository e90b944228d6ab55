"""The doctor sees what is amiss, says what it could not ask, and always comes to an end."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import select, update
from sqlalchemy.sql import func

from provisioning.cli.main import provisioning
from provisioning.database import reading, transaction
from provisioning.doctor import InvariantsBroken
from provisioning.outbox import Event
from provisioning.sessions.models import Session
from tests.service import free_port
from tests.waiting import eventually
from tests.workers.test_processes import company
from workers import alarms

PARTS = {"beat", "worker of urgent", "worker of letters", "worker of housekeeping", "worker of forwarding"}
QUIET = ("--concurrency", "1", "--loglevel", "warning")


pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def examine(bench):
    """Runs the doctor: its exit code, and what is amiss."""

    def examine(**environ: str):
        done = CliRunner().invoke(provisioning, ["doctor", "--json"], env={**bench, **environ})
        report = orjson.loads(done.stdout)
        assert report["ok"] is (done.exit_code == 0)
        return done.exit_code, {line["name"]: line["seen"] for line in report["checks"] if not line["ok"]}

    return examine


def test_a_service_whose_parts_all_live_is_well_and_a_silent_one_is_named(spawn, examine):
    code, amiss = examine()
    assert (code, set(amiss)) == (1, PARTS)
    spawn("worker", "--queues", "urgent,letters,housekeeping,forwarding", *QUIET)
    spawn("beat", "--loglevel", "warning")
    eventually(lambda: examine() == (0, {}), within=60, every=1)


def test_servers_that_are_down_are_reported(examine):
    nowhere = f"127.0.0.1:{free_port()}"
    code, amiss = examine(REDIS_URL=f"redis://{nowhere}/0")
    assert (code, set(amiss)) == (1, PARTS | {"broker"})
    code, amiss = examine(DATABASE_URL=f"postgresql://x@{nowhere}/x")
    assert (code, set(amiss)) == (1, {"database", "heartbeats", "invariants"})
    assert all("could not be asked" in seen for seen in amiss.values())


def test_where_nothing_runs_that_is_said(examine, tmp_path):
    code, amiss = examine(DATABASE_URL="", REDIS_URL="", PROVISIONING_DATA_DIR=str(tmp_path))
    assert (code, set(amiss)) == (1, {"service"})


def test_a_broken_invariant_is_an_alarm_once_until_it_changes(examine):
    company(3)
    long_ago = func.clock_timestamp() - timedelta(days=9)
    with transaction() as connection:
        connection.execute(update(Session).values(created_at=long_ago))
    assert alarms.reconcile() == 1
    assert alarms.reconcile() == 0
    name = "sessions_older_than_their_policy"
    assert examine()[1][name].startswith("3: ")
    with transaction() as connection:
        connection.execute(update(Session).values(ended_at=func.clock_timestamp(), ended_reason="absolute"))
    assert alarms.reconcile() == 0
    with reading() as connection:
        told = select(Event.payload["counts"]).where(Event.name == InvariantsBroken.name).order_by(Event.seq)
        assert connection.execute(told).scalars().all() == [{name: 3}, {}]


def test_a_frozen_database_does_not_hold_the_doctor_up(bench_app, bench, examine):
    with bench_app.app_context(), reading() as connection:
        folder = connection.exec_driver_sql("SHOW data_directory").scalar_one()
    with (Path(folder) / "postmaster.pid").open() as file:
        postmaster = int(file.readline())
    begun = time.monotonic()
    os.kill(postmaster, signal.SIGSTOP)
    try:
        code, amiss = examine()
    finally:
        os.kill(postmaster, signal.SIGCONT)
    assert (code, set(amiss)) == (1, {"database", "heartbeats", "invariants"})
    assert time.monotonic() - begun < 10
