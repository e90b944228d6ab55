"""What is asked of every target: each workload one value, with its request and what its answer must be."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import orjson

from benchmarks import company
from benchmarks.company import BASE, BULK_URN, Person, World
from benchmarks.driver import Answer, Request, Script, Wrong

PAGE, BULK = 100, 100
# A walk by cursor is measured this deep at the most: getting there takes time, too.
_DEEPEST = 20_000
_READ_BACK = 5


@dataclass(frozen=True, slots=True)
class Workload:
    """What is done again and again.

    Args:
        name: in the table.
        script: one turn of it, given the world, what was prepared, and the turn's number; None ends the run.
        prepare: done before it is measured; what it returns is given to each turn.
        after: done afterwards, with the number of turns: looks at what is left, and tidies up.
        members: how many the group has that it changes.
        at_once: how many clients do it.
        target: the least ratio to the floor that is wanted of the service, if one is.
    """

    name: str
    script: Callable[[World, Any, int], Script[None] | None]
    prepare: Callable[[World], Script[Any]] | None = None
    after: Callable[[World, Any, int], Script[None]] | None = None
    members: int | None = None
    at_once: int = 8
    target: float | None = None

    def turns(self, world: World, prepared: Any) -> Iterator[Script[None]]:
        """Its turns, without end or until there is nothing more to do."""
        for number in itertools.count():
            script = self.script(world, prepared, number)
            if script is None:
                return
            yield script


def must(answer: Answer, *statuses: int) -> Any:
    """The document of an answer of one of these statuses; None where there is none.

    Raises:
        Wrong: it has another.
    """
    if answer.status not in statuses:
        raise Wrong(f"{answer.status}, not {statuses[0]}: {answer.body[:300]!r}")
    return answer.document if answer.body else None


def equal(found: object, wanted: object, what: str) -> None:
    """Compare a part of an answer.

    Raises:
        Wrong: it is something else.
    """
    if found != wanted:
        raise Wrong(f"{what} is {found!r}, not {wanted!r}"[:300])


def _json(method: str, path: str, document: Any) -> Request:
    return Request(method, f"{BASE}{path}", orjson.dumps(document))


def _filtered(resources: str, condition: str) -> Request:
    return Request("GET", f"{BASE}/{resources}?filter={quote(condition)}")


def _turn(of: Sequence[Person], number: int) -> Person:
    # Steps of a prime: clients that are at it at once are not at the same row.
    return of[number * 37 % len(of)]


def create(_world: World, _prepared: Any, _number: int) -> Script[None]:
    """Create a user."""
    yield from joined(company.new_name())


def joined(name: str, **changed: Any) -> Script[str]:
    """Somebody new; returns the id."""
    made = must((yield _json("POST", "/Users", company.user(name, **changed))), 201)
    equal(made["userName"], name, "userName")
    return str(made["id"])


def read(world: World, _prepared: Any, number: int) -> Script[None]:
    """Get a user by id."""
    person = _turn(world.known, number)
    found = must((yield Request("GET", f"{BASE}/Users/{person.id}")), 200)
    equal((found["id"], found["userName"]), (person.id, person.name), "id and userName")


def hit(world: World, _prepared: Any, number: int) -> Script[None]:
    """Look somebody up by userName who is there."""
    person = _turn(world.known, number)
    found = yield from looked_up(person.name)
    equal(found, person.id, "id")


def miss(_world: World, _prepared: Any, _number: int) -> Script[None]:
    """Look somebody up by userName who is not there."""
    equal((yield from looked_up(company.new_name())), None, "id")


def looked_up(name: str) -> Script[str | None]:
    """The id of whoever has a userName."""
    found = must((yield _filtered("Users", f'userName eq "{name}"')), 200)
    resources = found.get("Resources", [])
    equal(len(resources), found["totalResults"], "the number of Resources")
    if not resources:
        return None
    equal((len(resources), resources[0]["userName"]), (1, name), "userName")
    return str(resources[0]["id"])


def _page(query: str) -> Callable[[World, Any, int], Script[None]]:
    def script(world: World, prepared: Any, _number: int) -> Script[None]:
        start = world.people - PAGE
        asked = query.format(start=start, cursor=prepared, count=PAGE)
        found = must((yield Request("GET", f"{BASE}/Users?{asked}")), 200)
        equal(len(found["Resources"]), PAGE, "the number of Resources")
        if found["totalResults"] < world.people:
            raise Wrong(f"totalResults is {found['totalResults']}, and {world.people} are there")

    return script


def _walk(world: World) -> Script[str]:
    """The cursor of a deep page: half the list away, but not farther than `_DEEPEST`."""
    cursor = ""
    for _ in range(max(1, min(world.people // 2, _DEEPEST) // PAGE)):
        found = must((yield Request("GET", f"{BASE}/Users?count={PAGE}&cursor={quote(cursor)}")), 200)
        if "nextCursor" not in found:
            raise Wrong("there is no nextCursor")
        cursor = found["nextCursor"]
    return quote(cursor)


def change(world: World, prepared: dict[str, str], number: int) -> Script[None]:
    """PATCH one attribute of a user."""
    person, name = _turn(world.known, number), f"Lovelace-{number:07d}"
    operation = {"op": "replace", "path": "name.familyName", "value": name}
    changed = must((yield _json("PATCH", f"/Users/{person.id}", company.patch(operation))), 200, 204)
    if changed is not None:
        equal((changed["id"], changed["name"]["familyName"]), (person.id, name), "id and familyName")
    prepared[person.id] = name


def replace(world: World, prepared: dict[str, str], number: int) -> Script[None]:
    """PUT a user."""
    person, name = _turn(world.known, number), f"Byron-{number:07d}"
    body = company.user(person.name, name={"familyName": name, "givenName": "Ada"})
    changed = must((yield _json("PUT", f"/Users/{person.id}", body)), 200)
    equal((changed["id"], changed["name"]["familyName"]), (person.id, name), "id and familyName")
    prepared[person.id] = name


def _nothing_yet(_world: World) -> Script[dict[str, str]]:
    return {}
    yield


def _read_back(_world: World, prepared: dict[str, str], turns: int) -> Script[None]:
    """Whether what was changed is there; a person of fewer turns than people was changed by one client alone."""
    for identifier, name in list(prepared.items())[:_READ_BACK] if turns <= len(prepared) else ():
        found = must((yield Request("GET", f"{BASE}/Users/{identifier}")), 200)
        equal(found["name"]["familyName"], name, "familyName, read back")


def joins(*people: str) -> dict[str, Any]:
    """A PATCH that adds members."""
    return _members("add", people)


def leaves(world: World, person: str) -> dict[str, Any]:
    """A PATCH that takes a member out, as the target wants it."""
    by_path = {"op": "remove", "path": f'members[value eq "{person}"]'}
    return company.patch(by_path) if world.removes_by_path else _members("remove", [person])


def _members(operation: str, people: Sequence[str]) -> dict[str, Any]:
    named = [{"value": identifier} for identifier in people]
    return company.patch({"op": operation, "path": "members", "value": named})


def _one_member(size: int) -> Workload:
    """Add one member to a group of a size and take them out again, which leaves the group as it was."""

    def script(world: World, _prepared: Any, number: int) -> Script[None]:
        person, path = world.outside[number % len(world.outside)], f"/Groups/{world.groups[size]}"
        for document in (joins(person.id), leaves(world, person.id)):
            must((yield _json("PATCH", path, document)), 200, 204)

    def after(world: World, _prepared: Any, _turns: int) -> Script[None]:
        yield from _has_members(world.groups[size], size)

    return Workload(f"group of {size:,}: add or remove one", script, None, after, size, at_once=1, target=0.6)


def _has_members(group: str, size: int) -> Script[None]:
    found = must((yield Request("GET", f"{BASE}/Groups/{group}")), 200)
    equal(len(found.get("members", [])), size, "the number of members")


def _small_group(world: World) -> Script[str]:
    members = [person.id for person in world.outside[:10]]
    yield from ()
    return (yield from founded(f"writers-{uuid4()}", members))


def founded(name: str, members: Sequence[str]) -> Script[str]:
    """A new group; returns its id."""
    made = must((yield _json("POST", "/Groups", company.group(name, members))), 201)
    equal(made["displayName"], name, "displayName")
    return str(made["id"])


def _write_at_once(world: World, group: str, number: int) -> Script[None] | None:
    """Eight clients add members to one group, each another one."""
    people = world.outside[10:]
    return _added(group, people[number].id) if number < len(people) else None


def _added(group: str, person: str) -> Script[None]:
    must((yield _json("PATCH", f"/Groups/{group}", joins(person))), 200, 204)


def _none_lost(_world: World, group: str, turns: int) -> Script[None]:
    yield from _has_members(group, 10 + turns)


def _group_alone(size: int) -> Workload:
    def script(world: World, _prepared: Any, _number: int) -> Script[None]:
        path = f"{BASE}/Groups/{world.groups[size]}?excludedAttributes=members"
        found = must((yield Request("GET", path)), 200)
        equal((found["id"], found.get("members")), (world.groups[size], None), "id and members")

    return Workload(f"read a group of {size:,} without members", script, members=size, target=0.7)


def _create_group(world: World, _prepared: Any, number: int) -> Script[None]:
    # Of those who are in no group, so that nobody whom others ask for is in ever more of them.
    return _of_many(f"many-{number}-{uuid4()}", [person.id for person in world.outside])


def _of_many(name: str, people: Sequence[str]) -> Script[None]:
    yield from founded(name, people)


def _bulk(_world: World, _prepared: Any, _number: int) -> Script[None]:
    names = [company.new_name() for _ in range(BULK)]
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": name.partition("@")[0], "data": company.user(name)}
        for name in names
    ]
    answer = yield _json("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": operations})
    results = must(answer, 200)["Operations"]
    equal([result["status"] for result in results], ["201"] * BULK, "the statuses")


def _evaluate(world: World, _prepared: Any, _number: int) -> Script[None]:
    found = must((yield _beside(world, "/access/v1/evaluation", world.evaluation, "application/json")), 200)
    equal(found, {"decision": True}, "the answer")


def _introspect(world: World, _prepared: Any, _number: int) -> Script[None]:
    form = "application/x-www-form-urlencoded"
    found = must((yield _beside(world, "/oauth/introspect", world.introspection, form)), 200)
    if found["active"] is not True:
        raise Wrong(f"the token is not active: {found}")


def _beside(world: World, path: str, body: bytes, content_type: str) -> Request:
    """A request at a door beside SCIM's."""
    return Request("POST", path, body, content_type, world.doors.get(path))


WORKLOADS: tuple[Workload, ...] = (
    Workload("create a user", create, target=0.6),
    Workload("get a user", read, target=0.7),
    Workload("look up, there", hit, target=0.7),
    Workload("look up, not there", miss, target=0.7),
    Workload("page of 100, first", _page("count={count}"), target=0.6),
    Workload("page of 100, deep by index", _page("count={count}&startIndex={start}"), target=0.6),
    Workload("page of 100, deep by cursor", _page("count={count}&cursor={cursor}"), _walk, target=0.6),
    Workload("PATCH a user", change, _nothing_yet, _read_back, target=0.6),
    Workload("PUT a user", replace, _nothing_yet, _read_back),
    *(_one_member(size) for size in company.GROUPS),
    Workload("one group, eight writers at once", _write_at_once, _small_group, _none_lost, 10),
    *(_group_alone(size) for size in company.GROUPS),
    Workload("create a group of 1,000", _create_group, at_once=2),
    Workload("Bulk of 100", _bulk, at_once=2),
    Workload("access check", _evaluate, target=0.7),
    Workload("introspection", _introspect, target=0.7),
)
