"""Deviations of PATCH bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provisioning.dialects.values import mend, mend_one
from provisioning.scim.errors import ScimError
from provisioning.scim.patch import PATCH_URN
from provisioning.scim.schema import ResourceType
from provisioning.scim.target import Target, parse_target

_Operation = dict[str, Any]
_READ_ONLY = frozenset({"id", "meta", "groups", "schemas"})


def operations_key(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:  # noqa: ARG001 - the form of a quirk
    """`operations`: attribute names are compared without case, which some clients rely on here, too."""
    if "Operations" in body:
        return body
    return {"Operations" if name.lower() == "operations" else name: value for name, value in body.items()}


def missing_schemas(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:  # noqa: ARG001 - the form of a quirk
    """No `schemas` at all: scripts and small clients; that it is a PatchOp stands in the method."""
    if any(name.lower() == "schemas" for name in body):
        return body
    return {"schemas": [PATCH_URN], **body}


def _each(mend_operation: Callable[[_Operation, ResourceType], _Operation]) -> Callable[..., dict[str, Any]]:
    """A quirk of one operation, as a quirk of the body."""

    def quirk(body: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:
        operations = body.get("Operations")
        if not isinstance(operations, list):
            return body
        mended = [mend_operation(op, resource_type) if isinstance(op, dict) else op for op in operations]
        return {**body, "Operations": mended}

    quirk.__name__, quirk.__doc__ = mend_operation.__name__, mend_operation.__doc__
    return quirk


@_each
def op_in_capitals(operation: _Operation, resource_type: ResourceType) -> _Operation:  # noqa: ARG001 - the form of a quirk
    """`"op": "Add"`: Entra ID."""
    op = operation.get("op")
    return {**operation, "op": op.lower()} if isinstance(op, str) else operation


@_each
def read_only_in_value(operation: _Operation, resource_type: ResourceType) -> _Operation:  # noqa: ARG001 - the form of a quirk
    """`id` and the like within a value without a path: Okta sends the group's id along with its new name."""
    value = operation.get("value")
    if operation.get("path") or not isinstance(value, dict):
        return operation
    return {**operation, "value": {name: v for name, v in value.items() if name.lower() not in _READ_ONLY}}


@_each
def password(operation: _Operation, resource_type: ResourceType) -> _Operation:  # noqa: ARG001 - the form of a quirk
    """Okta's password synchronisation: there are no passwords here, so it goes no further."""
    value = operation.get("value")
    if str(operation.get("path", "")).lower() == "password":
        return {"op": "replace", "value": {}}
    if operation.get("path") or not isinstance(value, dict):
        return operation
    return {**operation, "value": {name: v for name, v in value.items() if name.lower() != "password"}}


@_each
def wrapped_members(operation: _Operation, resource_type: ResourceType) -> _Operation:  # noqa: ARG001 - the form of a quirk
    """`"path": "members", "value": {"members": [...]}`: Salesforce's form of a removal."""
    value = operation.get("value")
    if str(operation.get("path", "")).lower() == "members" and isinstance(value, dict) and set(value) == {"members"}:
        return {**operation, "value": value["members"]}
    return operation


@_each
def empty_removal_value(operation: _Operation, resource_type: ResourceType) -> _Operation:
    """`"op": "remove", "path": "...manager", "value": ""`: Entra ID; the empty text names nothing to remove."""
    target = _target(operation.get("path"), resource_type)
    if operation.get("op") != "remove" or operation.get("value") != "" or target is None:
        return operation
    # Of a list the empty text might be taken for all of it, which nobody has asked for: that is left to be refused.
    if target.attribute.multi_valued:
        return operation
    return {name: value for name, value in operation.items() if name != "value"}


@_each
def unqualified_extension(operation: _Operation, resource_type: ResourceType) -> _Operation:
    """`"path": "manager"`: an extension's attribute without its URN, as Entra ID and others send it."""
    path = operation.get("path")
    if not isinstance(path, str) or _target(path, resource_type) is not None:
        return operation
    qualified = (f"{extension.id}:{path}" for extension in resource_type.extensions)
    known = [name for name in qualified if _target(name, resource_type) is not None]
    return {**operation, "path": known[0]} if known else operation


@_each
def values(operation: _Operation, resource_type: ResourceType) -> _Operation:
    """Whatever deviates in the values of attributes."""
    value = operation.get("value")
    if operation.get("path"):
        target = _target(operation["path"], resource_type)
        return operation if target is None or "value" not in operation else {**operation, "value": _at(target, value)}
    if not isinstance(value, dict):
        return operation
    return {**operation, "value": {name: _under(name, below, resource_type) for name, below in value.items()}}


def _under(name: str, value: Any, resource_type: ResourceType) -> Any:
    extension = resource_type.extension(name)
    if extension is not None and isinstance(value, dict):
        return {inner: _under(f"{extension.id}:{inner}", below, resource_type) for inner, below in value.items()}
    target = _target(name, resource_type)
    return value if target is None else _at(target, value)


def _at(target: Target, value: Any) -> Any:
    if target.sub is not None:
        return mend(target.sub, value)
    return mend(target.attribute, value) if target.condition is None else mend_one(target.attribute, value)


def _target(path: Any, resource_type: ResourceType) -> Target | None:
    if not isinstance(path, str):
        return None
    try:
        return parse_target(path, resource_type)
    except ScimError:
        return None


QUIRKS = (
    operations_key,
    missing_schemas,
    op_in_capitals,
    read_only_in_value,
    password,
    wrapped_members,
    unqualified_extension,
    empty_removal_value,
    values,
)
