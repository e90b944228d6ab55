"""SCIM filters as SQL: the tree of RFC 7644, section 3.4.2.2, becomes one condition, for every attribute there is.

Attributes that have a column are asked there. All others are asked in the `search` document, whose strings are folded
where the schema has no regard to case; equality in a list is asked by containment, which keeps to one element and can
use an index. Nothing is ever evaluated in memory over everybody, and it means what `scim.match` says it means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, literal, not_, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute

from provisioning.directory.models import Group, Member, Membership
from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.filter import And, Comparison, Filter, Not, Or, Present, ValuePath, to_text
from provisioning.scim.match import require_comparable, wanted_value
from provisioning.scim.path import AttributePath
from provisioning.scim.schema import Attribute, Found, ResourceType

Condition = ColumnElement[bool]
_Value = ColumnElement[Any] | InstrumentedAttribute[Any]
# Asked of a value of the given attribute: `(operator, value) -> condition`.
_Asked = Callable[[str, Any], Condition]

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
_INSTANT: Mapping[str, Callable[[Any, Any], Condition]] = {
    "eq": lambda have, want: have == want,
    "gt": lambda have, want: have > want,
    "ge": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "le": lambda have, want: have <= want,
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
        InvalidFilter: it names what a User doesn't have, or compares it with what it can't be compared with.
    """
    return _MEMBERS.condition(tree)


def group_condition(tree: Filter) -> Condition:
    """A filter over Groups as a condition on user groups.

    Raises:
        InvalidFilter: it names what a Group doesn't have, or compares it with what it can't be compared with.
    """
    return _GROUPS.condition(tree)


@dataclass(frozen=True, slots=True)
class Order:
    """By which attribute a list is sorted (RFC 7644, section 3.4.2.3)."""

    path: AttributePath
    descending: bool = False


def member_order(order: Order) -> ColumnElement[Any]:
    """An order of Users as one of members; those without a value come last, or first when descending.

    Raises:
        InvalidFilter: it names what a User doesn't have, or can't be sorted by.
    """
    return _MEMBERS.order(order)


def group_order(order: Order) -> ColumnElement[Any]:
    """An order of Groups as one of user groups.

    Raises:
        InvalidFilter: it names what a Group doesn't have, or can't be sorted by.
    """
    return _GROUPS.order(order)


