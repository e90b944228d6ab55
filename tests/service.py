"""Starts the whole service as a newcomer does, and stops it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import clusters
from tests.waiting import eventually

# Quick sweeps, so that tests wait for little, but do not use up the machine; everything else is as it is for everybody.
ENVIRONMENT = {"PROVISIONING_SWEEP_INTERVAL": "1s", "PROVISIONING_EXPIRY_INTERVAL": "3s"}


@dataclass(frozen=True)
class Service:
    """A running service."""

    base_url: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    output: Path


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start(folder: Path, *, cluster: Path | None = None, **environ: str) -> Iterator[Service]:
    """Run `provisioning up` in a folder until the block ends.

    Args:
        folder: for its data and for what it says.
        cluster: what PostgreSQL's data is a copy of; without one, or where there are data, it is as for everybody.
        environ: settings.
    """
    if cluster is not None and not (folder / "data").exists():
        clusters.copy(cluster, folder / "data")
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    output = folder / "output.txt"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PROVISIONING_", "DATABASE_", "REDIS_"))}
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "provisioning", "up", "--port", str(port), "--data-dir", str(folder / "data")],
            env={**clean, **ENVIRONMENT, **environ},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        # It says so itself once the first workspace is there, too.
        told = b"Provisioning is ready"
        eventually(lambda: told in output.read_bytes() or process.poll() is not None, within=300)
        assert process.poll() is None, output.read_text()
        yield Service(base_url, folder / "data", process, output)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
