"""Servers and processes of a test's own, so that it decides what runs and what dies."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.embedded import EmbeddedPostgres, EmbeddedRedis
from tests import clusters


@dataclass(frozen=True)
class Servers:
    """A running PostgreSQL and Redis, their folders, and the environment of whoever is to use them."""

    folder: Path
    sockets: Path
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    environ: Mapping[str, str]


@contextmanager
def servers(folder: Path, *, durable: bool, cluster: Path | None = None) -> Iterator[Servers]:
    """Run both until the block ends.

    Args:
        folder: for PostgreSQL's data.
        durable: where PostgreSQL is going to be killed.
        cluster: what its data is a copy of, with all tables; without one the database is empty.
    """
    if cluster is not None:
        clusters.copy(cluster, folder)
    with tempfile.TemporaryDirectory(prefix="bench-") as sockets:
        postgres = EmbeddedPostgres(folder / "postgres", sockets=Path(sockets), durable=durable)
        redis = EmbeddedRedis(sockets=Path(sockets))
        postgres.start()
        redis.start()
        environ = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "PROVISIONING_DATA_DIR": str(folder),
            "PROVISIONING_SWEEP_INTERVAL": "1s",
            "PROVISIONING_EXPIRY_INTERVAL": "1s",
        }
        try:
            yield Servers(folder, Path(sockets), postgres, redis, environ)
        finally:
            redis.stop()
            postgres.stop()


class Processes:
    """Starts processes, each with a group of its own, and ends those that still run."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, output: Path | None = None, **environ: str) -> subprocess.Popen[bytes]:
        """Start one; what it says is added to a file, where one is given."""
        with Path(output or os.devnull).open("ab") as said:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                env={**os.environ, **self._environ, **environ},
                start_new_session=True,
                stdout=said,
                stderr=said,
            )
        self._running.append(process)
        return process

    def end(self, *, patience: float = 60) -> None:
        """Ask those that still run to end, and kill what does not."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._running.clear()
