"""Applies the quirks in order, and tells which of them were met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from provisioning.dialects import patches, resources
from provisioning.dialects.dialect import Quirk
from provisioning.dialects.known import DIALECTS, OTHER
from provisioning.scim.schema import ResourceType


@dataclass(frozen=True, slots=True)
class Normalised:
    """A body as the standard has it, and the names of the deviations that it held."""

    body: Any
    quirks: tuple[str, ...] = ()
    # What would mean something else in the dialect of another, and was left as it is.
    ambiguous: tuple[str, ...] = ()


def normalise_resource(body: Any, resource_type: ResourceType) -> Normalised:
    """A resource's body, put right; what is beyond that is left for strict processing to refuse."""
    return _through(resources.QUIRKS, body, resource_type)


def normalise_replacement(body: Any, resource_type: ResourceType, dialect: str) -> Normalised:
    """The body that replaces a resource, put right.

    Args:
        body: as it was sent.
        resource_type: of the resource.
        dialect: which an admin has pinned; what was learned decides nothing, for nobody's guess may empty a group.
    """
    normalised = _through(resources.QUIRKS, body, resource_type)
    if dialect != OTHER.name:
        meant = _through(DIALECTS[dialect].means, normalised.body, resource_type)
        return replace(meant, quirks=(*normalised.quirks, *meant.quirks))
    read_otherwise = _through(
        [quirk for one in DIALECTS.values() for quirk in one.means], normalised.body, resource_type
    )
    return replace(normalised, ambiguous=read_otherwise.quirks)


def normalise_patch(body: Any, resource_type: ResourceType) -> Normalised:
    """A PATCH's body, put right; what is beyond that is left for strict processing to refuse."""
    return _through(patches.QUIRKS, body, resource_type)


def _through(quirks: Iterable[Quirk], body: Any, resource_type: ResourceType) -> Normalised:
    if not isinstance(body, dict):
        return Normalised(body)
    met: list[str] = []
    for quirk in quirks:
        mended = quirk(body, resource_type)
        if mended != body:
            met.append(quirk.__name__)
        body = mended
    return Normalised(body, tuple(met))
