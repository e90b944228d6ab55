"""PATCH (RFC 7644, section 3.5.2) as a plan: operations in, a small value out that says what is to change.

What concerns a Group's members becomes a `MembersDelta`, which storage carries out on the rows concerned; the rest is
applied to the document, which is small. Everything that can be refused without looking at what is stored is refused
while parsing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.scim.document import member_ids, refuse_groups
from provisioning.scim.errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget
from provisioning.scim.filter import Comparison, Filter, Or
from provisioning.scim.path import match_attribute
from provisioning.scim.schema import ResourceType
from provisioning.scim.target import Target, parse_target
from provisioning.scim.values import dropped_parts, read_element, read_value, unassigned

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ADD, REPLACE, REMOVE = "add", "replace", "remove"
_OPERATIONS = frozenset({ADD, REPLACE, REMOVE})


@dataclass(frozen=True, slots=True)
class Operation:
    """One change at one target; `value` is of the target's type, and None where there is none."""

    op: str
    target: Target
    value: Any = None


@dataclass(frozen=True, slots=True)
class MembersDelta:
    """First everybody out if `cleared`, then `removed` out, then `added` in; nobody is in both."""

    cleared: bool = False
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """A PATCH as it is carried out."""

    on_document: tuple[Operation, ...] = ()
    members: MembersDelta | None = None
    # What the values held and no schema knows: dropped, and told to whoever keeps logs.
    ignored: tuple[str, ...] = ()

    @property
    def attributes(self) -> frozenset[tuple[str | None, str]]:
        """The attributes of the document that are concerned."""
        return frozenset((op.target.extension, op.target.attribute.name) for op in self.on_document)


def parse_patch(body: Any, resource_type: ResourceType) -> Changes:
    """Read a PATCH.

    Raises:
        InvalidSyntax: the body is no PatchOp.
        InvalidPath, NoTarget, Mutability, InvalidValue, InvalidFilter: an operation can't be done.
    """
    on_document: list[Operation] = []
    on_members: list[Operation] = []
    ignored: list[str] = []
    for number, sent in enumerate(_operations(body)):
        for operation in _read(sent, number, resource_type, ignored):
            is_members = _is_members(operation.target, resource_type)
            (on_members if is_members else on_document).append(operation)
    return Changes(tuple(on_document), _fold(on_members) if on_members else None, tuple(ignored))


def _is_members(target: Target, resource_type: ResourceType) -> bool:
    return target.attribute.name == "members" and resource_type.name == "Group"


