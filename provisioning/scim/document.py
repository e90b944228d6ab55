"""A resource's body, as sent to create or replace it (RFC 7644, sections 3.3 and 3.5.1), becomes what is stored."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.scim.errors import InvalidSyntax, InvalidValue, Mutability
from provisioning.scim.schema import Attribute, ResourceType
from provisioning.scim.values import dropped_parts, read_value, refuse_two_primaries, unassigned

_GROUPS_ADDRESS = re.compile(r"(^|/)groups/[^/]+/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it is stored: only known, writable attributes that have a value, in the schema's spelling."""

    document: dict[str, Any]
    # The ids of a Group's members in the order sent, each once; None where the body says nothing of members.
    members: tuple[str, ...] | None = None
    # What the body held and a client can't write, or the schema doesn't know: dropped, and told to whoever keeps logs.
    ignored: tuple[str, ...] = ()


def read_resource(body: Any, resource_type: ResourceType) -> Resource:
    """Read and check a body.

    Read-only attributes are ignored, as RFC 7644, section 3.3 demands; so are unknown ones.

    Raises:
        InvalidSyntax: the body is no object, or doesn't list its schemas.
        InvalidValue: a value is not of its attribute's type, or a required one is missing.
    """
    if not isinstance(body, Mapping):
        raise InvalidSyntax("The body must be a JSON object.")
    _require_schemas(body)
    document: dict[str, Any] = {}
    ignored: list[str] = []
    for name, sent, attribute, holder in _attributes(body, resource_type, document, ignored):
        if attribute.name in holder:
            raise InvalidValue(f"{name} is given twice.")
        value = read_value(attribute, sent)
        if value is not None:
            holder[attribute.name] = value
        ignored.extend(dropped_parts(attribute, sent, place=name))
    # Null is no empty list here: a client that knows nothing of the members must not put everybody out.
    is_told = any(name.lower() == "members" and value is not None for name, value in body.items())
    members = _take_members(document, sent_at_all=is_told)
    document = {name: value for name, value in document.items() if not unassigned(value)}
    check(document, resource_type)
    return Resource(document, members, tuple(ignored))


def _require_schemas(body: Mapping[str, Any]) -> None:
    schemas = next((value for name, value in body.items() if name.lower() == "schemas"), None)
    if not isinstance(schemas, list) or not schemas or not all(isinstance(urn, str) for urn in schemas):
        raise InvalidSyntax("The body must list the URNs of its schemas in `schemas`.")


def _attributes(
    body: Mapping[str, Any], resource_type: ResourceType, document: dict[str, Any], ignored: list[str]
) -> Iterator[tuple[str, Any, Attribute, dict[str, Any]]]:
    """The body's attributes that are known and writable, each with the object that it is to be put into."""
    for name, sent in body.items():
        if name.lower() == "schemas":
            continue
        extension = resource_type.extension(name)
        if extension is None:
            found = resource_type.find(None, name)
            if found is None or found.attribute.mutability == "readOnly":
                ignored.append(name)
            else:
                yield name, sent, found.attribute, document
            continue
        if sent is not None and not isinstance(sent, Mapping):
            raise InvalidValue(f"{extension.id} must be an object.")
        for below, value in (sent or {}).items():
            attribute = extension.attribute(below)
            if attribute is None or attribute.mutability == "readOnly":
                ignored.append(f"{extension.id}:{below}")
            else:
                yield f"{extension.id}:{below}", value, attribute, document.setdefault(extension.id, {})


def _take_members(document: dict[str, Any], *, sent_at_all: bool) -> tuple[str, ...] | None:
    """Members are rows of a table, not part of the document."""
    elements = document.pop("members", [])
    refuse_groups(elements)
    return member_ids(elements) if sent_at_all else None


def refuse_groups(elements: list[dict[str, Any]]) -> None:
    """Members of a Group may be Groups by RFC 7643, section 4.2; here they are people, and a Group says so itself.

    Raises:
        InvalidValue: an element is a Group, by its type or its address.
    """
    for number, element in enumerate(elements):
        if element.get("type", "").lower() == "group" or _GROUPS_ADDRESS.search(element.get("$ref", "")):
            raise InvalidValue(
                f"members[{number}]: a Group can't be a member of a Group here; send the people who are in it."
            )


def member_ids(elements: list[dict[str, Any]]) -> tuple[str, ...]:
    """The ids of members, each once.

    Raises:
        InvalidValue: an element names nobody.
    """
    ids: dict[str, None] = {}
    for number, element in enumerate(elements):
        if "value" not in element:
            raise InvalidValue(f"members[{number}].value: the id of a User is missing.")
        ids[element["value"]] = None
    return tuple(ids)


def check(document: Mapping[str, Any], resource_type: ResourceType) -> None:
    """Whether a document may be stored: what is required is there, and at most one element is primary.

    Raises:
        InvalidValue: it may not.
    """
    _check(document, resource_type.schema.attributes)
    for extension in resource_type.extensions:
        if extension.id in document:
            _check(document[extension.id], extension.attributes, f"{extension.id}:")


def _check(values: Mapping[str, Any], attributes: Iterable[Attribute], place: str = "") -> None:
    for attribute in attributes:
        value = values.get(attribute.name)
        if attribute.required and (value is None or not str(value).strip()):
            raise InvalidValue(f"{place}{attribute.name} is required.")
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, dict):
                _check(element, attribute.sub_attributes, f"{place}{attribute.name}.")
        if attribute.multi_valued and value:
            refuse_two_primaries(attribute, value)


def keep_immutable(before: Mapping[str, Any], after: Mapping[str, Any], resource_type: ResourceType) -> None:
    """What is immutable may be given a value once (RFC 7643, section 7), and is not changed or taken away after that.

    Raises:
        Mutability: it was.
    """
    for extension, attribute in _immutable(resource_type):
        name = attribute.name if extension is None else f"{extension}:{attribute.name}"
        had, has = (_value(document, extension, attribute) for document in (before, after))
        if attribute.mutability == "immutable":
            if had is not None and has != had:
                raise Mutability(f"{name} has a value, and can't be changed.")
        elif isinstance(had, dict):
            for sub in attribute.sub_attributes:
                if sub.mutability == "immutable" and sub.name in had and (has or {}).get(sub.name) != had[sub.name]:
                    raise Mutability(f"{name}.{sub.name} has a value, and can't be changed.")


def _value(document: Mapping[str, Any], extension: str | None, attribute: Attribute) -> Any:
    return (document.get(extension, {}) if extension else document).get(attribute.name)


@functools.lru_cache(maxsize=1024)
def _immutable(resource_type: ResourceType) -> tuple[tuple[str | None, Attribute], ...]:
    """The attributes that are immutable, or have a part that is; a Group's members are rows, not part of a document."""
    return tuple(
        (extension, attribute)
        for extension, attribute in resource_type.every()
        if "immutable" in {attribute.mutability, *(sub.mutability for sub in attribute.sub_attributes)}
    )
