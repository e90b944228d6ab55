"""The meaning of a filter, on one document in memory: what its SQL must agree with, and what mappings are judged by.

Decided where RFC 7644 leaves it open: `ne` is the opposite of `eq`, so it holds where there is no value; an attribute
that the schema doesn't have is refused, never taken for absent.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from provisioning.scim.compare import fold, fold_part
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.filter import And, Comparison, Filter, Not, Or, Present, ValuePath
from provisioning.scim.path import AttributePath
from provisioning.scim.schema import Attribute, Found, ResourceType
from provisioning.scim.values import instant

_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_NUMBERS = frozenset({"integer", "decimal"})
_IN_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "co": lambda have, want: want in have,
    "sw": str.startswith,
    "ew": str.endswith,
}


def matches(document: Mapping[str, Any], tree: Filter, resource_type: ResourceType) -> bool:
    """Whether a document meets a filter.

    Args:
        document: the resource, with the schema's own spelling of names.
        tree: the filter.
        resource_type: whose attributes the filter names.

    Raises:
        InvalidFilter: the filter names an unknown attribute, or compares one with what it can't be compared with.
    """
    return _holds(tree, lambda path: _from_resource(document, path, resource_type))


_Reader = Callable[[AttributePath], tuple[Attribute, list[Any]]]


def _holds(tree: Filter, read: _Reader) -> bool:
    """Every term is looked at, so that a filter is refused whatever the document holds."""
    match tree:
        case And(terms):
            return False not in [_holds(term, read) for term in terms]
        case Or(terms):
            return True in [_holds(term, read) for term in terms]
        case Not(term):
            return not _holds(term, read)
        case Present(path):
            return _any_value(read(path)[1])
        case Comparison(path, name, value):
            attribute, values = read(path)
            return _compare(attribute, values, name, value)
        case ValuePath(path, condition):
            return matches_element(read, path, condition)


def _any_value(values: list[Any]) -> bool:
    """Whether there is a value: the empty string is none (RFC 7644, table 3, on `pr`)."""
    return any(value not in (None, "", [], {}) for value in values)


def matches_element(read: _Reader, path: AttributePath, condition: Filter) -> bool:
    """Whether one element of a complex attribute meets the whole condition."""
    attribute, elements = read(path)
    if not attribute.sub_attributes:
        raise InvalidFilter(f"{path} has no sub-attributes to select by.")
    # An empty element is looked at in any case, so that the condition is refused whatever the document holds.
    results = [element_meets(element, condition, attribute) for element in [*elements, {}]]
    return any(results[:-1])


def element_meets(element: Mapping[str, Any], condition: Filter, attribute: Attribute) -> bool:
    """Whether one element of a multi-valued complex attribute meets a condition over its sub-attributes.

    Raises:
        InvalidFilter: the condition names what the attribute does not have.
    """

    def read(path: AttributePath) -> tuple[Attribute, list[Any]]:
        sub = attribute.sub(path.name) if path.urn is None and path.sub is None else None
        if sub is None:
            raise InvalidFilter(f"{attribute.name} has no sub-attribute {path}.")
        if sub.returned == "never":
            raise InvalidFilter(f"{attribute.name}.{sub.name} is not shown, and so not filtered by.")
        value = element.get(sub.name)
        return sub, [] if value is None else [value]

    return _holds(condition, read)


def _from_resource(
    document: Mapping[str, Any], path: AttributePath, resource_type: ResourceType
) -> tuple[Attribute, list[Any]]:
    found = resource_type.find(path.urn, path.name, path.sub)
    if found is None:
        raise InvalidFilter(f"A {resource_type.name} has no attribute {path}.")
    if found.leaf.returned == "never":
        raise InvalidFilter(f"{path} is not shown, and so not filtered by.")
    return found.leaf, _values(document, found)


def _values(document: Mapping[str, Any], found: Found) -> list[Any]:
    holder = document.get(found.extension, {}) if found.extension else document
    value = holder.get(found.attribute.name)
    elements = value if isinstance(value, list) else [] if value is None else [value]
    if found.sub is None:
        return elements
    return [element[found.sub.name] for element in elements if element.get(found.sub.name) is not None]


def _compare(attribute: Attribute, values: list[Any], name: str, wanted: Any) -> bool:
    if attribute.type == "complex":
        default = attribute.sub("value")
        if default is None:
            example = f"{attribute.name}.{attribute.sub_attributes[0].name}"
            raise InvalidFilter(f"{attribute.name} is compared by its sub-attributes, such as {example}.")
        parts = [value["value"] for value in values if value.get("value") is not None]
        return _compare(default, parts, name, wanted)
    require_comparable(attribute, name, wanted)
    if wanted is None:
        return _any_value(values) is (name == "ne")
    if name == "ne":
        return not any(compare_one(attribute, value, "eq", wanted) for value in values)
    return any(compare_one(attribute, value, name, wanted) for value in values)


def require_comparable(attribute: Attribute, name: str, wanted: Any) -> None:
    """Whether an attribute can be compared with a value in this way.

    Raises:
        InvalidFilter: it can't.
    """
    if wanted is None:
        if name not in {"eq", "ne"}:
            raise InvalidFilter(f"null is compared by eq or ne, not by {name}.")
        return
    if attribute.type in {"boolean", "binary"} and name not in {"eq", "ne"}:
        raise InvalidFilter(f"{attribute.name} is a {attribute.type}, which is compared by eq or ne.")
    if attribute.type in {"dateTime", *_NUMBERS} and name in _IN_TEXT:
        raise InvalidFilter(f"{attribute.name} is a {attribute.type}, which is not compared by {name}.")
    wanted_value(attribute, wanted)


def wanted_value(attribute: Attribute, wanted: Any, name: str = "eq") -> Any:
    """The value of a filter in the form in which the attribute's values are compared.

    Raises:
        InvalidFilter: it is not of the attribute's type.
    """
    if attribute.type == "boolean":
        truth = {"true": True, "false": False}.get(str(wanted).lower())
        if truth is None:
            raise InvalidFilter(f"{attribute.name} is compared with true or false, not with {wanted!r}.")
        return truth
    if attribute.type in _NUMBERS:
        return _number(wanted, attribute)
    if not isinstance(wanted, str):
        raise InvalidFilter(f"{attribute.name} is compared with a string in quotation marks, not with {wanted!r}.")
    if attribute.type == "dateTime":
        return _instant(wanted, attribute)
    if attribute.case_exact:
        return wanted
    return fold_part(wanted) if name in _IN_TEXT else fold(wanted)


def _number(wanted: Any, attribute: Attribute) -> int | float:
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        raise InvalidFilter(f"{attribute.name} is compared with a number, not with {wanted!r}.")
    return wanted


def _instant(text: str, attribute: Attribute) -> datetime:
    """A moment, whatever its zone; without one it is taken for UTC."""
    try:
        return instant(text)
    except ValueError:
        try:
            return instant(f"{text}Z")
        except ValueError:
            raise InvalidFilter(f"{attribute.name} is compared with a dateTime, which {text[:60]!r} is not.") from None


def compare_one(attribute: Attribute, value: Any, name: str, wanted: Any) -> bool:
    """Whether one value of an attribute compares in this way with the value of a filter."""
    have, want = wanted_value(attribute, value), wanted_value(attribute, wanted, name)
    if name == "eq":
        return bool(have == want)
    if name in _ORDERED:
        return _ORDERED[name](have, want)
    return _IN_TEXT[name](str(have), str(want))
