"""Reading the value of one attribute: names in the schema's spelling, and of the attribute's type (RFC 7643, 2.3).

What checks the types are marshmallow fields that are built from the attributes' characteristics, once.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

from provisioning.scim.errors import InvalidValue
from provisioning.scim.schema import Attribute

LONGEST_KEY, LONGEST_TEXT, LONGEST_BINARY = 2000, 65_536, 1_048_576
_LARGEST_INTEGER = 2**63
# These are indexed, and an index holds no value of any length.
_KEYS = frozenset({"userName", "displayName", "externalId"})
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LONG_FRACTION = re.compile(r"(\.\d{6})\d+", re.ASCII)


def instant(text: str) -> datetime:
    """The moment that an xsd:dateTime names, in UTC; more than six digits of a second are cut.

    Raises:
        ValueError: the text names none, or leaves its zone open.
    """
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", text)).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


class _Text(fields.String):
    """A string that can be stored: bounded, and without NUL."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if len(text) > self.longest:
            raise ValidationError(f"must have at most {self.longest} characters")
        if _UNSTORABLE.search(text):
            raise ValidationError("must not hold the character NUL or half of a surrogate pair")
        return text


class _Exactly(fields.Field[Any]):
    """A JSON boolean or number, never a text that looks like one."""

    def __init__(self, kind: type | tuple[type, ...], name: str) -> None:
        super().__init__()
        self.kind, self.kind_name = kind, name

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, self.kind) or (isinstance(value, bool) and self.kind is not bool):
            raise ValidationError(f"must be {self.kind_name}")
        if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) < _LARGEST_INTEGER):
            raise ValidationError(f"must be {self.kind_name} that 64 bits can hold")
        return value


class _Moment(_Text):
    """An xsd:dateTime; kept as it was written."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            instant(text)
        except ValueError:
            raise ValidationError("must be a dateTime such as 2026-01-31T12:00:00Z") from None
        return text


class _Base64(_Text):
    """Binary data; kept as it was written."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValidationError("must be base64") from None
        return text


class _Parts(fields.Field[Any]):
    """An object of known parts. What a nested schema does beside reading them costs more than the reading."""

    def __init__(self, parts: Mapping[str, fields.Field[Any]]) -> None:
        super().__init__()
        self.parts = parts

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, Mapping):
            raise ValidationError("Invalid input type.")
        found: dict[str, Any] = {}
        for name, part in self.parts.items():
            if name in value:
                try:
                    found[name] = part.deserialize(value[name])
                except ValidationError as error:
                    raise ValidationError({name: error.messages}) from None
        return found


@functools.lru_cache(maxsize=4096)
def _field(attribute: Attribute) -> fields.Field[Any]:
    single = _single(attribute)
    return fields.List(single) if attribute.multi_valued else single


def _single(attribute: Attribute) -> fields.Field[Any]:
    if attribute.type == "complex":
        return _Parts({sub.name: _field(sub) for sub in attribute.sub_attributes})
    make = _OF_TYPE.get(attribute.type, lambda: _Text(LONGEST_KEY if attribute.name in _KEYS else LONGEST_TEXT))
    return make()


_OF_TYPE: Mapping[str, Callable[[], fields.Field[Any]]] = {
    "boolean": lambda: _Exactly(bool, "true or false"),
    "integer": lambda: _Exactly(int, "a whole number"),
    "decimal": lambda: _Exactly((int, float), "a number"),
    "dateTime": lambda: _Moment(LONGEST_KEY),
    "binary": lambda: _Base64(LONGEST_BINARY),
}


def unassigned(value: Any) -> bool:
    """Whether a value is none: null and the empty list mean the same as leaving it out (RFC 7643, section 2.5)."""
    return value is None or value in ([], {})


def read_value(attribute: Attribute, sent: Any, *, place: str = "") -> Any:
    """Read what was sent for an attribute.

    Args:
        attribute: whose value it is.
        sent: a list for a multi-valued one.
        place: how the attribute is called in a refusal; its own name if left out.

    Returns:
        The value with the schema's spelling of names, without sub-attributes that are unknown, read-only or
        unassigned; None when nothing is left.

    Raises:
        InvalidValue: it is not of the attribute's type; the detail names the place.
    """
    place = place or attribute.name
    value = _spelled(attribute, sent, place)
    if unassigned(value):
        return None
    try:
        return _field(attribute).deserialize(value)
    except ValidationError as error:
        where, why = _first(error.messages, place)
        raise InvalidValue(f"{where}: {why.rstrip('.')}.") from None


def read_element(attribute: Attribute, sent: Any) -> Any:
    """Read one element of a multi-valued attribute.

    Raises:
        InvalidValue: it is not of the attribute's type.
    """
    elements = read_value(attribute, [sent])
    return elements[0] if elements else None


def _spelled(attribute: Attribute, sent: Any, place: str) -> Any:
    """The value with the schema's spelling, its type not yet looked at."""
    if attribute.multi_valued and isinstance(sent, list):
        spelled = [_spelled_one(attribute, element, f"{place}[{number}]") for number, element in enumerate(sent)]
        # A member without an id is no member left out, but one that is missing: it stays, to be refused.
        kept = sent if attribute.name == "members" else spelled
        return [element for element, known in zip(spelled, kept, strict=True) if not unassigned(known)]
    return sent if attribute.multi_valued else _spelled_one(attribute, sent, place)


def _spelled_one(attribute: Attribute, sent: Any, place: str) -> Any:
    if attribute.type != "complex" or not isinstance(sent, dict):
        return sent
    spelled: dict[str, Any] = {}
    for name, value in sent.items():
        sub = attribute.sub(name)
        if sub is None or sub.mutability == "readOnly" or unassigned(value):
            continue
        if sub.name in spelled:
            raise InvalidValue(f"{place}.{sub.name} is given twice.")
        spelled[sub.name] = _spelled(sub, value, f"{place}.{sub.name}")
    return spelled


# What every element of a multi-valued attribute may carry (RFC 7643, section 2.4), whether its schema lists it or not.
_ANYWHERE = frozenset({"value", "display", "type", "primary", "$ref"})


def dropped_parts(attribute: Attribute, sent: Any, *, place: str = "") -> Iterator[str]:
    """The sub-attributes in a value that `read_value` leaves out because the schema has none, or none to write.

    Args:
        attribute: whose value it is.
        sent: the value.
        place: how the attribute is called; its own name if left out.
    """
    place = place or attribute.name
    if attribute.type != "complex":
        return
    elements = sent if isinstance(sent, list) else [sent]
    names = dict.fromkeys(name for element in elements if isinstance(element, dict) for name in element)
    for name in names:
        sub = attribute.sub(name)
        if name.lower() not in _ANYWHERE and (sub is None or sub.mutability == "readOnly"):
            yield f"{place}.{name}"


def _first(messages: Any, place: str) -> tuple[str, str]:
    """The first thing that is wrong, and where."""
    if isinstance(messages, dict):
        name, below = next(iter(messages.items()))
        deeper = f"{place}[{name}]" if isinstance(name, int) else f"{place}.{name}"
        return _first(below, deeper)
    return (place, str(messages[0])) if isinstance(messages, list) else (place, str(messages))


def refuse_two_primaries(attribute: Attribute, elements: Iterable[Any]) -> None:
    """At most one element is the preferred one (RFC 7643, section 2.4).

    Raises:
        InvalidValue: more are.
    """
    if sum(1 for element in elements if isinstance(element, dict) and element.get("primary")) > 1:
        raise InvalidValue(f"{attribute.name}: only one element can be primary.")