@dataclass(frozen=True, slots=True)
class _Compiler:
    """What filters over one type of resource become: its table, its document for searching, its own columns."""

    resource_type: ResourceType
    table: type[Any]
    columns: Mapping[str, _Value]
    # Attributes that are kept in the membership table: what stands for their `value` and `display` there.
    related: str
    related_parts: Mapping[str, _Value]
    related_rows: Callable[[Condition], Condition]

    def condition(self, tree: Filter) -> Condition:
        match tree:
            case And(terms):
                return and_(*map(self.condition, terms))
            case Or(terms):
                return or_(*map(self.condition, terms))
            case Not(term):
                return self._not(self.condition(term))
            case Present(path):
                return self._compare(path, "ne", None)
            case Comparison(path, operator, value):
                return self._compare(path, operator, value)
            case ValuePath(path, condition):
                return self._one_element(path, condition)

    def order(self, order: Order) -> ColumnElement[Any]:
        found = self._find(order.path)
        leaf = _default_part(found)
        if found.attribute.name == self.related:
            raise InvalidFilter(f"Sorting by {order.path} is not supported.")
        value: ColumnElement[Any] = self._sorted_by(found, leaf)
        return value.desc().nulls_first() if order.descending else value.asc().nulls_last()

    def _sorted_by(self, found: Found, leaf: Attribute) -> Any:
        key = ".".join(part.name for part in (found.attribute, found.sub) if part).lower()
        if found.extension is None and key in self.columns:
            column = self.columns[key]
            return column.collate("C") if leaf.type == "string" and leaf.name != "id" else column
        holder = self.table.search[found.extension] if found.extension else self.table.search
        held = holder[found.attribute.name]
        if not found.attribute.multi_valued:
            return (held if leaf is found.attribute else held[leaf.name]).astext.collate("C")
        # The primary element counts; where none is, the first does.
        element = func.jsonb_array_elements(held, type_=JSONB).column_valued("element")
        primary = select(element[leaf.name].astext).where(element["primary"].as_boolean()).limit(1)
        return func.coalesce(primary.correlate(self.table).scalar_subquery(), held[0][leaf.name].astext).collate("C")

    @staticmethod
    def _not(condition: Condition) -> Condition:
        """SQL's third truth value is no: what can't be compared doesn't match, so its opposite does."""
        return not_(func.coalesce(condition, false()))

    def _compare(self, path: AttributePath, operator: str, value: Any) -> Condition:
        found = self._find(path)
        leaf = _default_part(found)
        require_comparable(leaf, operator, value)
        if operator == "ne" and value is not None:
            return self._not(self._compare(path, "eq", value))
        if found.attribute.name == self.related:
            return self._related(leaf, operator, value)
        key = ".".join(part.name for part in (found.attribute, found.sub) if part).lower()
        if found.extension is None and key in self.columns:
            return _ask(self.columns[key], leaf, operator, value)
        return self._in_document(found, leaf, operator, value)

    def _find(self, path: AttributePath) -> Found:
        found = self.resource_type.find(path.urn, path.name, path.sub)
        if found is None:
            raise InvalidFilter(f"A {self.resource_type.name} has no attribute {path}.")
        if found.attribute.name == "schemas" or (
            found.sub is not None and found.sub.name in {"$ref", "location", "version"}
        ):
            raise InvalidFilter(f"Filtering by {path} is not supported.")
        return found

    def _in_document(self, found: Found, leaf: Attribute, operator: str, value: Any) -> Condition:
        holder = self.table.search[found.extension] if found.extension else self.table.search
        held = holder[found.attribute.name]
        if not found.attribute.multi_valued:
            part = held if leaf is found.attribute else held[leaf.name]
            return _ask_json(part, leaf, operator, value)
        if operator == "eq" and value is not None:
            contained: Condition = held.contains(literal([{leaf.name: wanted_value(leaf, value)}], JSONB))
            return contained
        if value is None:
            some = self._some_element(held, lambda element: _ask_json(element[leaf.name], leaf, "ne", None))
            return some if operator == "ne" else self._not(some)
        return self._some_element(held, lambda element: _ask_json(element[leaf.name], leaf, operator, value))

    def _some_element(self, held: Any, asked: Callable[[Any], Condition]) -> Condition:
        element = func.jsonb_array_elements(held, type_=JSONB).column_valued("element")
        return select(1).where(asked(element)).correlate(self.table).exists()

    def _one_element(self, path: AttributePath, condition: Filter) -> Condition:
        """RFC 7644, section 3.4.2.2: the whole condition is met by one and the same element."""
        found = self._find(path)
        if found.sub is not None or not found.attribute.sub_attributes:
            raise InvalidFilter(f"{path} has no elements to select by {to_text(condition)}.")
        if found.attribute.name == self.related:
            return self.related_rows(self._within(condition, found.attribute, self._related_part))
        holder = self.table.search[found.extension] if found.extension else self.table.search
        held = holder[found.attribute.name]
        if not found.attribute.multi_valued:
            present = func.coalesce(func.jsonb_typeof(held) == "object", false())
            return and_(present, self._within(condition, found.attribute, _part_of(held)))
        return self._some_element(held, lambda element: self._within(condition, found.attribute, _part_of(element)))

    def _within(self, tree: Filter, attribute: Attribute, part: Callable[[Attribute], _Asked]) -> Condition:
        """A condition over the sub-attributes of one element."""
        match tree:
            case And(terms):
                return and_(*(self._within(term, attribute, part) for term in terms))
            case Or(terms):
                return or_(*(self._within(term, attribute, part) for term in terms))
            case Not(term):
                return self._not(self._within(term, attribute, part))
            case Present(path):
                return part(_sub(attribute, path))("ne", None)
            case Comparison(path, operator, value):
                sub = _sub(attribute, path)
                require_comparable(sub, operator, value)
                if operator == "ne" and value is not None:
                    return self._not(part(sub)("eq", value))
                return part(sub)(operator, value)
            case ValuePath():
                raise InvalidFilter(f"{to_text(tree)} stands within another selection.")

    def _related(self, leaf: Attribute, operator: str, value: Any) -> Condition:
        """Whether somebody is in a group: asked of the membership's index."""
        if value is None:
            some = self.related_rows(true())
            return some if operator == "ne" else not_(some)
        return self.related_rows(self._related_part(leaf)(operator, value))

    def _related_part(self, sub: Attribute) -> _Asked:
        column = self.related_parts.get(sub.name)
        if column is None:
            constant = {"type": "direct" if self.related == "groups" else "user"}.get(sub.name)
            if constant is None:
                raise InvalidFilter(f"Filtering by {self.related}.{sub.name} is not supported.")
            return lambda operator, value: _ask(literal(constant), sub, operator, value)
        return lambda operator, value: _ask(column, sub, operator, value)


