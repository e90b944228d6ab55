"""SCIM filters as SQL: the tree of RFC 7644, section 3.4.2.2, becomes conditions on indexed columns.

What has no column can't be filtered by, and is refused: nothing is ever evaluated in memory over everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from provisioning.directory.models import Group, Member, Membership
from provisioning.scim.compare import fold
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.filter import And, Comparison, Filter, Not, Or, Present, ValuePath, to_text

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class _Text:
    """A string attribute in a column; `folded` where the column holds what is compared without case."""

    column: InstrumentedAttribute[Any]
    folded: bool

    def present(self) -> Condition:
        return self.column.is_not(None)

    def compare(self, operator: str, value: Any) -> Condition:
        if value is None:
            return self.column.is_(None) if operator == "eq" else self.column.is_not(None)
        if not isinstance(value, str):
            raise InvalidFilter(f"{value!r} is no string, and is compared with a string attribute.")
        wanted = fold(value) if self.folded else value
        make = _ON_TEXT.get(operator)
        if make is None:
            raise InvalidFilter(f"The operator {operator} is not supported on this attribute.")
        return make(self.column, wanted)


_ON_TEXT: Mapping[str, Callable[[InstrumentedAttribute[Any], str], Condition]] = {
    "eq": lambda column, value: column == value,
    # An attribute without a value is not equal to any: RFC 7644 leaves it open, and this is what `not (eq)` says.
    "ne": lambda column, value: column.is_distinct_from(value),
    "co": lambda column, value: column.contains(value, autoescape=True),
    "sw": lambda column, value: column.startswith(value, autoescape=True),
    "ew": lambda column, value: column.endswith(value, autoescape=True),
}


@dataclass(frozen=True, slots=True)
class _Identifier:
    """An id: what is no id of ours is simply not found."""

    column: InstrumentedAttribute[Any]

    def present(self) -> Condition:
        return true()

    def compare(self, operator: str, value: Any) -> Condition:
        if operator not in {"eq", "ne"}:
            raise InvalidFilter(f"The operator {operator} is not supported on an id: use eq.")
        same = self.column == wanted if (wanted := as_id(value)) else false()
        return same if operator == "eq" else not_(same)


@dataclass(frozen=True, slots=True)
class _Flag:
    """A boolean attribute."""

    column: InstrumentedAttribute[Any]

    def present(self) -> Condition:
        return true()

    def compare(self, operator: str, value: Any) -> Condition:
        truth = {"true": True, "false": False}.get(str(value).lower())
        if operator not in {"eq", "ne"} or truth is None:
            raise InvalidFilter("A boolean attribute is compared by eq or ne with true or false.")
        return self.column.is_(truth) if operator == "eq" else self.column.is_not(truth)


@dataclass(frozen=True, slots=True)
class _InGroup:
    """`members` of a Group: whether somebody belongs to it, asked of the membership's index."""

    def present(self) -> Condition:
        return self._exists(true())

    def compare(self, operator: str, value: Any) -> Condition:
        if operator != "eq":
            raise InvalidFilter(f"The operator {operator} is not supported on members: use eq.")
        wanted = as_id(value)
        return self._exists(Membership.member_id == wanted) if wanted else false()

    @staticmethod
    def _exists(condition: Condition) -> Condition:
        belonging = (Membership.workspace_id == Group.workspace_id, Membership.group_id == Group.id)
        return select(1).where(*belonging, condition).correlate(Group).exists()


_Attributes = Mapping[str, _Text | _Identifier | _Flag | _InGroup]

_OF_MEMBERS: _Attributes = {
    "id": _Identifier(Member.id),
    "username": _Text(Member.user_name_key, folded=True),
    "externalid": _Text(Member.external_id, folded=False),
    "displayname": _Text(Member.display_name_key, folded=True),
    "active": _Flag(Member.active),
}
_OF_GROUPS: _Attributes = {
    "id": _Identifier(Group.id),
    "displayname": _Text(Group.display_name_key, folded=True),
    "externalid": _Text(Group.external_id, folded=False),
    "members": _InGroup(),
    "members.value": _InGroup(),
}


def as_id(value: Any) -> UUID | None:
    """The id that a client wrote, or None where it is none of the form that ids here have."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def member_condition(tree: Filter) -> Condition:
    """A filter over Users as a condition on members.

    Raises:
        InvalidFilter: it names an attribute or operator that members can't be found by.
    """
    return _condition(tree, _OF_MEMBERS)


def group_condition(tree: Filter) -> Condition:
    """A filter over Groups as a condition on user groups.

    Raises:
        InvalidFilter: it names an attribute or operator that groups can't be found by.
    """
    return _condition(tree, _OF_GROUPS)


def _condition(tree: Filter, attributes: _Attributes) -> Condition:
    match tree:
        case And(terms):
            return and_(*(_condition(term, attributes) for term in terms))
        case Or(terms):
            return or_(*(_condition(term, attributes) for term in terms))
        case Not(term):
            return not_(_condition(term, attributes))
        case Present(path):
            return _attribute(path, attributes).present()
        case Comparison(path, operator, value):
            return _attribute(path, attributes).compare(operator, value)
        case ValuePath():
            raise InvalidFilter(f"Filtering by {to_text(tree)} is not supported: {_supported(attributes)}.")


def _attribute(path: Any, attributes: _Attributes) -> _Text | _Identifier | _Flag | _InGroup:
    name = path.name if path.sub is None else f"{path.name}.{path.sub}"
    found = attributes.get(name.lower())
    if found is None:
        raise InvalidFilter(f"Filtering by {path} is not supported: {_supported(attributes)}.")
    return found


def _supported(attributes: _Attributes) -> str:
    return f"use one of {', '.join(sorted(attributes))}"
