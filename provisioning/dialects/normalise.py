"""Applies the quirks in order, and tells which of them were met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.dialects import patches, resources
from provisioning.scim.schema import ResourceType

Quirk = Callable[[dict[str, Any], ResourceType], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Normalised:
    """A body as the standard has it, and the names of the deviations that it held."""

    body: Any
    quirks: tuple[str, ...] = ()


def normalise_resource(body: Any, resource_type: ResourceType) -> Normalised:
    """A resource's body, put right; what is beyond that is left for strict processing to refuse."""
    return _through(resources.QUIRKS, body, resource_type)


def normalise_patch(body: Any, resource_type: ResourceType) -> Normalised:
    """A PATCH's body, put right; what is beyond that is left for strict processing to refuse."""
    return _through(patches.QUIRKS, body, resource_type)


def _through(quirks: Sequence[Quirk], body: Any, resource_type: ResourceType) -> Normalised:
    if not isinstance(body, dict):
        return Normalised(body)
    met: list[str] = []
    for quirk in quirks:
        mended = quirk(body, resource_type)
        if mended != body:
            met.append(quirk.__name__)
        body = mended
    return Normalised(body, tuple(met))
