"""SCIMMY: what is stored is left to its user, and is kept in memory here, with an index of userNames: its best case."""

from __future__ import annotations

from benchmarks.targets import Place, Target, peers


def _command(place: Place, _port: int) -> list[str]:
    return ["node", str(peers.node(place) / "server.js")]


TARGET = Target(
    "SCIMMY",
    peers.locked("scimmy-routers"),
    peers.in_memory("scimmy", _command),
    {**peers.DOORS, "page of 100, deep by cursor": "it has no cursors"},
    most_people=peers.FULL,
    most_members=(1_000, "a change takes seconds"),
)
