"""A PostgreSQL of one's own, for what is measured without web server and workers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import settings
from provisioning import migration
from provisioning.app import create_app
from provisioning.database import db
from provisioning.embedded import EmbeddedPostgres


@contextmanager
def alone() -> Iterator[None]:
    """An application's context on a new database, whose commits reach the disk."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(prefix="alone-") as sockets:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", sockets=Path(sockets), durable=True)
        postgres.start()
        try:
            environ = {"DATABASE_URL": postgres.url, "PROVISIONING_DATA_DIR": folder}
            with create_app(settings.load(environ)).app_context():
                migration.migrate()
                yield
                db.engine.dispose()
        finally:
            postgres.stop()
