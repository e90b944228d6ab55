"""Identity providers' cycles, call by call as these send them: the first with everybody, and one with some changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import orjson

from benchmarks import company
from benchmarks.company import BASE, World
from benchmarks.driver import Request, Script
from benchmarks.workloads import Workload, equal, founded, joined, joins, leaves, looked_up, must

_TEAM, _AT_ONCE = 40, 20


def _team_found(name: str) -> Script[str | None]:
    condition = quote(f'displayName eq "{name}"')
    request = Request("GET", f"{BASE}/Groups?excludedAttributes=members&filter={condition}")
    found = must((yield request), 200)
    resources = found.get("Resources", [])
    equal(len(resources), found["totalResults"], "the number of Resources")
    return str(resources[0]["id"]) if resources else None


def _changed(kind: str, identifier: str, document: dict[str, Any], method: str = "PATCH") -> Script[None]:
    must((yield Request(method, f"{BASE}/{kind}/{identifier}", orjson.dumps(document))), 200, 204)


def _entra_initial() -> Script[None]:
    """Each person is looked for and created; then the group is, and gets its members by the twenty."""
    people: list[str] = []
    for _ in range(_TEAM):
        name = company.new_name()
        equal((yield from looked_up(name)), None, "somebody new")
        people.append((yield from joined(name)))
    name = f"team-{uuid4()}"
    equal((yield from _team_found(name)), None, "a new group")
    group = yield from founded(name, ())
    for begin in range(0, len(people), _AT_ONCE):
        yield from _changed("Groups", group, joins(*people[begin : begin + _AT_ONCE]))


def _entra_incremental(world: World, number: int) -> Script[None]:
    """Somebody is looked for and changed, and joins a group and leaves it."""
    person = world.known[number * 37 % len(world.known)]
    equal((yield from looked_up(person.name)), person.id, "id")
    renamed = {"op": "replace", "path": "name.familyName", "value": f"King-{number}"}
    yield from _changed("Users", person.id, company.patch(renamed))
    joiner = world.outside[number % len(world.outside)].id
    for document in (joins(joiner), leaves(world, joiner)):
        yield from _changed("Groups", world.groups[company.GROUPS[0]], document)


def _okta_initial() -> Script[None]:
    """Each person is looked for and created; then a group is created with its members."""
    people: list[str] = []
    for _ in range(_TEAM):
        name = company.new_name()
        equal((yield from looked_up(name)), None, "somebody new")
        people.append((yield from joined(name)))
    yield from founded(f"team-{uuid4()}", people)


def _okta_incremental(world: World, number: int) -> Script[None]:
    """Somebody is read and replaced whole, and joins a group and leaves it."""
    person = world.known[number * 37 % len(world.known)]
    found = must((yield Request("GET", f"{BASE}/Users/{person.id}")), 200)
    equal(found["userName"], person.name, "userName")
    body = company.user(person.name, name={"familyName": f"King-{number}", "givenName": "Ada"})
    yield from _changed("Users", person.id, body, "PUT")
    joiner = world.outside[number % len(world.outside)].id
    for document in (joins(joiner), leaves(world, joiner)):
        yield from _changed("Groups", world.groups[company.GROUPS[0]], document)


def _begun(cycle: Callable[[], Script[None]]) -> Callable[[World, Any, int], Script[None]]:
    return lambda _world, _prepared, _number: cycle()


def _of(cycle: Callable[[World, int], Script[None]]) -> Callable[[World, Any, int], Script[None]]:
    return lambda world, _prepared, number: cycle(world, number)


CYCLES: Sequence[Workload] = (
    Workload("Entra ID: initial cycle", _begun(_entra_initial), target=0.6),
    Workload("Entra ID: incremental cycle", _of(_entra_incremental), members=10, target=0.6),
    Workload("Okta: initial cycle", _begun(_okta_initial)),
    Workload("Okta: incremental cycle", _of(_okta_incremental), members=10),
)
