"""`provisioning up`: the whole service in one foreground process tree."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click
from flask import Flask
from honcho.environ import parse_procfile

from config import settings
from config.settings import Settings
from provisioning.app import without_doors
from provisioning.cli import first_start, instance
from provisioning.cli.instance import Instance
from provisioning.cli.supervisor import Supervisor
from provisioning.embedded import EmbeddedPostgres, EmbeddedRedis, Guardian, Unavailable

_PROCFILE = Path(__file__).parents[2] / "Procfile"
_READY_WITHIN_SECONDS = 60.0


class _Stopped(Exception):
    """A signal asked to stop before the processes were running."""


@click.command()
@click.option("--host", help="The address to listen on (PROVISIONING_HOST).")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on (PROVISIONING_PORT).")
@click.option("--data-dir", type=click.Path(file_okay=False), help="Where data is kept (PROVISIONING_DATA_DIR).")
def up(host: str | None, port: int | None, data_dir: str | None) -> None:
    """Run everything: web, worker, beat, and PostgreSQL and Redis unless DATABASE_URL and REDIS_URL name others."""
    given = {"PROVISIONING_HOST": host, "PROVISIONING_PORT": port, "PROVISIONING_DATA_DIR": data_dir}
    environ = {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}
    wanted = settings.load(environ)
    try:
        with _stoppable(), _claimed(wanted.data_dir), contextlib.ExitStack() as stack:
            _refuse_taken_port(wanted)
            complaint = _run(wanted, environ, stack)
    except _Stopped:
        return
    except Unavailable as error:
        raise click.ClickException(str(error)) from None
    if complaint is not None:
        click.echo(complaint, err=True)
        raise click.exceptions.Exit(1)


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Until honcho takes the signals over, they end the block."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    yield


@contextlib.contextmanager
def _claimed(data_dir: Path) -> Iterator[None]:
    """Hold the data folder: the lock is on the folder itself, so that none is left behind, however we end."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir.chmod(0o700)
        descriptor = os.open(data_dir, os.O_RDONLY)
    except OSError as error:
        raise click.UsageError(f"the data folder {data_dir} can't be used: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise click.UsageError(f"another `provisioning up` runs from {data_dir}") from None
    try:
        yield
    finally:
        os.close(descriptor)


def _refuse_taken_port(wanted: Settings) -> None:
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((wanted.host, wanted.port))
        except OSError as error:
            raise click.UsageError(f"{wanted.host} port {wanted.port} can't be listened on: {error.strerror}") from None


def _run(wanted: Settings, environ: dict[str, str], stack: contextlib.ExitStack) -> str | None:
    """Start the servers, then the processes, and wait for the end; what was started is stopped by the stack."""
    sockets = Path(tempfile.mkdtemp(prefix="provisioning-"))
    stack.callback(shutil.rmtree, sockets, ignore_errors=True)
    guardian = Guardian(folder=sockets, file=instance.path_of(wanted.data_dir))
    stack.callback(guardian.dismiss)
    environ |= _servers(wanted, sockets, guardian, stack)
    running = settings.load(environ)
    found = Instance(os.getpid(), running.public_url, str(running.database_url), running.redis_url)
    instance.write(running.data_dir, found)
    stack.callback(instance.path_of(running.data_dir).unlink, missing_ok=True)
    app = without_doors(running)
    first_start.migrate(app)
    supervisor = Supervisor(
        parse_procfile(_PROCFILE.read_text()).processes,
        environ=environ,
        started=guardian.watch,
        first="web",
        gate=sockets / "web-is-up",
    )
    greeter = _Greeter(app, running, supervisor)
    greeter.start()
    return supervisor.run() or greeter.complaint


def _servers(wanted: Settings, sockets: Path, guardian: Guardian, stack: contextlib.ExitStack) -> dict[str, str]:
    """The embedded servers where they are needed, and how the processes reach everything."""
    told = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PROVISIONING_HOST": wanted.host,
        "PROVISIONING_PORT": str(wanted.port),
        "PROVISIONING_DATA_DIR": str(wanted.data_dir),
        "PROVISIONING_BASE_URL": wanted.public_url,
        "PROVISIONING_WEB_PROCESSES": str(wanted.web_processes),
        "PROVISIONING_WEB_THREADS": str(wanted.web_threads),
        "PROVISIONING_WEB_WAITING": str(wanted.web_waiting),
    }
    if wanted.database_url is None:
        postgres = EmbeddedPostgres(wanted.data_dir / "postgres", sockets=sockets)
        stack.callback(postgres.stop)
        postgres.start()
        guardian.watch(postgres.pid, end_by="INT")
        told["DATABASE_URL"] = postgres.url
    if wanted.redis_url is None:
        redis = EmbeddedRedis(sockets=sockets)
        stack.callback(redis.stop)
        redis.start()
        guardian.watch(redis.pid)
        told["REDIS_URL"] = redis.url
    return told


class _Greeter(threading.Thread):
    """Waits until the web server can serve, and then says where everything is; or has everything stopped."""

    def __init__(self, app: Flask, running: Settings, supervisor: Supervisor) -> None:
        super().__init__(name="greeter", daemon=True)
        self._app = app
        self._supervisor = supervisor
        self._settings = running
        self.complaint: str | None = None

    def run(self) -> None:
        """Wait, then greet."""
        deadline = time.monotonic() + _READY_WITHIN_SECONDS
        while not self._is_ready():
            if time.monotonic() > deadline:
                self.complaint = (
                    f"the web server was not ready within {_READY_WITHIN_SECONDS:.0f} s, so all was stopped"
                )
                os.kill(os.getpid(), signal.SIGTERM)
                return
            time.sleep(0.1)
        self._supervisor.let_others_begin()
        click.echo(first_start.welcome(self._app, self._settings))

    def _is_ready(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._settings.host, self._settings.host)  # noqa: S104 - not bound here
        try:
            with urllib.request.urlopen(f"http://{host}:{self._settings.port}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004 - OK
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False
