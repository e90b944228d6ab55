"""A bench without any worker: PostgreSQL and Redis of its own, so that a test decides what runs and what dies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, text

from config import settings
from provisioning.app import create_app
from provisioning.database import db, transaction
from provisioning.heartbeat import Heartbeat
from provisioning.outbox import Event
from provisioning.sessions.models import Session
from tests.bench import Processes, servers

Spawn = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory, cluster: Path) -> Iterator[dict[str, str]]:
    """Running servers, as the environment of whoever is to use them."""
    with servers(tmp_path_factory.mktemp("bench"), durable=False, cluster=cluster) as running:
        yield dict(running.environ)


@pytest.fixture(scope="package")
def bench_app(bench: dict[str, str]) -> Iterator[Flask]:
    """An application on the bench's database."""
    made = create_app(settings.load(bench))
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def alone(bench_app: Flask) -> Iterator[None]:
    """A database without workers, facts, heartbeats and sessions, in whose context the test runs."""
    with bench_app.app_context():
        with transaction() as connection:
            # As a superuser can: the table itself lets nobody delete a fact.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(delete(Event))
            connection.execute(text("SET LOCAL session_replication_role = origin"))
            for table in (Heartbeat, Session):
                connection.execute(delete(table))
        yield


@pytest.fixture
def spawn(bench: dict[str, str]) -> Iterator[Spawn]:
    """Starts worker processes on the bench, and ends those that still run."""
    processes = Processes(bench)

    def start(*arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        return processes.start(sys.executable, "-m", "workers", *arguments, **environ)

    yield start
    processes.end()
