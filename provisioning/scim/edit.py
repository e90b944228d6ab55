"""Carries the operations of a PATCH out on a document: on a copy, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from provisioning.scim.document import check
from provisioning.scim.errors import NoTarget
from provisioning.scim.filter import And, Comparison, Filter
from provisioning.scim.match import element_meets
from provisioning.scim.patch import ADD, REMOVE, REPLACE, Changes, Operation
from provisioning.scim.schema import Attribute, ResourceType
from provisioning.scim.search import comparable
from provisioning.scim.target import Target
from provisioning.scim.values import unassigned

_Elements = list[dict[str, Any]]


def apply(changes: Changes, document: Mapping[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """The document as it is after the changes; equal to what it was where they change nothing.

    Args:
        changes: as `patch.parse_patch` read them; what they say of members is not looked at.
        document: the stored one, which is left alone.
        resource_type: whose document it is.

    Raises:
        NoTarget: an operation selects elements, and there are none.
        InvalidValue: the outcome may not be stored.
    """
    # A copy by way of the text takes a fifth of the time that one by way of the objects does.
    changed: dict[str, Any] = orjson.loads(orjson.dumps(dict(document)))
    for operation in changes.on_document:
        target = operation.target
        holder = changed if target.extension is None else changed.setdefault(target.extension, {})
        _carry_out(operation, holder)
        if target.extension is not None and not holder:
            del changed[target.extension]
    check(changed, resource_type)
    return changed


def _carry_out(operation: Operation, holder: dict[str, Any]) -> None:
    target, name = operation.target, operation.target.attribute.name
    if target.condition is not None:
        holder[name] = _with_values(_on_selected(operation, holder.get(name, [])))
    elif target.sub is not None:
        holder[name] = _on_sub(operation, holder.get(name))
    elif operation.op == REMOVE:
        _remove(operation, holder)
    elif target.attribute.multi_valued:
        holder[name] = _on_list(operation, holder.get(name, []))
    else:
        holder[name] = _on_single(operation, holder.get(name))
    if unassigned(holder.get(name)):
        holder.pop(name, None)


def _remove(operation: Operation, holder: dict[str, Any]) -> None:
    """All of an attribute, or of its elements those that the value lists."""
    name = operation.target.attribute.name
    if operation.value is None:
        holder.pop(name, None)
    elif name in holder:
        attribute = operation.target.attribute
        listed = [comparable(attribute, wanted) for wanted in operation.value]
        holder[name] = [one for one in holder[name] if not _is_listed(comparable(attribute, one), listed)]


def _is_listed(element: Any, listed: list[Any]) -> bool:
    if not isinstance(element, dict):
        return element in listed
    return any(all(element.get(name) == value for name, value in wanted.items()) for wanted in listed)


def _on_single(operation: Operation, before: Any) -> Any:
    """RFC 7644, 3.5.2.1 and 3.5.2.3: of a complex attribute the parts that are sent change, and the others stay."""
    if isinstance(before, dict) and isinstance(operation.value, dict):
        return {**before, **operation.value}
    return operation.value


def _on_list(operation: Operation, before: list[Any]) -> list[Any]:
    new = operation.value or []
    if operation.op == REPLACE:
        return list(new)
    added = [element for number, element in enumerate(new) if element not in before and element not in new[:number]]
    return _one_primary([*before, *added], chosen=added)


def _on_sub(operation: Operation, before: Any) -> Any:
    """A sub-attribute: of a single complex attribute, or of every element of a multi-valued one."""
    target = operation.target
    if not target.attribute.multi_valued:
        return _with_sub(operation, before or {})
    if not before and operation.op != REMOVE and operation.value is not None:
        return [{_sub(target).name: operation.value}]
    return _with_values([_with_sub(operation, element) for element in before or []])


def _with_values(elements: _Elements) -> _Elements:
    """An element without any value is none (RFC 7643, section 2.5)."""
    return [element for element in elements if not unassigned(element)]


def _with_sub(operation: Operation, element: dict[str, Any]) -> dict[str, Any]:
    name = _sub(operation.target).name
    rest = {key: value for key, value in element.items() if key != name}
    return rest if operation.op == REMOVE or operation.value is None else {**rest, name: operation.value}


def _sub(target: Target) -> Attribute:
    if target.sub is None:
        raise ValueError("the target names no sub-attribute")
    return target.sub


def _on_selected(operation: Operation, before: _Elements) -> _Elements:
    """The elements that meet the condition, changed or taken out."""
    target = operation.target
    condition = target.condition
    if condition is None:
        raise ValueError("the target selects nothing")
    selected = [element_meets(element, condition, target.attribute) for element in before]
    if not any(selected):
        nothing_to_say = operation.op == REMOVE or operation.value is None
        if nothing_to_say:
            return before
        made = _created(operation, condition)
        return _one_primary([*before, *made], chosen=made)
    after: _Elements = []
    chosen: _Elements = []
    for element, is_selected in zip(before, selected, strict=True):
        if not is_selected:
            after.append(element)
        elif (changed := _changed(operation, element)) is not None:
            after.append(changed)
            chosen.append(changed)
    return _one_primary(after, chosen=chosen)


def _changed(operation: Operation, element: dict[str, Any]) -> dict[str, Any] | None:
    if operation.target.sub is not None:
        return _with_sub(operation, element)
    if operation.op == REMOVE:
        return None
    return {**element, **(operation.value or {})} if operation.op == ADD else operation.value


def _created(operation: Operation, condition: Filter) -> _Elements:
    """A new element that meets the condition: RFC 7644 says noTarget, but identity providers rely on it being made."""
    seed: dict[str, Any] = {}
    for term in condition.terms if isinstance(condition, And) else (condition,):
        if not isinstance(term, Comparison) or term.operator != "eq" or term.value is None:
            raise NoTarget(f"No element meets {operation.target}.")
        sub = operation.target.attribute.sub(term.path.name)
        if sub is not None:
            seed[sub.name] = str(term.value).lower() == "true" if sub.type == "boolean" else term.value
    made = _with_sub(operation, seed) if operation.target.sub is not None else {**seed, **(operation.value or {})}
    if not element_meets(made, condition, operation.target.attribute):
        raise NoTarget(f"No element meets {operation.target}, and what was sent would not, either.")
    return [made]


def _one_primary(elements: list[Any], *, chosen: list[Any]) -> list[Any]:
    """Where a chosen element has become primary, no other is (RFC 7644, section 3.5.2)."""
    if not any(isinstance(element, dict) and element.get("primary") for element in chosen):
        return elements
    return [
        {**element, "primary": False}
        if isinstance(element, dict) and element.get("primary") and element not in chosen
        else element
        for element in elements
    ]
