"""Peers: installed from the package indexes into environments of their own, and filled through their doors."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks import company
from benchmarks.company import Person, World, name_of, numbers
from benchmarks.cycles import CYCLES
from benchmarks.driver import Address, Script, Wrong, drive
from benchmarks.targets import Place, free_port, served
from benchmarks.workloads import founded, joined

_LOCK = Path(__file__).parents[1] / "peers.lock"
SCIMMY = Path(__file__).parents[1] / "served" / "scimmy"
_AT_ONCE = 8
_TOKEN = "bench"  # noqa: S105 - of a server that lives for a measurement
FULL = (10_000, "it is in memory and takes a millisecond a person to fill")
# What nobody but us offers.
DOORS = {"access check": "it has no access checks", "introspection": "it has no introspection"}
ENTRA_INITIAL, OKTA_INITIAL = CYCLES[0].name, CYCLES[2].name


def python(place: Place) -> str:
    """The interpreter of the peers' environment, which is made from the lock where it is not there or not the same."""
    folder = place.folder / "python"
    installed, wanted = folder / "installed.lock", _LOCK.read_bytes()
    interpreter = str(folder / "bin" / "python")
    if not installed.exists() or installed.read_bytes() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _step([sys.executable, "-m", "venv", str(folder)])
        _step([interpreter, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(_LOCK)])
        installed.write_bytes(wanted)
    return interpreter


def node(place: Place) -> Path:
    """The folder with SCIMMY and its packages, from the lock that is beside it."""
    folder = place.folder / "node"
    shutil.copytree(SCIMMY, folder, dirs_exist_ok=True)
    installed, wanted = folder / "installed.lock", (SCIMMY / "package-lock.json").read_bytes()
    if not installed.exists() or installed.read_bytes() != wanted:
        _step(["npm", "ci", "--no-audit", "--no-fund"], folder)
        installed.write_bytes(wanted)
    return folder


def _step(command: Sequence[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


class InMemory:
    """A peer that keeps everything in its one process, and is started anew for each filling.

    Args:
        place: where it lives.
        stack: ends the process.
        name: of its log.
        command: starts it; it listens on `PEER_PORT` and takes `PEER_TOKEN`.
    """

    def __init__(self, place: Place, stack: ExitStack, name: str, command: Callable[[Place, int], list[str]]) -> None:
        self._place, self._stack, self._name, self._command = place, stack, name, command

    def fill(self, people: int) -> tuple[Address, World]:
        """Start it, and push everybody."""
        self._stack.close()
        port = free_port()
        log = self._place.folder / f"{self._name}.log"
        told = {"PEER_PORT": str(port), "PEER_TOKEN": _TOKEN}
        self._stack.enter_context(served(self._command(self._place, port), port, log, **told))
        address = Address(port, f"Bearer {_TOKEN}")
        return address, push(address, people)


def in_memory(
    name: str, command: Callable[[Place, int], list[str]]
) -> Callable[[Place], AbstractContextManager[InMemory]]:
    """How such a peer is run."""

    @contextmanager
    def run(place: Place) -> Iterator[InMemory]:
        with ExitStack() as stack:
            yield InMemory(place, stack, name, command)

    return run


def push(address: Address, people: int) -> World:
    """Fill a peer as an identity provider would, through its door: with people, and the groups that fit.

    Raises:
        Wrong: it refused something.
    """
    ids: dict[int, str] = {}

    def push_one(number: int) -> Script[None]:
        ids[number] = yield from joined(name_of(number))

    _all(address, [push_one(number) for number in range(people + company.OUTSIDE)])
    groups: dict[int, str] = {}

    def push_group(size: int) -> Script[None]:
        groups[size] = yield from founded(f"team-{size}", [ids[number] for number in range(size)])

    _all(address, [push_group(size) for size in company.GROUPS if size <= min(people, 1_000)])
    known, outside = (tuple(Person(ids[one], name_of(one)) for one in some) for some in numbers(people))
    return World(people, known, outside, groups)


def _all(address: Address, scripts: list[Script[Any]]) -> None:
    run = drive(address, iter(scripts), seconds=900, at_once=_AT_ONCE)
    if run.errors:
        raise Wrong(run.wrong[0])


def locked(package: str) -> str:
    """A package and its version in the lock."""
    for line in _LOCK.read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.partition(" ")[0].replace("==", " ")
    lock = orjson.loads((SCIMMY / "package-lock.json").read_bytes())
    return f"{package} {lock['packages'][f'node_modules/{package}']['version']}"
