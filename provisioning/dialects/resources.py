"""Deviations of the bodies that create or replace a resource."""

from __future__ import annotations

from typing import Any

from provisioning.dialects.values import mend
from provisioning.scim.schema import ENTERPRISE_URN, USER_URN, ResourceType

_OLD_URNS = {
    "urn:scim:schemas:core:1.0": USER_URN,
    "urn:scim:schemas:core:2.0": USER_URN,
    "urn:scim:schemas:extension:enterprise:1.0": ENTERPRISE_URN,
    "urn:scim:schemas:extension:enterprise:2.0": ENTERPRISE_URN,
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0user": ENTERPRISE_URN,
}


def old_urns(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """URNs of SCIM 1.1 and misspelt ones: OneLogin's templates, Google Workspace, and an old sample of Entra ID's."""
    if resource_type.name != "User":
        return body
    mended = {_OLD_URNS.get(name.lower(), name): value for name, value in body.items()}
    schemas = mended.get("schemas")
    if isinstance(schemas, list):
        known = [_OLD_URNS.get(urn.lower(), urn) if isinstance(urn, str) else urn for urn in schemas]
        mended["schemas"] = list(dict.fromkeys(known)) if all(isinstance(urn, str) for urn in known) else known
    return mended


def missing_schemas(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """No `schemas` at all: scripts and small clients; which resource is meant stands in the address."""
    if any(name.lower() == "schemas" for name in body):
        return body
    return {"schemas": [resource_type.schema.id], **body}


def password(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:  # noqa: ARG001 - the form of a quirk
    """A password, which Okta sends with every new person: there are no passwords here, so it goes no further."""
    return {name: value for name, value in body.items() if name.lower() != "password"}


def values(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """Whatever deviates in the values of attributes."""
    return {name: _value(name, value, resource_type) for name, value in body.items()}


def _value(name: str, value: Any, resource_type: ResourceType) -> Any:
    extension = resource_type.extension(name)
    if extension is not None and isinstance(value, dict):
        return {
            below: inner if (attribute := extension.attribute(below)) is None else mend(attribute, inner)
            for below, inner in value.items()
        }
    found = resource_type.find(None, name)
    return value if found is None or name.lower() == "schemas" else mend(found.attribute, value)


QUIRKS = (old_urns, missing_schemas, password, values)
