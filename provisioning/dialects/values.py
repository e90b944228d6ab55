"""Deviations in the value of one attribute; bodies and PATCH operations share them."""

from __future__ import annotations

from typing import Any

import orjson

from provisioning.scim.schema import Attribute

_TRUTHS = {"true": True, "false": False, "": None}


def mend(attribute: Attribute, value: Any) -> Any:
    """An attribute's value as the standard has it."""
    value = single_element(attribute, value)
    if isinstance(value, list) and attribute.multi_valued:
        return [mend_one(attribute, element) for element in value]
    return mend_one(attribute, value)


def mend_one(attribute: Attribute, value: Any) -> Any:
    """One element of it."""
    value = bare_value(attribute, manager_forms(attribute, boolean_as_text(attribute, value)))
    value = json_in_role(attribute, empty_external_id(attribute, value))
    if not isinstance(value, dict) or not attribute.sub_attributes:
        return value
    return {name: _mend_sub(attribute, name, below) for name, below in value.items()}


def _mend_sub(attribute: Attribute, name: str, value: Any) -> Any:
    sub = attribute.sub(name)
    return value if sub is None else mend(sub, value)


def boolean_as_text(attribute: Attribute, value: Any) -> Any:
    """`"active": "False"`: Entra ID writes booleans as text unless its tenant URL carries a flag; OneLogin may, too."""
    if attribute.type == "boolean" and isinstance(value, str):
        return _TRUTHS.get(value.strip().lower(), value)
    return value


def single_element(attribute: Attribute, value: Any) -> Any:
    """`"emails": {...}` or `"emails": "a@b"`: OneLogin's templates and Rippling send the only element bare."""
    if attribute.multi_valued and isinstance(value, dict | str) and value:
        return [value]
    return value


def bare_value(attribute: Attribute, value: Any) -> Any:
    """`"members": ["id"]`: an element as its bare `value`; Microsoft's own test suite does so."""
    is_element = attribute.multi_valued and attribute.sub("value") is not None
    return {"value": value} if is_element and isinstance(value, str) and value else value


def empty_external_id(attribute: Attribute, value: Any) -> Any:
    """`"externalId": ""`: what OneLogin's template leaves of a field that nobody has filled in; it names nobody."""
    is_empty = attribute.name == "externalId" and isinstance(value, str) and not value.strip()
    return None if is_empty else value


def manager_forms(attribute: Attribute, value: Any) -> Any:
    """The manager as a bare id, as a list of one, or as an empty text that means nobody: all of them Entra ID's.

    `managerId` is SCIM 1.1's name for the id, which OneLogin's templates keep.
    """
    if attribute.name != "manager":
        return value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and "managerId" in value and "value" not in value:
        value = {"value" if name == "managerId" else name: below for name, below in value.items()}
    if isinstance(value, str):
        return {"value": value} if value else None
    return value


def json_in_role(attribute: Attribute, value: Any) -> Any:
    """A role's `value` that is a JSON text: what Entra ID's AppRoleAssignmentsComplex sends."""
    if attribute.name != "roles" or not isinstance(value, dict):
        return value
    inside = value.get("value")
    if not isinstance(inside, str) or not inside.startswith("{"):
        return value
    try:
        told = orjson.loads(inside)
    except orjson.JSONDecodeError:
        return value
    if not isinstance(told, dict) or not isinstance(told.get("value"), str) or told["value"].startswith("{"):
        return value
    shown = {"display": told["displayName"]} if isinstance(told.get("displayName"), str) else {}
    return {**value, **shown, "value": told["value"]}
