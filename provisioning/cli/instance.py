"""The running instance of a data folder, by which other commands find its database: a file that lives as long as it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

_NAME = "instance.json"


@dataclass(frozen=True, slots=True)
class Instance:
    """Where a running instance is."""

    pid: int
    base_url: str
    database_url: str
    redis_url: str | None


def path_of(data_dir: Path) -> Path:
    """The file of a data folder's instance."""
    return data_dir / _NAME


def write(data_dir: Path, instance: Instance) -> None:
    """Tell where the instance is, to its owner alone; nobody ever sees half of it."""
    draft = data_dir / f"{_NAME}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(asdict(instance)))
    draft.replace(path_of(data_dir))


def read(data_dir: Path) -> Instance | None:
    """The running instance, if there is one."""
    try:
        return Instance(**orjson.loads(path_of(data_dir).read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None
