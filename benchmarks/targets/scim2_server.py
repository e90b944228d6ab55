"""scim2-server: its own application and storage, in memory, so in one process."""

from __future__ import annotations

from benchmarks.targets import Place, Target, granian, peers


def _command(place: Place, port: int) -> list[str]:
    return granian("benchmarks.served.scim2:wsgi", port, python=peers.python(place), processes=1, threads=1)


TARGET = Target(
    "scim2-server",
    peers.locked("scim2-server"),
    peers.in_memory("scim2-server", _command),
    {**peers.DOORS, "page of 100, deep by cursor": "its own configuration has no cursors"},
    most_people=peers.FULL,
    most_members=(1_000, "a change takes seconds"),
)
