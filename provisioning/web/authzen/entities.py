"""What a request names: subjects, resources and actions (Authorization API 1.0, section 5), and pages (section 8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import request

from provisioning.refusals import Invalid

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Entity:
    """A subject or a resource; `id` is empty where only the type is asked for."""

    type: str
    id: str = ""


def body() -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        Invalid: there is none, or it is not said to be JSON.
    """
    if request.mimetype != JSON:
        raise Invalid(f"Send the request as {JSON}.")
    return read(request.get_data())


def read(data: bytes) -> dict[str, Any]:
    """A body as its JSON object.

    Raises:
        Invalid: it is none.
    """
    try:
        sent = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise Invalid("The body is not JSON.") from None
    if not isinstance(sent, dict):
        raise Invalid("The body is not a JSON object.")
    return sent


def question(sent: Mapping[str, Any]) -> tuple[Entity, str, Entity]:
    """The subject, the action and the resource of an evaluation.

    Raises:
        Invalid: one of them is missing, or lacks a part.
    """
    subject, resource = entity(sent, "subject"), entity(sent, "resource")
    return subject, action(sent, resource.type), resource


def entity(sent: Mapping[str, Any], name: str) -> Entity:
    """The subject or resource of a request.

    Raises:
        Invalid: it lacks its type or id.
    """
    holder = _holder(sent, name)
    return Entity(_text(holder, name, "type"), _text(holder, name, "id"))


def type_of(sent: Mapping[str, Any], name: str) -> str:
    """The type of the entity that is searched for; an id is not looked at (sections 8.4.1 and 8.5.1)."""
    return _text(_holder(sent, name), name, "type")


def action(sent: Mapping[str, Any], resource_type: str) -> str:
    """The action as roles call it: `source.read`, or `read` of a source.

    Raises:
        Invalid: it lacks its name.
    """
    name = _text(_holder(sent, "action"), "action", "name")
    return name if "." in name else f"{resource_type}.{name}"


def _holder(sent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    holder = sent.get(name)
    if not isinstance(holder, dict):
        raise Invalid(f"{name} is missing, or not an object.", field=name)
    return holder


def _text(holder: Mapping[str, Any], name: str, member: str) -> str:
    text = holder.get(member)
    if not isinstance(text, str) or not text:
        raise Invalid(f"{name}.{member} is missing, or not a text.", field=f"{name}.{member}")
    return text
