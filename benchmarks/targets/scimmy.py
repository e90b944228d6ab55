"""SCIMMY: what is stored is left to its user, and is kept in memory here, with an index of userNames: its best case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.company import World
from benchmarks.driver import Address
from benchmarks.targets import Place, Target, free_port, peers, served


class _Server:
    """One process of Node; it is started anew for each filling."""

    def __init__(self, place: Place, stack: ExitStack) -> None:
        self._place, self._stack = place, stack

    def fill(self, people: int) -> tuple[Address, World]:
        self._stack.close()
        port = free_port()
        script = peers.node(self._place) / "server.js"
        log = self._place.folder / "scimmy.log"
        self._stack.enter_context(served(["node", str(script)], port, log, SCIMMY_PORT=str(port)))
        address = Address(port, "Bearer bench")
        return address, peers.push(address, people)


@contextmanager
def _run(place: Place) -> Iterator[_Server]:
    with ExitStack() as stack:
        yield _Server(place, stack)


TARGET = Target(
    "SCIMMY",
    peers.locked("scimmy-routers"),
    _run,
    {**peers.DOORS, "page of 100, deep by cursor": "it has no cursors"},
    most_people=(10_000, "it is in memory and takes a millisecond a person to fill"),
    most_members=(1_000, "a change takes seconds"),
)
