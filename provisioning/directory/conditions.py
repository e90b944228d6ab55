"""One comparison of a filter as SQL: what is asked of one value, by the type of its attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Numeric, Text, cast, false, func, literal, not_, true

from provisioning.scim.errors import InvalidFilter
from provisioning.scim.match import wanted_value
from provisioning.scim.schema import Attribute
from provisioning.scim.search import as_text

Condition = ColumnElement[bool]

_TEXT: Mapping[str, Callable[[Any, Any], Condition]] = {
    "eq": lambda have, want: have == want,
    "co": lambda have, want: have.contains(want, autoescape=True),
    "sw": lambda have, want: have.startswith(want, autoescape=True),
    "ew": lambda have, want: have.endswith(want, autoescape=True),
    "gt": lambda have, want: have.collate("C") > want,
    "ge": lambda have, want: have.collate("C") >= want,
    "lt": lambda have, want: have.collate("C") < want,
    "le": lambda have, want: have.collate("C") <= want,
}
_IN_ORDER: Mapping[str, Callable[[Any, Any], Condition]] = {
    "eq": lambda have, want: have == want,
    "gt": lambda have, want: have > want,
    "ge": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "le": lambda have, want: have <= want,
}

_NUMBERS = frozenset({"integer", "decimal"})
# More of a text than this is not sorted by: a cursor has to carry it.
_SORTED_BY = 1000


def in_utc(moment: Any) -> ColumnElement[str]:
    """A moment as it is shown and sorted by."""
    return func.to_char(func.timezone("UTC", moment), 'YYYY-MM-DD"T"HH24:MI:SS.MS', type_=Text)


def as_id(value: Any) -> UUID | None:
    """The id that a client wrote, or None where it is none of the form that ids here have."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def stored(attribute: Attribute, value: Any) -> Any:
    """The value of a filter in the form in which documents for searching hold it."""
    wanted = wanted_value(attribute, value)
    return as_text(wanted) if attribute.type == "dateTime" else wanted


def ask_json(value: Any, attribute: Attribute, operator: str, wanted: Any) -> Condition:
    """Ask a value of the document."""
    if wanted is None:
        return _null(value.astext, operator)
    if attribute.type == "boolean":
        return value.as_boolean().is_(wanted_value(attribute, wanted))  # type: ignore[no-any-return]
    if attribute.type in _NUMBERS:
        number = wanted_value(attribute, wanted)
        return _IN_ORDER[operator](_as_number(value), literal(Decimal(str(number)), Numeric))
    if attribute.type == "dateTime":
        return _TEXT[operator](value.astext, stored(attribute, wanted))
    return ask(value.astext, attribute, operator, wanted)


def _as_number(value: Any) -> Any:
    return cast(value.astext, Numeric)


def sortable(value: Any, attribute: Attribute) -> Any:
    """A value of the document as it is sorted by: of a text its beginning, so that it fits into a cursor."""
    return _as_number(value) if attribute.type in _NUMBERS else func.left(value.astext, _SORTED_BY)


def _null(value: Any, operator: str) -> Condition:
    """`eq null` asks for no value, `ne null` (and `pr`) for any; the empty string is none."""
    present = func.coalesce(value, "") != ""
    return present if operator == "ne" else not_(present)


def ask(value: Any, attribute: Attribute, operator: str, wanted: Any) -> Condition:
    """Ask a column that is of its attribute's type."""
    is_id = getattr(getattr(value, "type", None), "python_type", None) is UUID
    if wanted is None:
        if attribute.type in {"boolean", "dateTime"} or is_id:
            return true() if operator == "ne" else false()
        return _null(value, operator)
    if is_id:
        return _ask_id(value, operator, wanted)
    if attribute.type == "boolean":
        return value.is_(wanted_value(attribute, wanted))  # type: ignore[no-any-return]
    table = _IN_ORDER if attribute.type == "dateTime" else _TEXT
    return table[operator](value, wanted_value(attribute, wanted, operator))


def _ask_id(value: Any, operator: str, wanted: Any) -> Condition:
    if operator != "eq":
        raise InvalidFilter(f"An id is compared by eq, not by {operator}.")
    identifier = as_id(wanted)
    return false() if identifier is None else value == identifier
