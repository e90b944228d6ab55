"""However many ticks have piled up while no worker was there, a job is done once; a nudge is never passed over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from config import settings
from provisioning.database import db, transaction
from provisioning.heartbeat import Heartbeat
from workers import alarms, drain
from workers.app import make_worker

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def done(monkeypatch, bench):
    """What was done, and what does it: tasks of a Celery application that tell."""
    done = []

    def job() -> int:
        done.append("job")
        return 1

    monkeypatch.setattr(alarms, "TASKS", {**alarms.TASKS, "provisioning.reconcile": job})
    monkeypatch.setattr(drain, "TASKS", {**drain.TASKS, "provisioning.drain_urgent": job})
    celery = make_worker(settings.load({**bench, "PROVISIONING_RECONCILE_INTERVAL": "1m"}))

    def tick(name: str) -> int:
        return celery.tasks[f"provisioning.{name}"]()

    yield done, tick
    with celery.flask.app_context():
        db.engine.dispose()


def let_pass(seconds: float) -> None:
    """The job was begun so much longer ago."""
    begun = update(Heartbeat).where(Heartbeat.name == "provisioning.reconcile")
    with transaction() as connection:
        connection.execute(begun.values(beat_at=Heartbeat.beat_at - timedelta(seconds=seconds)))


def test_of_ticks_that_have_piled_up_one_does_the_job_and_the_next_in_time_does_it_again(done):
    happened, tick = done
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(tick, ["reconcile"] * 40)) == [0] * 39 + [1]
    let_pass(20)
    assert tick("reconcile") == 0
    let_pass(11)
    assert (tick("reconcile"), tick("reconcile")) == (1, 0)
    assert happened == ["job"] * 2


def test_each_nudge_is_followed(done):
    happened, tick = done
    assert [tick("drain_urgent") for _ in range(3)] == [1, 1, 1]
    assert happened == ["job"] * 3
