"""PostgreSQL's data as a first start leaves it: made once, and copied wherever a server is to start quickly.

A server on a copy has all tables and nothing in them. It writes for this machine alone: whatever process is killed,
what was committed is there; what a loss of power leaves, no test asks.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from config import settings
from provisioning import migration
from provisioning.app import create_app
from provisioning.database import db
from provisioning.embedded import EmbeddedPostgres

_SETTINGS = "fsync = off\nfull_page_writes = off\n"


def make(folder: Path) -> Path:
    """Make the data in an empty folder, and tell where it is."""
    made = folder / "postgres"
    with tempfile.TemporaryDirectory(prefix="cluster-") as sockets:
        server = EmbeddedPostgres(made, sockets=Path(sockets), durable=False)
        server.start()
        try:
            environ = {"DATABASE_URL": server.url, "PROVISIONING_DATA_DIR": str(folder)}
            with create_app(settings.load(environ)).app_context():
                migration.migrate()
                db.engine.dispose()
        finally:
            server.stop()
    with (made / "postgresql.conf").open("a") as written:
        written.write(_SETTINGS)
    return made


def copy(cluster: Path, data_dir: Path) -> None:
    """Have a data folder begin with a copy."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # PostgreSQL's files may be another user's, and must remain so.
    subprocess.run(["cp", "-a", cluster, data_dir / "postgres"], check=True)  # noqa: S603, S607 - the system's own
