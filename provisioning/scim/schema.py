"""Attributes and their characteristics (RFC 7643, section 2.2) as data, and looking one up without case."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
# What is asked for is remembered: no attribute has a longer name, and a body may name millions of characters.
_LONGEST_NAME = 100


# Schemas are many small parts and are looked at all the time: each is compared as the very one that it is.
@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute; the defaults are those of RFC 7643, section 2.2."""

    name: str
    description: str
    type: str = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple[Attribute, ...] = ()

    def sub(self, name: str) -> Attribute | None:
        """The sub-attribute of this name, compared without case."""
        return _subs(self).get(name.lower())

    def as_json(self) -> dict[str, Any]:
        """The attribute as `/Schemas` shows it (RFC 7643, section 7)."""
        shown: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.sub_attributes:
            shown["subAttributes"] = [sub.as_json() for sub in self.sub_attributes]
        shown |= {"multiValued": self.multi_valued, "description": self.description, "required": self.required}
        if self.canonical_values:
            shown["canonicalValues"] = list(self.canonical_values)
        shown |= {"caseExact": self.case_exact, "mutability": self.mutability, "returned": self.returned}
        shown["uniqueness"] = self.uniqueness
        if self.reference_types:
            shown["referenceTypes"] = list(self.reference_types)
        return shown


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A set of attributes under a URN."""

    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of this name, compared without case."""
        return _attributes(self).get(name.lower())


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: the schema's URN when it is an extension's, the attribute, and the sub-attribute."""

    extension: str | None
    attribute: Attribute
    sub: Attribute | None

    @property
    def leaf(self) -> Attribute:
        """What the path names in the end."""
        return self.sub or self.attribute


@dataclass(frozen=True, slots=True, eq=False)
class ResourceType:
    """A type of resource (RFC 7643, section 6), its schema and extensions."""

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Schema, ...] = ()

    def find(self, urn: str | None, name: str, sub: str | None = None) -> Found | None:
        """Look an attribute up, without case; common attributes (RFC 7643, section 3.1) are part of every schema."""
        if len(name) > _LONGEST_NAME:
            return None
        return _find(self, urn and urn.lower(), name.lower(), sub and sub.lower())

    def extension(self, urn: str) -> Schema | None:
        """The extension of this URN, compared without case."""
        return _extensions(self).get(urn.lower())

    def extended(self, *extensions: Schema) -> ResourceType:
        """The same type of resource with more extensions."""
        return replace(self, extensions=(*self.extensions, *extensions)) if extensions else self

    def every(self) -> Iterator[tuple[str | None, Attribute]]:
        """All attributes: the common ones, those of the schema, and the extensions' with their URN."""
        yield from ((None, attribute) for attribute in (*COMMON, *self.schema.attributes))
        for extension in self.extensions:
            yield from ((extension.id, attribute) for attribute in extension.attributes)


@functools.lru_cache(maxsize=4096)
def _subs(attribute: Attribute) -> Mapping[str, Attribute]:
    return {sub.name.lower(): sub for sub in reversed(attribute.sub_attributes)}


@functools.lru_cache(maxsize=1024)
def _attributes(schema: Schema) -> Mapping[str, Attribute]:
    return {attribute.name.lower(): attribute for attribute in reversed(schema.attributes)}


@functools.lru_cache(maxsize=1024)
def _extensions(resource_type: ResourceType) -> Mapping[str, Schema]:
    return {extension.id.lower(): extension for extension in reversed(resource_type.extensions)}


@functools.lru_cache(maxsize=4096)
def _find(resource_type: ResourceType, urn: str | None, name: str, sub: str | None) -> Found | None:
    schema = resource_type.schema
    extension: str | None = None
    if urn is not None and urn != schema.id.lower():
        found_extension = resource_type.extension(urn)
        if found_extension is None:
            return None
        schema, extension = found_extension, found_extension.id
    attribute = schema.attribute(name)
    if attribute is None and extension is None:
        attribute = next((a for a in COMMON if a.name.lower() == name), None)
    if attribute is None:
        return None
    found_sub = None if sub is None else attribute.sub(sub)
    return None if sub is not None and found_sub is None else Found(extension, attribute, found_sub)


COMMON = (
    Attribute(
        "schemas",
        "The schemas of the resource.",
        "reference",
        multi_valued=True,
        case_exact=True,
        mutability="readOnly",
        returned="always",
    ),
    Attribute(
        "id",
        "The service's own id of the resource.",
        case_exact=True,
        mutability="readOnly",
        returned="always",
        uniqueness="server",
    ),
    Attribute("externalId", "The identity provider's id of the resource.", case_exact=True),
    Attribute(
        "meta",
        "What the service says of the resource.",
        "complex",
        mutability="readOnly",
        sub_attributes=(
            Attribute("resourceType", "Its type.", case_exact=True, mutability="readOnly"),
            Attribute("created", "When it came to be.", "dateTime", mutability="readOnly"),
            Attribute("lastModified", "When it last changed.", "dateTime", mutability="readOnly"),
            Attribute("location", "Its address.", "reference", case_exact=True, mutability="readOnly"),
            Attribute("version", "Its version.", case_exact=True, mutability="readOnly"),
        ),
    ),
)