def _default_part(found: Found) -> Attribute:
    """What is compared: the attribute; of a complex one without a named part, its `value`."""
    leaf = found.leaf
    if leaf.type != "complex":
        return leaf
    default = leaf.sub("value")
    if default is None:
        raise InvalidFilter(f"{leaf.name} is compared by its sub-attributes, such as {leaf.sub_attributes[0].name}.")
    return default


def _sub(attribute: Attribute, path: AttributePath) -> Attribute:
    sub = attribute.sub(path.name) if path.urn is None and path.sub is None else None
    if sub is None:
        raise InvalidFilter(f"{attribute.name} has no sub-attribute {path}.")
    return sub


def _part_of(element: Any) -> Callable[[Attribute], _Asked]:
    return lambda sub: lambda operator, value: _ask_json(element[sub.name], sub, operator, value)


def _ask_json(value: Any, attribute: Attribute, operator: str, wanted: Any) -> Condition:
    """Ask a value of the document."""
    if wanted is None:
        return _null(value.astext, operator)
    return _ask(value.as_boolean() if attribute.type == "boolean" else value.astext, attribute, operator, wanted)


def _null(value: Any, operator: str) -> Condition:
    """`eq null` asks for no value, `ne null` (and `pr`) for any; the empty string is none."""
    present = func.coalesce(value, "") != ""
    return present if operator == "ne" else not_(present)


def _ask(value: Any, attribute: Attribute, operator: str, wanted: Any) -> Condition:
    """Ask a value that is of its attribute's type."""
    is_id = getattr(getattr(value, "type", None), "python_type", None) is UUID
    if wanted is None:
        if attribute.type in {"boolean", "dateTime"} or is_id:
            return true() if operator == "ne" else false()
        return _null(value, operator)
    if is_id:
        return _ask_id(value, operator, wanted)
    if attribute.type == "boolean":
        return value.is_(wanted_value(attribute, wanted))  # type: ignore[no-any-return]
    table = _INSTANT if attribute.type == "dateTime" else _TEXT
    make = table.get(operator)
    if make is None:
        raise InvalidFilter(f"{attribute.name} is a {attribute.type}, which is not compared by {operator}.")
    return make(value, wanted_value(attribute, wanted, operator))


def _ask_id(value: Any, operator: str, wanted: Any) -> Condition:
    if operator != "eq":
        raise InvalidFilter(f"An id is compared by eq, not by {operator}.")
    identifier = as_id(wanted)
    return false() if identifier is None else value == identifier


def _in_groups(condition: Condition) -> Condition:
    belonging = (Membership.workspace_id == Member.workspace_id, Membership.member_id == Member.id)
    group = (Group.workspace_id == Membership.workspace_id) & (Group.id == Membership.group_id)
    return select(1).select_from(Membership).join(Group, group).where(*belonging, condition).correlate(Member).exists()


def _with_members(condition: Condition) -> Condition:
    belonging = (Membership.workspace_id == Group.workspace_id, Membership.group_id == Group.id)
    member = (Member.workspace_id == Membership.workspace_id) & (Member.id == Membership.member_id)
    return select(1).select_from(Membership).join(Member, member).where(*belonging, condition).correlate(Group).exists()


def _meta(table: type[Any], name: str) -> dict[str, _Value]:
    return {
        "id": table.id,
        "externalid": table.external_id,
        "displayname": table.display_name_key,
        "meta.resourcetype": literal(name),
        # As precise as they are shown.
        "meta.created": func.date_trunc("milliseconds", table.created_at),
        "meta.lastmodified": func.date_trunc("milliseconds", table.modified_at),
    }


_MEMBERS = _Compiler(
    USER,
    Member,
    {**_meta(Member, "User"), "username": Member.user_name_key, "active": Member.active},
    related="groups",
    related_parts={"value": Group.id, "display": Group.display_name_key},
    related_rows=_in_groups,
)
_GROUPS = _Compiler(
    GROUP,
    Group,
    _meta(Group, "Group"),
    related="members",
    related_parts={"value": Member.id, "display": func.coalesce(Member.display_name_key, Member.user_name_key)},
    related_rows=_with_members,
)