def _operations(body: Any) -> Sequence[Any]:
    if not isinstance(body, Mapping):
        raise InvalidSyntax("The body must be a JSON object.")
    schemas = body.get("schemas")
    if not isinstance(schemas, list) or PATCH_URN.lower() not in {str(urn).lower() for urn in schemas}:
        raise InvalidSyntax(f"`schemas` must hold {PATCH_URN}.")
    operations = body.get("Operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("`Operations` must be a list of at least one operation.")
    return operations


def _read(sent: Any, number: int, resource_type: ResourceType, ignored: list[str]) -> Iterator[Operation]:
    """An operation of the body; one without a path is one for each attribute of its value."""
    if not isinstance(sent, Mapping):
        raise InvalidSyntax(f"Operations[{number}] must be an object.")
    op, path, value = sent.get("op"), sent.get("path"), sent.get("value")
    if not isinstance(op, str) or op not in _OPERATIONS:
        raise InvalidSyntax(f"Operations[{number}].op must be add, replace or remove.")
    if path is not None and not isinstance(path, str):
        raise InvalidPath(f"Operations[{number}].path must be a string.")
    if op != REMOVE and "value" not in sent:
        raise InvalidValue(f"Operations[{number}] has no value to {op}.")
    extension = resource_type.extension(path) if path else None
    if extension is not None:
        # The path of a whole extension: what is sent for it stands in the value, as if there were no path.
        path, value = None, {extension.id: None if op == REMOVE else value}
    elif op == REMOVE and not path:
        raise NoTarget(f"Operations[{number}] removes, and names no path.")
    if path:
        target = parse_target(path, resource_type)
        yield from _operation(op, target, value, number)
        ignored.extend(_dropped(target, value))
        return
    if not isinstance(value, Mapping):
        raise InvalidValue(f"Operations[{number}] has no path, so its value must be an object of attributes.")
    for name, below in value.items():
        yield from _without_path(op, name, below, number, resource_type, ignored)


def _dropped(target: Target, value: Any) -> Iterator[str]:
    """The parts of a target's value that no schema knows; which element was meant is a value, and told to nobody."""
    attribute = Target(target.extension, target.attribute)
    return dropped_parts(target.attribute, value, place=str(attribute)) if target.sub is None else iter(())


def _without_path(
    op: str, name: str, value: Any, number: int, resource_type: ResourceType, ignored: list[str]
) -> Iterator[Operation]:
    """One attribute, or extension, of a value without a path; unknown ones are ignored, as in a whole resource."""
    extension = resource_type.extension(name)
    if extension is None:
        path = match_attribute(name)
        is_known = path is None or resource_type.find(path.urn, path.name, path.sub) is not None
        if name.lower() == "schemas":
            return
        if not is_known:
            ignored.append(name)
            return
        target = parse_target(name, resource_type)
        ignored.extend(_dropped(target, value))
        # Null is no empty list here, as in a whole resource: who knows nothing of the members puts nobody out.
        if value is not None or not _is_members(target, resource_type):
            yield from _operation(op, target, value, number)
    elif value is None:
        # No value for an extension is none for all of it, and then nothing of it is required either.
        for attribute in extension.attributes:
            yield Operation(REMOVE, Target(extension.id, attribute))
    elif isinstance(value, Mapping):
        for inner, below in value.items():
            if extension.attribute(inner.partition(".")[0]) is None:
                ignored.append(f"{extension.id}:{inner}")
                continue
            target = parse_target(f"{extension.id}:{inner}", resource_type)
            ignored.extend(_dropped(target, below))
            yield from _operation(op, target, below, number)
    else:
        raise InvalidValue(f"{extension.id} must be an object.")


def _operation(op: str, target: Target, value: Any, number: int) -> Iterator[Operation]:
    """What is to be done at one target: nothing, where nothing is added."""
    leaf = target.leaf
    if "readOnly" in {leaf.mutability, target.attribute.mutability}:
        raise Mutability(f"{target} is read-only.")
    if op == REMOVE:
        if leaf.required and target.condition is None:
            raise Mutability(f"{target} is required, and can't be removed.")
        yield Operation(op, target, _listed(target, value))
        return
    if target.condition is not None and target.sub is None:
        read = read_element(target.attribute, value)
        if read is None and value is not None:
            raise InvalidValue(f"Operations[{number}]: {target} is an element, which needs a value of its own.")
    else:
        read = read_value(leaf, value, place=str(target))
    if leaf.type == "complex" and not leaf.multi_valued and isinstance(value, Mapping):
        yield from _parts(op, target, read, value)
        return
    if read is None and leaf.required:
        raise InvalidValue(f"Operations[{number}]: {target} is required, and can't be left without a value.")
    if read is not None or op == REPLACE:
        yield Operation(op, target, read)


def _parts(op: str, target: Target, read: Any, sent: Mapping[str, Any]) -> Iterator[Operation]:
    """What is sent of a single complex attribute: parts with a value are set, those that are null are removed."""
    if read is not None:
        yield Operation(op, target, read)
    for name, value in sent.items():
        sub = target.attribute.sub(name)
        if op == REPLACE and sub is not None and sub.mutability != "readOnly" and unassigned(value):
            yield Operation(REMOVE, Target(target.extension, target.attribute, None, sub))


def _listed(target: Target, value: Any) -> Any:
    """The elements that a remove names in its value: not in the RFC, sent by several, and never to be taken for all."""
    if value is None or not target.attribute.multi_valued or target.sub is not None or target.condition is not None:
        return None
    return read_value(target.attribute, value, place=str(target)) or []


def _fold(operations: Sequence[Operation]) -> MembersDelta:
    """Operations on members, one after another, as one change."""
    cleared = False
    added: dict[str, None] = {}
    removed: dict[str, None] = {}
    for operation in operations:
        everybody, ids = _concerned(operation)
        if everybody:
            cleared, added, removed = True, {}, {}
        for member in ids:
            goes_in = operation.op != REMOVE
            (removed if goes_in else added).pop(member, None)
            (added if goes_in else removed)[member] = None
    return MembersDelta(cleared, tuple(added), tuple(removed))


def _concerned(operation: Operation) -> tuple[bool, tuple[str, ...]]:
    """Whether an operation first empties the group, and the members that it names."""
    target, value = operation.target, operation.value
    if target.condition is not None:
        if operation.op != REMOVE or target.sub is not None:
            raise Mutability("A member can be added or removed, not changed: add to `members`, or remove from it.")
        return False, tuple(_named(target.condition))
    if target.sub is not None:
        raise InvalidPath("Members are added and removed whole: use the path `members`.")
    if operation.op == REMOVE:
        return (True, ()) if value is None else (False, member_ids(value))
    refuse_groups(value or [])
    return operation.op == REPLACE, member_ids(value or [])


def _named(condition: Filter) -> Iterator[str]:
    """The ids that a condition on members names: `value eq "..."`, or several of these joined by `or`."""
    terms = condition.terms if isinstance(condition, Or) else (condition,)
    for term in terms:
        is_id = isinstance(term, Comparison) and str(term.path).lower() == "value" and term.operator == "eq"
        if not is_id or not isinstance(term, Comparison) or not isinstance(term.value, str):
            raise InvalidFilter('Members are selected by their id: members[value eq "..."].')
        yield term.value
