"""One bench for all faults: the whole service on servers of its own, and a database apart for victims."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from config import settings
from provisioning.app import create_app
from provisioning.database import db
from tests.faults.asking import Client
from tests.faults.company import Company, found
from tests.faults.looking import call_all_done
from tests.faults.whole import Whole, whole


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory, cluster: Path) -> Iterator[Whole]:
    """Servers that run, with tables; no part of the service has been started yet."""
    with whole(tmp_path_factory.mktemp("faults"), cluster) as made:
        yield made


@pytest.fixture(scope="package")
def stage_app(stage: Whole) -> Iterator[Flask]:
    """An application on the service's database, which reaches it straight."""
    app = create_app(settings.load(stage.servers.environ))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def service(stage: Whole, stage_app: Flask) -> Iterator[Whole]:
    """The whole service, well and with nothing to do; in its application's context the test runs."""
    stage.mend()
    stage.ready()
    with stage_app.app_context():
        call_all_done()
        yield stage
    stage.mend()


@pytest.fixture
def company(service: Whole) -> Company:
    """A company on the service."""
    return found(service.servers.environ)


@pytest.fixture
def client() -> Iterator[Client]:
    """An HTTP client."""
    made = Client()
    yield made
    made.close()


@pytest.fixture(scope="package")
def apart(stage: Whole) -> str:
    """The name of a database at which no part of the service is at work."""
    with psycopg.connect(host=str(stage.servers.sockets), user="postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE apart TEMPLATE provisioning")
        # Clients are killed at this one, never its server.
        connection.execute("ALTER DATABASE apart SET synchronous_commit = off")
    return "apart"
