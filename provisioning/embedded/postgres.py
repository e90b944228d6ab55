"""A PostgreSQL of our own: made in the data folder on first use, reached by a Unix socket that only we can open."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from provisioning.embedded.binaries import Unavailable, postgres_programs
from provisioning.embedded.identity import Identity, unprivileged

_DATABASE, _USER = "provisioning", "postgres"
_PATIENCE_SECONDS = 30.0
_STOP_SECONDS = 8.0
_INITDB = (
    "--no-sync",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--username={_USER}",
)
_SETTINGS = (
    "unix_socket_permissions=0700",
    "jit=off",
    "log_min_messages=warning",
    "timezone=UTC",
    # A plan is kept until a table is counted anew: on the day of a first synchronisation tables grow by the second.
    "autovacuum_naptime=10s",
)
_FORGETFUL = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


class EmbeddedPostgres:
    """One server on one data folder.

    Args:
        folder: where the data is kept; made when it isn't there.
        sockets: a short, private folder for the socket.
        durable: whether a commit survives a crash of the machine; only tests do without.
    """

    def __init__(self, folder: Path, *, sockets: Path, durable: bool = True) -> None:
        self._folder = folder
        self._sockets = sockets
        self._settings = _SETTINGS if durable else (*_SETTINGS, *_FORGETFUL)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The database's address for SQLAlchemy."""
        return f"postgresql+psycopg://{_USER}@/{_DATABASE}?host={self._sockets}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise Unavailable("PostgreSQL was not started")
        return self._process.pid

    def start(self) -> None:
        """Start the server, making its data folder and database first where they aren't there.

        Raises:
            Unavailable: it can't be run here, or the folder is in use, foreign, or of another version.
        """
        programs, identity = postgres_programs(), unprivileged()
        self._refuse_foreign(programs, identity)
        if not (self._folder / "PG_VERSION").exists():
            self._initialise(programs, identity)
        identity.own(self._sockets)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        # A server that was killed lingers for a moment, and its lock with it: try again for a while.
        while not self._launch(programs, identity, deadline):
            if time.monotonic() > deadline:
                raise Unavailable(f"PostgreSQL did not start; its log is {self._log}")
            time.sleep(0.2)
        self._create_database()

    @property
    def _log(self) -> Path:
        return self._folder.parent / "postgres.log"

    def _refuse_foreign(self, programs: Path, identity: Identity) -> None:
        """The folder must be new, or a data folder of this very major version."""
        marker = self._folder / "PG_VERSION"
        if not marker.exists():
            if self._folder.exists() and any(self._folder.iterdir()):
                raise Unavailable(
                    f"{self._folder} holds something else than PostgreSQL's data: choose another data folder"
                )
            return
        told = subprocess.run(  # noqa: S603 - a program out of our own packages
            [*identity.prefix, programs / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        ours, theirs = told.split()[2].split(".")[0], marker.read_text().strip()
        if ours != theirs:
            raise Unavailable(
                f"{self._folder} is of PostgreSQL {theirs}, and this is PostgreSQL {ours}: dump and restore it"
            )

    def _initialise(self, programs: Path, identity: Identity) -> None:
        """Make the data in a folder beside and move it into place: an interrupted first start leaves nothing half."""
        draft = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        identity.own(draft)
        done = subprocess.run(  # noqa: S603 - a program out of our own packages
            [*identity.prefix, programs / "initdb", *_INITDB, "--pgdata", draft],
            capture_output=True,
            text=True,
            check=False,
            user=identity.user,
            group=identity.group,
            extra_groups=None if identity.user is None else [],
            env={**os.environ, "LC_ALL": "C"},
        )
        if done.returncode != 0:
            raise Unavailable(f"PostgreSQL's data could not be made: {done.stderr.strip().splitlines()[-1:]}")
        if self._folder.exists():
            self._folder.rmdir()
        draft.rename(self._folder)

    def _launch(self, programs: Path, identity: Identity, deadline: float) -> bool:
        options = [part for setting in self._settings for part in ("-c", setting)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program out of our own packages
                [*identity.prefix, programs / "postgres", "-D", self._folder, "-h", "", "-k", self._sockets, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=identity.user,
                group=identity.group,
                extra_groups=None if identity.user is None else [],
            )
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        try:
            psycopg.connect(host=str(self._sockets), user=_USER, dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_database(self) -> None:
        with psycopg.connect(host=str(self._sockets), user=_USER, dbname="postgres", autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,)).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {_DATABASE}")

    def stop(self) -> None:
        """Stop the server: connections are cut, what was committed stays."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
