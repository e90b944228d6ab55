"""The path of a PATCH operation (RFC 7644, section 3.5.2): which attribute, which elements, which part of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from provisioning.scim.errors import InvalidFilter, InvalidPath
from provisioning.scim.filter import Filter, parse_filter, to_text
from provisioning.scim.match import element_meets
from provisioning.scim.path import match_attribute
from provisioning.scim.schema import Attribute, Found, ResourceType

_LONGEST, _SHORT = 8192, 256


@dataclass(frozen=True, slots=True)
class Target:
    """Where an operation works."""

    extension: str | None
    attribute: Attribute
    condition: Filter | None = None
    sub: Attribute | None = None

    @property
    def leaf(self) -> Attribute:
        """What the path names in the end."""
        return self.sub or self.attribute

    def __str__(self) -> str:
        name = self.attribute.name if self.extension is None else f"{self.extension}:{self.attribute.name}"
        selected = name if self.condition is None else f"{name}[{to_text(self.condition)}]"
        return selected if self.sub is None else f"{selected}.{self.sub.name}"


def parse_target(text: str, resource_type: ResourceType) -> Target:
    """Read a path.

    Raises:
        InvalidPath: it can't be read, or names an attribute that the resource doesn't have.
    """
    if len(text) > _LONGEST:
        raise InvalidPath(f"A path has at most {_LONGEST} characters.")
    return (_parse_again if len(text) <= _SHORT else _parse)(text, resource_type)


def _parse(text: str, resource_type: ResourceType) -> Target:
    text = text.strip()
    opening = text.find("[")
    if opening < 0:
        found = _find(text, resource_type)
        return Target(found.extension, found.attribute, None, found.sub)
    closing = text.rfind("]")
    if closing < opening:
        raise InvalidPath(f"The path {text[:200]!r} opens a bracket that it does not close.")
    found = _find(text[:opening], resource_type)
    attribute = found.attribute
    if found.sub is not None or not attribute.multi_valued or not attribute.sub_attributes:
        raise InvalidPath(f"{attribute.name} has no elements to select from.")
    condition = _condition(text[opening + 1 : closing], attribute)
    return Target(found.extension, attribute, condition, _sub(text[closing + 1 :], attribute))


# Whatever puts a request right reads its paths, too. What is long is rare, and would fill the memory.
_parse_again = functools.lru_cache(maxsize=1024)(_parse)


def _find(text: str, resource_type: ResourceType) -> Found:
    path = match_attribute(text)
    found = None if path is None else resource_type.find(path.urn, path.name, path.sub)
    if found is None:
        raise InvalidPath(f"A {resource_type.name} has no attribute {text[:200]!r}.")
    return found


def _condition(text: str, attribute: Attribute) -> Filter:
    try:
        condition = parse_filter(text)
        element_meets({}, condition, attribute)
    except InvalidFilter as error:
        raise InvalidFilter(f"In {attribute.name}[...]: {error.detail}") from None
    return condition


def _sub(text: str, attribute: Attribute) -> Attribute | None:
    if not text:
        return None
    sub = attribute.sub(text[1:]) if text.startswith(".") else None
    if sub is None:
        raise InvalidPath(f"{attribute.name} has no sub-attribute {text[:200]!r}.")
    return sub
