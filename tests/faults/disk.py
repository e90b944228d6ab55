"""A disk that is full: a small file system of its own where one may be mounted; else the error of one is played."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.whole import Whole

_ROOM = 8 * 1024 * 1024
_PLAYED = """
    CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER is_full BEFORE INSERT ON event EXECUTE FUNCTION is_full()
"""


@contextmanager
def full_disk(service: Whole, folder: Path) -> Iterator[None]:
    """Have no room for events until the block ends, but for what is left on their last page.

    Args:
        service: whose events.
        folder: an empty one, which PostgreSQL can reach.
    """
    with _asked(service) as database:
        # As updates leave them, pages have room that no disk has to give.
        database.execute("VACUUM FULL event")
        full = _real if _mount(database, folder) else _played
        with full(database, folder):
            yield


def _asked(service: Whole) -> psycopg.Connection[Any]:
    """A connection that waits for its locks as long as it takes."""
    return psycopg.connect(host=str(service.servers.sockets), user="postgres", dbname="provisioning", autocommit=True)


def _mount(database: psycopg.Connection[Any], folder: Path) -> bool:
    """Whether there is a disk of just enough room for what is there."""
    (size,) = database.execute("SELECT pg_table_size('event')").fetchone() or (0,)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size + _ROOM},mode=700", "tmpfs", str(folder))
    return os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed


@contextmanager
def _real(database: psycopg.Connection[Any], folder: Path) -> Iterator[None]:
    rest = folder / "rest"
    try:
        database.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        database.execute("ALTER TABLE event SET TABLESPACE small")
        _fill(rest)
        yield
    finally:
        rest.unlink(missing_ok=True)
        database.execute("ALTER TABLE event SET TABLESPACE pg_default")
        database.execute("DROP TABLESPACE IF EXISTS small")
        subprocess.run(("umount", "--lazy", str(folder)), check=True)  # noqa: S603, S607 - fixed


def _fill(file: Path) -> None:
    """Use up all that is left."""
    with file.open("wb", buffering=0) as rest:
        try:
            while True:
                rest.write(bytes(4096))
        except OSError:
            return


@contextmanager
def _played(database: psycopg.Connection[Any], _folder: Path) -> Iterator[None]:
    database.execute(_PLAYED)
    try:
        yield
    finally:
        database.execute("DROP FUNCTION is_full() CASCADE")
