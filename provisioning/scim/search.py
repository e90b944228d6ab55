"""A document in the form in which its values are compared: strings folded where the schema has no regard to case.

What is stored in this form can be asked by equality alone, and so by an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from provisioning.scim.compare import fold
from provisioning.scim.schema import Attribute, ResourceType
from provisioning.scim.values import instant


def searchable(document: Mapping[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """The document as filters see it.

    Args:
        document: as it is stored.
        resource_type: whose document it is.
    """
    found = _attributes(document, resource_type.schema.attributes)
    for extension in resource_type.extensions:
        if extension.id in document:
            found[extension.id] = _attributes(document[extension.id], extension.attributes)
    return found


def _attributes(values: Mapping[str, Any], attributes: Iterable[Attribute]) -> dict[str, Any]:
    return {a.name: comparable(a, values[a.name]) for a in attributes if a.name in values}


def comparable(attribute: Attribute, value: Any) -> Any:
    """One attribute's value as it is compared."""
    if isinstance(value, list):
        return [comparable(attribute, element) for element in value]
    if isinstance(value, dict):
        return _attributes(value, attribute.sub_attributes)
    if attribute.type == "dateTime":
        return as_text(instant(value))
    return fold(value) if isinstance(value, str) and not attribute.case_exact else value


def as_text(moment: datetime) -> str:
    """A moment in UTC as a text; earlier moments come first when such texts are sorted."""
    return moment.isoformat(timespec="microseconds")
