"""PgBouncer and RabbitMQ, where this machine has them: what companies put between the service and its servers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.embedded.identity import unprivileged
from tests.service import free_port
from tests.waiting import eventually

# Fewer than there are processes, so that they have to share.
_CONNECTIONS = 4
_SETTINGS = """
[databases]
provisioning = host={sockets} user=postgres connect_query='SET statement_timeout = ''30s'''

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
"""
_PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
# Debian's own command of this name wants to be somebody else; this is the program that it calls.
_RABBITMQ = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin") or shutil.which("rabbitmq-server")
# No package registry of Python's has either; a machine without them plays the other fleet alone.
ARE_HERE = _PGBOUNCER is not None and _RABBITMQ is not None


@contextmanager
def pgbouncer(folder: Path, sockets: Path) -> Iterator[str]:
    """PgBouncer in front of a PostgreSQL, lending connections for one transaction at a time, until the block ends.

    Args:
        folder: for its files.
        sockets: where the server's socket is.

    Returns:
        The database's address.
    """
    port = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(sockets=sockets, port=port, connections=_CONNECTIONS))
    with _running([*unprivileged().prefix, *filter(None, [_PGBOUNCER]), settings], folder / "pgbouncer.txt", port):
        yield f"postgresql://postgres@127.0.0.1:{port}/provisioning"


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """A RabbitMQ of our own until the block ends.

    Returns:
        The broker's address.
    """
    port, mapper, distribution = free_port(), free_port(), free_port()
    environ = {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "provisioning@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        # An ordinary user may not write where the package logs, and some of it goes there whatever is set.
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_LOGS": "-",
    }
    with _running([*filter(None, [_RABBITMQ])], folder / "rabbitmq.txt", port, **environ):
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    # Erlang's own name server goes on when its last node has ended, and ends only when it has noticed that.
    end = ["epmd", "-port", str(mapper), "-kill"]
    eventually(lambda: subprocess.run(end, capture_output=True, check=False).returncode == 0)  # noqa: S603 - Erlang's


@contextmanager
def _running(command: list[str | Path], output: Path, port: int, **environ: str) -> Iterator[None]:
    """Run a server until the block ends; it is there once it listens."""
    with output.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - a program of the machine's
            command, env={**os.environ, **environ}, stdout=said, stderr=said, start_new_session=True
        )
    try:
        eventually(lambda: _listens(port) or process.poll() is not None, within=60)
        assert process.poll() is None, output.read_text()
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
