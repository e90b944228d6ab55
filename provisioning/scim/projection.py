"""Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644, section 3.4.2.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.scim.errors import InvalidValue
from provisioning.scim.path import match_attribute
from provisioning.scim.schema import ResourceType

_ALWAYS = frozenset({"schemas", "id"})
# An attribute's name as the resource holds it, and the sub-attributes in question; none means the whole of it.
_Chosen = Mapping[tuple[str | None, str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Projection:
    """What is shown: only these attributes, or all but those, or everything."""

    only: _Chosen | None = None
    without: _Chosen | None = None

    @classmethod
    def parse(cls, attributes: str | None, excluded: str | None, resource_type: ResourceType) -> Projection:
        """Read the two parameters; names that the schema doesn't have ask for nothing.

        Raises:
            InvalidValue: both are given.
        """
        if attributes is not None and excluded is not None:
            raise InvalidValue("Give either `attributes` or `excludedAttributes`, not both.")
        if attributes is not None:
            return cls(only=_chosen(attributes, resource_type))
        return cls(without=_chosen(excluded, resource_type)) if excluded else cls()

    def wants(self, name: str) -> bool:
        """Whether an attribute of the core schema is shown at all, so that it need not be read when it isn't."""
        key = (None, name)
        if self.only is not None:
            return key in self.only
        return self.without is None or self.without.get(key) != frozenset()

    def apply(self, resource: dict[str, Any]) -> dict[str, Any]:
        """The resource with what is to be shown; what is always returned stays."""
        if self.only is not None:
            return _keep(resource, self.only)
        return _drop(resource, self.without) if self.without else resource


def _chosen(text: str, resource_type: ResourceType) -> _Chosen:
    chosen: dict[tuple[str | None, str], frozenset[str]] = {}
    for name in filter(None, (part.strip() for part in text.split(","))):
        extension = resource_type.extension(name)
        if extension is not None:
            chosen.update({(extension.id, attribute.name): frozenset() for attribute in extension.attributes})
            continue
        path = match_attribute(name)
        found = None if path is None else resource_type.find(path.urn, path.name, path.sub)
        if found is None:
            continue
        key = (found.extension, found.attribute.name)
        if found.sub is None or chosen.get(key) == frozenset():
            chosen[key] = frozenset()
        else:
            chosen[key] = chosen.get(key, frozenset()) | {found.sub.name}
    return chosen


def _keep(resource: dict[str, Any], only: _Chosen) -> dict[str, Any]:
    kept = {name: value for name, value in resource.items() if name in _ALWAYS}
    for (extension, name), subs in only.items():
        holder = resource.get(extension, {}) if extension else resource
        if name not in holder:
            continue
        into = kept if extension is None else kept.setdefault(extension, {})
        into[name] = _parts(holder[name], lambda part, subs=subs: part in subs) if subs else holder[name]
    return kept


def _drop(resource: dict[str, Any], without: _Chosen) -> dict[str, Any]:
    shown = dict(resource)
    for (extension, name), subs in without.items():
        if extension is not None and extension in shown:
            shown[extension] = dict(shown[extension])
        holder = shown.get(extension, {}) if extension else shown
        if name not in holder or (extension is None and name in _ALWAYS):
            continue
        if subs:
            holder[name] = _parts(holder[name], lambda part, subs=subs: part not in subs)
        else:
            del holder[name]
        if extension is not None and not holder:
            del shown[extension]
    return shown


def _parts(value: Any, wanted: Any) -> Any:
    """A complex value, or each element of a list of them, with the wanted sub-attributes alone."""
    if isinstance(value, list):
        return [part for element in value if (part := _parts(element, wanted))]
    return {name: below for name, below in value.items() if wanted(name)} if isinstance(value, dict) else value
