"""Schema extensions of one's own (RFC 7643, section 3.3), read from the very form in which `/Schemas` shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.errors import InvalidValue
from provisioning.scim.schema import Attribute, ResourceType, Schema
from provisioning.scim.values import read_value

MOST_ATTRIBUTES = 100
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,31}(:[A-Za-z0-9._-]+)+", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]{0,63}|\$ref)", re.ASCII)
_RESERVED = "urn:ietf:"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "type": ("string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"),
    "mutability": ("readWrite", "readOnly", "immutable", "writeOnly"),
    "returned": ("default", "always", "never", "request"),
    "uniqueness": ("none", "server", "global"),
}

# RFC 7643, section 7: the attributes of an attribute.
_CHARACTERISTICS = (
    Attribute("name", "How it is called.", required=True, case_exact=True),
    *(Attribute(name, "One of a few words.", canonical_values=words) for name, words in _CHOICES.items()),
    Attribute("description", "What it is for."),
    *(Attribute(name, "Yes or no.", "boolean") for name in ("multiValued", "required", "caseExact")),
    *(Attribute(name, "Texts.", multi_valued=True) for name in ("canonicalValues", "referenceTypes")),
)
_SUB_ATTRIBUTES = Attribute(
    "subAttributes", "Its parts.", "complex", multi_valued=True, sub_attributes=_CHARACTERISTICS
)
_ATTRIBUTES = Attribute(
    "attributes", "What it has.", "complex", multi_valued=True, sub_attributes=(*_CHARACTERISTICS, _SUB_ATTRIBUTES)
)
_TEXTS = tuple(Attribute(name, "A text.", case_exact=True) for name in ("id", "name", "description"))


@dataclass(frozen=True, slots=True)
class Kinds:
    """The types of resource that one workspace has, with its own extensions."""

    user: ResourceType
    group: ResourceType

    def __iter__(self) -> Iterator[ResourceType]:
        return iter((self.user, self.group))

    def extended(self, extensions: Iterable[tuple[str, Schema]]) -> Kinds:
        """The same with more extensions, each with the name of the resource type that it is of."""
        added = list(extensions)
        of = {kind.name: [schema for name, schema in added if name == kind.name] for kind in self}
        return Kinds(self.user.extended(*of[self.user.name]), self.group.extended(*of[self.group.name]))


STANDARD = Kinds(USER, GROUP)


def read_schema(sent: Any) -> Schema:
    """Read the definition of an extension.

    Args:
        sent: a Schema as in RFC 7643, section 7; `schemas` and `meta` are not looked at.

    Raises:
        InvalidValue: it is none that can be used; the detail names the place.
    """
    if not isinstance(sent, Mapping):
        raise InvalidValue("A schema is a JSON object.")
    identifier, name, description = (read_value(text, sent.get(text.name)) or "" for text in _TEXTS)
    if not _URN.fullmatch(identifier):
        raise InvalidValue(f"id: {identifier[:100]!r} is no URN, such as urn:example:params:scim:badge:1.0:User.")
    if identifier.lower().startswith(_RESERVED):
        raise InvalidValue(f"id: URNs that begin with {_RESERVED} belong to the standards.")
    attributes = read_value(_ATTRIBUTES, sent.get("attributes")) or []
    if not 1 <= len(attributes) <= MOST_ATTRIBUTES:
        raise InvalidValue(f"attributes: a schema has 1 to {MOST_ATTRIBUTES}.")
    return Schema(identifier, name or identifier, description, _all(attributes, "attributes"))


def _all(sent: Sequence[Mapping[str, Any]], place: str) -> tuple[Attribute, ...]:
    read = tuple(_attribute(one, f"{place}[{number}]") for number, one in enumerate(sent))
    names = [attribute.name.lower() for attribute in read]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InvalidValue(f"{place}[{number}].name: {name} is there already.")
    return read


def _attribute(sent: Mapping[str, Any], place: str) -> Attribute:
    name = sent.get("name", "")
    if not _NAME.fullmatch(name):
        raise InvalidValue(f"{place}.name: {name[:100]!r} is none: a letter, then letters, digits, `-` and `_`.")
    for characteristic, words in _CHOICES.items():
        if sent.get(characteristic, words[0]) not in words:
            raise InvalidValue(f"{place}.{characteristic} must be one of {', '.join(words)}.")
    is_part, parts = place.startswith("attributes[") and ".subAttributes[" in place, sent.get("subAttributes", [])
    attribute = Attribute(
        name,
        sent.get("description", ""),
        sent.get("type", "string"),
        sent.get("multiValued", False),
        sent.get("required", False),
        sent.get("caseExact", False),
        sent.get("mutability", "readWrite"),
        sent.get("returned", "never" if sent.get("mutability") == "writeOnly" else "default"),
        sent.get("uniqueness", "none"),
        tuple(sent.get("canonicalValues", ())),
        tuple(sent.get("referenceTypes", ())),
        _all(parts, f"{place}.subAttributes") if parts else (),
    )
    _refuse_contradiction(attribute, place, is_part=is_part)
    return attribute


def _refuse_contradiction(attribute: Attribute, place: str, *, is_part: bool) -> None:
    """What each characteristic allows may not make sense together, or can't be kept."""
    is_complex = attribute.type == "complex"
    wrong = {
        "type: a sub-attribute can't be complex": is_part and is_complex,
        "multiValued: a sub-attribute has one value": is_part and attribute.multi_valued,
        "subAttributes: a complex attribute has some, and no other has": is_complex != bool(attribute.sub_attributes),
        "returned: what is writeOnly is never returned": attribute.mutability == "writeOnly"
        and attribute.returned != "never",
        "required: nobody could give a value to what is readOnly": attribute.mutability == "readOnly"
        and attribute.required,
        "uniqueness: only a simple attribute with one value can be unique": attribute.uniqueness != "none"
        and (is_part or is_complex or attribute.multi_valued),
    }
    for why, is_so in wrong.items():
        if is_so:
            raise InvalidValue(f"{place}.{why}.")


def keeps_to(before: Sequence[Attribute], after: Sequence[Attribute]) -> str | None:
    """Whether values that were stored under some attributes are still good under others.

    Returns:
        None, or what is wrong: an attribute that is gone or has become another, or one that is newly demanded.
    """
    now = {attribute.name: attribute for attribute in after}
    for old in before:
        new = now.pop(old.name, None)
        if new is None:
            return f"{old.name} is gone"
        if [getattr(old, name) for name in _KEPT] != [getattr(new, name) for name in _KEPT]:
            return f"{old.name} has another type, or is compared otherwise"
        if new.required and not old.required:
            return f"{old.name} is demanded now"
        if (below := keeps_to(old.sub_attributes, new.sub_attributes)) is not None:
            return f"{old.name}: {below}"
    demanded = next((name for name, attribute in now.items() if attribute.required), None)
    return None if demanded is None else f"{demanded} is new, and demanded"


_KEPT = ("type", "multi_valued", "case_exact", "uniqueness")
