"""Deviations of filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from provisioning.scim.filter import And, Comparison, Filter, Not, Or, Present, ValuePath
from provisioning.scim.path import AttributePath
from provisioning.scim.schema import Attribute, ResourceType

_Term = Comparison | Present | ValuePath
# The attribute that a path leads to, or None where it leads nowhere.
_Find = Callable[[AttributePath], Attribute | None]
_Quirk = Callable[[Filter, ResourceType], Filter]
_NOT_TEXT = frozenset({"boolean", "integer", "decimal"})


@dataclass(frozen=True, slots=True)
class NormalisedFilter:
    """A filter as the standard has it, and the names of the deviations that it held."""

    condition: Filter
    quirks: tuple[str, ...] = ()


def normalise_filter(condition: Filter, resource_type: ResourceType) -> NormalisedFilter:
    """A filter over one type of resource, put right; what is beyond that is left to be refused."""
    met: list[str] = []
    for quirk in QUIRKS:
        mended = quirk(condition, resource_type)
        if mended != condition:
            met.append(quirk.__name__)
        condition = mended
    return NormalisedFilter(condition, tuple(met))


def unqualified_extension_in_filter(condition: Filter, resource_type: ResourceType) -> Filter:
    """`manager eq "..."`: an extension's attribute without its URN, which Entra ID asks for to check a reference."""

    def qualified(path: AttributePath) -> AttributePath:
        if path.urn is not None or resource_type.find(None, path.name, path.sub) is not None:
            return path
        paths = (replace(path, urn=extension.id) for extension in resource_type.extensions)
        return next((p for p in paths if resource_type.find(p.urn, p.name, p.sub) is not None), path)

    return _each(condition, lambda term: replace(term, path=qualified(term.path)))


def text_without_quotation_marks(condition: Filter, resource_type: ResourceType) -> Filter:
    """`externalId eq 12345`: a text as it is, which reads as a number: Entra ID and Ping leave quotation marks out."""

    def find(path: AttributePath) -> Attribute | None:
        found = resource_type.find(path.urn, path.name, path.sub)
        return None if found is None else found.leaf

    return _each(condition, lambda term: _quoted(term, find))


def _each(condition: Filter, mend: Callable[[_Term], Filter]) -> Filter:
    """The filter with its terms put right one by one; what stands within brackets belongs to its term."""
    match condition:
        case And(terms):
            return And(tuple(_each(term, mend) for term in terms))
        case Or(terms):
            return Or(tuple(_each(term, mend) for term in terms))
        case Not(term):
            return Not(_each(term, mend))
        case Comparison() | Present() | ValuePath():
            return mend(condition)


def _quoted(term: _Term, find: _Find) -> Filter:
    attribute = find(term.path)
    if attribute is None:
        return term
    if isinstance(term, ValuePath):
        inside = attribute
        return replace(term, condition=_each(term.condition, lambda t: _quoted(t, lambda path: inside.sub(path.name))))
    if attribute.type == "complex":
        attribute = attribute.sub("value")
    # A fraction isn't put right: how it was written can't be told any more.
    if isinstance(term, Comparison) and isinstance(term.value, int) and attribute and attribute.type not in _NOT_TEXT:
        return replace(term, value=str(term.value).lower())
    return term


QUIRKS: tuple[_Quirk, ...] = (unqualified_extension_in_filter, text_without_quotation_marks)
