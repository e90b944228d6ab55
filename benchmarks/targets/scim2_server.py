"""scim2-server: its own application and storage, in memory, so in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.company import World
from benchmarks.driver import Address
from benchmarks.targets import Place, Target, free_port, granian, peers, served

_TOKEN = "bench"  # noqa: S105 - of a server that lives for a measurement


class _Server:
    """One process; it is started anew for each filling."""

    def __init__(self, place: Place, stack: ExitStack) -> None:
        self._place, self._stack = place, stack

    def fill(self, people: int) -> tuple[Address, World]:
        self._stack.close()
        port = free_port()
        python = peers.python(self._place)
        command = granian("benchmarks.served.scim2:wsgi", port, python=python, processes=1, threads=1)
        log = self._place.folder / "scim2-server.log"
        self._stack.enter_context(served(command, port, log, SCIM2_TOKEN=_TOKEN))
        address = Address(port, f"Bearer {_TOKEN}")
        return address, peers.push(address, people)


@contextmanager
def _run(place: Place) -> Iterator[_Server]:
    with ExitStack() as stack:
        yield _Server(place, stack)


TARGET = Target(
    "scim2-server",
    peers.locked("scim2-server"),
    _run,
    {**peers.DOORS, "page of 100, deep by cursor": "its own configuration has no cursors"},
    most_people=(10_000, "it is in memory and takes a millisecond a person to fill"),
    most_members=(1_000, "a change takes seconds"),
)
