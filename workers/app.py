"""Builds the Celery application: settings in, tasks registered, schedule set."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import Celery, Task
from flask import Flask

from config.schedule import SCHEDULE
from config.settings import InvalidSettings, Settings
from provisioning import nudge
from provisioning.app import without_doors
from provisioning.forwarding.means import QUEUE as FORWARDING
from provisioning.nudge import broker_address
from provisioning.outbox import Urgency
from workers import alarms, deletion, drain, expiry, forwarding, sealing, ticks

# A worker that was killed gets its messages delivered to another this much later; every task is shorter.
_VISIBILITY_SECONDS = 300
# A tick that nobody took up within this, and its interval, is dropped: little piles up while workers are away, and of
# what does each job is done once (`ticks`). The clocks of two machines tell, and each of these may be an hour off.
_TICK_SECONDS = 2 * 3600
_SOFT_LIMIT_SECONDS, _HARD_LIMIT_SECONDS = 240, 270


def make_worker(settings: Settings) -> Celery:
    """The Celery application of these settings.

    Raises:
        InvalidSettings: there is no database or broker to work with.
    """
    if settings.database_url is None or settings.redis_url is None:
        raise InvalidSettings("DATABASE_URL and REDIS_URL must be set for the workers: `provisioning up` sets both")
    flask = without_doors(settings)
    celery = Celery("provisioning", broker=broker_address(settings.redis_url), task_cls=_in_context(flask))
    celery.flask = flask
    celery.conf.update(_configuration(settings))
    for name, work in _tasks(settings).items():
        # Not shared with the other applications of this process: each has a context of its own to work in.
        celery.task(name=name, shared=False)(work)
    celery.set_default()
    return celery


def _tasks(settings: Settings) -> dict[str, Callable[[], int]]:
    """All tasks by name: those that nudges call run each time, for something is new; the others as often as is due."""
    modules = (drain, expiry, alarms, deletion, sealing, forwarding)
    tasks = {name: work for module in modules for name, work in module.TASKS.items()}
    nudged = set(map(nudge.task_of, (*Urgency, FORWARDING)))
    for entry in SCHEDULE:
        if entry.task not in nudged:
            every = getattr(settings, entry.interval_setting)
            tasks[entry.task] = ticks.once(tasks[entry.task], name=entry.task, every=every)
    return tasks


def settle_in() -> None:
    """Have the garbage collector leave alone what is there for good, in this process and those that it forks.

    To look through all of it takes some tenths of a second, and may strike while locks are held.
    """
    gc.collect()
    gc.freeze()


def _in_context(flask: Flask) -> type[Task]:
    """The base of all tasks: each runs in an application context of its own."""

    class InContext(Task):  # type: ignore[misc]
        abstract = True

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with flask.app_context():
                return self.run(*args, **kwargs)

    return InContext


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_soft_time_limit": _SOFT_LIMIT_SECONDS,
        "task_time_limit": _HARD_LIMIT_SECONDS,
        "task_default_queue": "housekeeping",
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_soft_shutdown_timeout": 5,
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "visibility_timeout": _VISIBILITY_SECONDS,
            # Look for messages of killed workers every few seconds; by default it is every hundred.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        "beat_scheduler": "workers.beat:LeaderScheduler",
        "beat_schedule": {entry.name: _scheduled(entry, settings) for entry in SCHEDULE},
        "timezone": "UTC",
    }


def _scheduled(entry: Any, settings: Settings) -> dict[str, Any]:
    every: timedelta = getattr(settings, entry.interval_setting)
    options = {"queue": entry.queue, "expires": every.total_seconds() + _TICK_SECONDS}
    return {"task": entry.task, "schedule": every, "options": options}
