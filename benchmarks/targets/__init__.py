"""Those who are measured: how each is started, and filled with people. What they serve is in `served`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from benchmarks.company import World
from benchmarks.driver import Address

ROOT = Path(__file__).parents[2]
_READY_WITHIN_SECONDS = 60.0


class Unsupported(Exception):
    """A target does not do this, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where targets live.

    Args:
        folder: for what they keep, and for environments that peers are installed into.
        postgres: the URL of a database on the server that all share.
        processes: of a web server.
        threads: of each of its processes.
    """

    folder: Path
    postgres: str
    processes: int
    threads: int


class Running(Protocol):
    """A target that runs."""

    def fill(self, people: int) -> tuple[Address, World]:
        """Have so many people, and the groups that fit; nobody and nothing of an earlier filling is asked for."""


@dataclass(frozen=True, slots=True)
class Target:
    """One who is measured.

    Args:
        name: in the table.
        version: of what.
        run: starts it, until the block ends.
        lacks: workloads that it does not support, by their names or how these begin, and why.
        most_people: it is not filled with more, and why it isn't.
        most_members: of a group that is changed.
    """

    name: str
    version: str
    run: Callable[[Place], AbstractContextManager[Running]]
    lacks: Mapping[str, str] = field(default_factory=dict)
    most_people: tuple[int, str] | None = None
    most_members: tuple[int, str] | None = None

    def refusal(self, workload: str, *, people: int, members: int | None) -> str | None:
        """Why a workload is not measured on it, if it isn't."""
        for name, why in self.lacks.items():
            if workload.startswith(name):
                return why
        if self.most_people is not None and people > self.most_people[0]:
            return self.most_people[1]
        if self.most_members is not None and members is not None and members > self.most_members[0]:
            return self.most_members[1]
        return None


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def granian(application: str, port: int, *, python: str = sys.executable, processes: int, threads: int) -> list[str]:
    """The command that serves an application as `provisioning up` serves ours (see the Procfile)."""
    size = ["--workers", str(processes), "--blocking-threads", str(threads), "--backlog", "1024"]
    how = ["--interface", "wsgi", "--factory", "--http", "1", "--log-level", "warning"]
    return [python, "-m", "granian", *how, "--host", "127.0.0.1", "--port", str(port), *size, application]


@contextmanager
def served(command: Sequence[str], port: int, log: Path, **environ: str) -> Iterator[None]:
    """Run a server until the block ends; it begins once the port is listened on."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environ}, stdout=file, stderr=file
        )
    try:
        _await(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{command_of(process)} does not listen:\n{log.read_text()[-2000:]}")


def command_of(process: subprocess.Popen[bytes]) -> str:
    """What a process runs, to be told."""
    return " ".join(map(str, process.args)) if isinstance(process.args, list) else str(process.args)


def own_database(postgres: str, name: str) -> str:
    """The URL of a new, empty database on the server of another."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return psycopg.conninfo.make_conninfo(postgres, dbname=name)
