"""Bulk requests (RFC 7644, section 3.7): reading one, which operation waits for which, and what names a `bulkId`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.scim.errors import Conflict, InvalidSyntax, InvalidValue, ScimError
from provisioning.scim.messages import BULK_REQUEST_URN

_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REFERENCE = "bulkid:"
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation: a method on an endpoint, or on one of its resources; `identifier` may name a bulkId."""

    method: str
    endpoint: str
    identifier: str | None
    bulk_id: str | None
    version: str | None
    data: Any


@dataclass(frozen=True, slots=True)
class Bulk:
    """A request: its operations as they were sent, to be read one by one, and after how many errors it stops."""

    operations: tuple[Any, ...]
    fail_on_errors: int | None


def parse_bulk(body: Mapping[str, Any]) -> Bulk:
    """Read the envelope.

    Raises:
        InvalidSyntax: it is no BulkRequest.
        InvalidValue: failOnErrors is no number of errors.
    """
    schemas = body.get("schemas")
    if not isinstance(schemas, list) or BULK_REQUEST_URN.lower() not in {str(urn).lower() for urn in schemas}:
        raise InvalidSyntax(f"`schemas` must hold {BULK_REQUEST_URN}.")
    operations = body.get("Operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("`Operations` must be a list of at least one operation.")
    most = body.get("failOnErrors")
    if most is not None and (type(most) is not int or most < 1):
        raise InvalidValue("failOnErrors must be a whole number, 1 or more.")
    return Bulk(tuple(operations), most)


def parse_operation(sent: Any) -> BulkOperation:
    """Read one operation.

    Raises:
        InvalidSyntax: it lacks what its method needs.
    """
    if not isinstance(sent, Mapping):
        raise InvalidSyntax("An operation must be an object.")
    method, path = str(sent.get("method", "")).upper(), sent.get("path")
    if method not in _METHODS:
        raise InvalidSyntax("method must be POST, PUT, PATCH or DELETE.")
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidSyntax("path must begin with /, such as /Users or /Users/{id}.")
    endpoint, _, identifier = path[1:].partition("/")
    if (method == "POST") != (identifier == "") or "/" in identifier:
        raise InvalidSyntax("path must be that of an endpoint for POST, and that of one resource for all others.")
    bulk_id, version, data = sent.get("bulkId"), sent.get("version"), sent.get("data")
    if method == "POST" and (not isinstance(bulk_id, str) or not bulk_id):
        raise InvalidSyntax("bulkId is needed for POST, and must be a string.")
    if version is not None and not isinstance(version, str):
        raise InvalidSyntax("version must be a string.")
    if method != "DELETE" and not isinstance(data, Mapping):
        raise InvalidSyntax("data must be an object.")
    own_id = bulk_id if isinstance(bulk_id, str) else None
    return BulkOperation(method, f"/{endpoint}", identifier or None, own_id, version, data)


@dataclass(frozen=True, slots=True)
class Plan:
    """The operations of a request, by number: those that can be read, why others can't, and what each waits for."""

    read: dict[int, BulkOperation]
    wrong: dict[int, ScimError]
    needs: dict[int, set[int]]


def plan(sent: Sequence[Any]) -> Plan:
    """Read operations, each by itself: one that can't be read doesn't spoil the others."""
    made = Plan({}, {}, {number: set() for number in range(len(sent))})
    made_by: dict[str, int] = {}
    named: dict[int, set[str]] = {}
    for number, one in enumerate(sent):
        try:
            operation = made.read[number] = parse_operation(one)
            named[number] = set(_named([operation.identifier, operation.data], 0))
            if operation.method == "POST":
                _claim(str(operation.bulk_id), number, made_by)
        except ScimError as error:
            made.wrong[number] = error
    for number in named.keys() - made.wrong.keys():
        if unknown := sorted(named[number] - made_by.keys()):
            made.wrong[number] = InvalidValue(f"No operation of this request has the bulkId {unknown[0][:100]!r}.")
        else:
            made.needs[number] = {made_by[bulk_id] for bulk_id in named[number]}
    return made


def _claim(bulk_id: str, number: int, made_by: dict[str, int]) -> None:
    if bulk_id in made_by:
        raise InvalidValue(f"The bulkId {bulk_id[:100]!r} is used twice.")
    made_by[bulk_id] = number


def _named(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise InvalidSyntax(f"data is nested more than {_DEEPEST} deep.")
    if isinstance(value, str) and value.lower().startswith(_REFERENCE):
        yield value[len(_REFERENCE) :]
    elif isinstance(value, Mapping | list):
        for below in value.values() if isinstance(value, Mapping) else value:
            yield from _named(below, depth + 1)


_GONE = object()


def resolved(value: Any, ids: Mapping[str, str], leave_out: Collection[str] = ()) -> Any:
    """A value with ids in place of bulkIds.

    Args:
        value: of an operation.
        ids: of the resources that have been made so far, by bulkId.
        leave_out: bulkIds that are still to come: what names one is left out, an element of a list or an attribute.

    Raises:
        Conflict: another bulkId has no resource.
    """
    found = _resolved(value, ids, leave_out)
    return None if found is _GONE else found


def _resolved(value: Any, ids: Mapping[str, str], leave_out: Collection[str]) -> Any:
    if isinstance(value, str) and value.lower().startswith(_REFERENCE):
        bulk_id = value[len(_REFERENCE) :]
        if bulk_id not in ids and bulk_id not in leave_out:
            raise Conflict(f"bulkId:{bulk_id[:100]} names an operation that made no resource.")
        return ids.get(bulk_id, _GONE)
    if isinstance(value, list):
        elements = [_resolved(element, ids, leave_out) for element in value]
        return [element for element in elements if element is not _GONE]
    if isinstance(value, Mapping):
        below = {name: _resolved(inner, ids, leave_out) for name, inner in value.items()}
        kept = {name: inner for name, inner in below.items() if inner is not _GONE}
        # A complex value without the part that names somebody says nothing.
        return _GONE if value and not kept else kept
    return value


def in_order(needs: Mapping[int, set[int]]) -> Iterator[list[int]]:
    """In which order operations are carried out: that of the request, but each after those whose resources it names.

    Args:
        needs: for each operation those whose resources it names.

    Yields:
        One operation alone, or all of those that name one another in a circle.
    """
    waiting = {number: named & needs.keys() for number, named in needs.items()}
    while waiting:
        ready = next((number for number, named in waiting.items() if not named & waiting.keys()), None)
        together = [ready] if ready is not None else sorted(_circle(waiting))
        for number in together:
            del waiting[number]
        yield together


def _circle(waiting: Mapping[int, set[int]]) -> set[int]:
    """Operations that all name one another, directly or not, and none that still waits beside them."""
    named_by: dict[int, set[int]] = {number: set() for number in waiting}
    for number, named in waiting.items():
        for other in named & waiting.keys():
            named_by[other].add(number)
    start = next(iter(waiting))
    while True:
        circle = _reachable(start, waiting) & _reachable(start, named_by)
        beyond = next((other for number in circle for other in waiting[number] & waiting.keys() - circle), None)
        if beyond is None:
            return circle
        start = beyond


def _reachable(start: int, ways: Mapping[int, set[int]]) -> set[int]:
    found, new = {start}, [start]
    while new:
        further = ways[new.pop()] & ways.keys() - found
        found |= further
        new.extend(further)
    return found
