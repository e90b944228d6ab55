"""Which attributes an answer shows: those asked for (RFC 7644, section 3.4.2.5), as far as `returned` lets them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.scim.errors import InvalidValue
from provisioning.scim.path import match_attribute
from provisioning.scim.schema import ResourceType

# An attribute as the resource holds it: its extension's URN, and its name.
_Key = tuple[str | None, str]
# Attributes, and the sub-attributes in question; none means the whole of it.
_Chosen = Mapping[_Key, frozenset[str]]
_WHOLE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Returned:
    """What a resource type says of its attributes, whatever is asked for."""

    always: tuple[_Key, ...]
    # Not shown unless named; what is never shown is in both.
    on_request: _Chosen
    never: _Chosen


@dataclass(frozen=True, slots=True)
class Projection:
    """What is shown: only these attributes, or all but those, or everything."""

    resource_type: ResourceType
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
            return cls(resource_type, only=_chosen(attributes, resource_type))
        return cls(resource_type, without=_chosen(excluded, resource_type) if excluded else None)

    @property
    def is_whole(self) -> bool:
        """Whether everything is shown that a resource of the type can hold."""
        returned = _returned(self.resource_type)
        return self.only is None and not self.without and not returned.on_request and not returned.never

    @property
    def is_chosen(self) -> bool:
        """Whether the client has said which attributes it wants, or doesn't."""
        return self.only is not None or self.without is not None

    def wants(self, name: str) -> bool:
        """Whether an attribute of the core schema is shown at all, so that it need not be read when it isn't."""
        key = (None, name)
        if self.only is not None:
            return key in self.only
        return self.without is None or self.without.get(key) != _WHOLE

    def apply(self, resource: dict[str, Any], written: Collection[_Key] = ()) -> dict[str, Any]:
        """The resource with what is to be shown; what is always returned stays, what never is goes.

        Args:
            resource: the whole of it.
            written: what the client has just given a value to: it is shown even if it is returned on request only.
        """
        returned = _returned(self.resource_type)
        if self.only is not None:
            return _drop(_keep(resource, self.only, returned.always), returned.never)
        hidden = {key: subs for key, subs in returned.on_request.items() if key not in written} | dict(returned.never)
        shown = _drop(resource, hidden) if hidden else resource
        return _drop(shown, self.without, returned.always) if self.without else shown


@functools.lru_cache(maxsize=1024)
def _returned(resource_type: ResourceType) -> _Returned:
    always: list[_Key] = []
    on_request: dict[_Key, frozenset[str]] = {}
    never: dict[_Key, frozenset[str]] = {}
    for extension, attribute in resource_type.every():
        key = (extension, attribute.name)
        if attribute.returned == "always":
            always.append(key)
        for hidden, words in ((on_request, {"request", "never"}), (never, {"never"})):
            parts = frozenset(sub.name for sub in attribute.sub_attributes if sub.returned in words)
            if attribute.returned in words:
                hidden[key] = _WHOLE
            elif parts:
                hidden[key] = parts
    return _Returned(tuple(always), on_request, never)


def _chosen(text: str, resource_type: ResourceType) -> _Chosen:
    chosen: dict[_Key, frozenset[str]] = {}
    for name in filter(None, (part.strip() for part in text.split(","))):
        extension = resource_type.extension(name)
        if extension is not None:
            chosen.update({(extension.id, attribute.name): _WHOLE for attribute in extension.attributes})
            continue
        path = match_attribute(name)
        found = None if path is None else resource_type.find(path.urn, path.name, path.sub)
        if found is None:
            continue
        key = (found.extension, found.attribute.name)
        if found.sub is None or chosen.get(key) == _WHOLE:
            chosen[key] = _WHOLE
        else:
            chosen[key] = chosen.get(key, _WHOLE) | {found.sub.name}
    return chosen


def _keep(resource: dict[str, Any], only: _Chosen, always: Collection[_Key]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for extension, name in dict.fromkeys((*always, *only)):
        subs = _WHOLE if (extension, name) in always else only[extension, name]
        holder = resource.get(extension, {}) if extension else resource
        if name not in holder:
            continue
        into = kept if extension is None else kept.setdefault(extension, {})
        into[name] = _parts(holder[name], subs.__contains__) if subs else holder[name]
    return kept


def _drop(resource: dict[str, Any], without: _Chosen, always: Collection[_Key] = ()) -> dict[str, Any]:
    shown = dict(resource)
    for (extension, name), subs in without.items():
        if extension is not None and extension in shown:
            shown[extension] = dict(shown[extension])
        holder = shown.get(extension, {}) if extension else shown
        if name not in holder or (extension, name) in always:
            continue
        if subs:
            holder[name] = _parts(holder[name], _outside(subs))
        if not subs or holder[name] in ({}, []):
            del holder[name]
        if extension is not None and not holder:
            del shown[extension]
    return shown


def _outside(names: frozenset[str]) -> Callable[[str], bool]:
    return lambda name: name not in names


def _parts(value: Any, wanted: Callable[[str], bool]) -> Any:
    """A complex value, or each element of a list of them, with the wanted sub-attributes alone."""
    if isinstance(value, list):
        return [part for element in value if (part := _parts(element, wanted))]
    return {name: below for name, below in value.items() if wanted(name)} if isinstance(value, dict) else value
