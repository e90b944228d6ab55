"""Deviations in the value of one attribute; bodies and PATCH operations share them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
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
    for quirk in _concerning(attribute):
        value = quirk(value)
    if not isinstance(value, dict) or not attribute.sub_attributes:
        return value
    return {name: _mend_sub(attribute, name, below) for name, below in value.items()}


def _mend_sub(attribute: Attribute, name: str, value: Any) -> Any:
    sub = attribute.sub(name)
    return value if sub is None else mend(sub, value)


def single_element(attribute: Attribute, value: Any) -> Any:
    """`"emails": {...}` or `"emails": "a@b"`: OneLogin's templates and Rippling send the only element bare."""
    if attribute.multi_valued and isinstance(value, dict | str) and value:
        return [value]
    return value


def boolean_as_text(value: Any) -> Any:
    """`"active": "False"`: Entra ID writes booleans as text unless its tenant URL carries a flag; OneLogin may, too."""
    return _TRUTHS.get(value.strip().lower(), value) if isinstance(value, str) else value


def manager_forms(value: Any) -> Any:
    """The manager as a bare id, as a list of one, or as an empty text that means nobody: all of them Entra ID's.

    `managerId` is SCIM 1.1's name for the id, which OneLogin's templates keep.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and "managerId" in value and "value" not in value:
        value = {"value" if name == "managerId" else name: below for name, below in value.items()}
    if isinstance(value, str):
        return {"value": value} if value else None
    return value


def bare_value(value: Any) -> Any:
    """`"members": ["id"]`: an element as its bare `value`; Microsoft's own test suite does so."""
    return {"value": value} if isinstance(value, str) and value else value


def empty_external_id(value: Any) -> Any:
    """`"externalId": ""`: what OneLogin's template leaves of a field that nobody has filled in; it names nobody."""
    return None if isinstance(value, str) and not value.strip() else value


def json_in_role(value: Any) -> Any:
    """A role's `value` that is a JSON text: what Entra ID's AppRoleAssignmentsComplex sends."""
    inside = value.get("value") if isinstance(value, dict) else None
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


# In the order in which they are put right, and in which attributes they are met: the values of others need no look.
_MET_IN: Mapping[Callable[[Any], Any], Callable[[Attribute], bool]] = {
    boolean_as_text: lambda attribute: attribute.type == "boolean",
    manager_forms: lambda attribute: attribute.name == "manager",
    bare_value: lambda attribute: attribute.multi_valued and attribute.sub("value") is not None,
    empty_external_id: lambda attribute: attribute.name == "externalId",
    json_in_role: lambda attribute: attribute.name == "roles",
}


@functools.lru_cache(maxsize=4096)
def _concerning(attribute: Attribute) -> tuple[Callable[[Any], Any], ...]:
    return tuple(quirk for quirk, is_met_in in _MET_IN.items() if is_met_in(attribute))
