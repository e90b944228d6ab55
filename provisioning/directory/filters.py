"""SCIM filters as SQL: the tree of RFC 7644, section 3.4.2.2, becomes one condition, for every attribute there is.

Attributes that have a column are asked there. All others are asked in the `search` document, whose strings are folded
where the schema has no regard to case; equality in a list is asked by containment, which keeps to one element and can
use an index. Nothing is ever evaluated in memory over everybody, and it means what `scim.match` says it means.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Text,
    and_,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from provisioning.directory.conditions import Condition, ask, ask_json, in_utc, sortable, stored
from provisioning.directory.models import Group, Member, Membership
from provisioning.directory.paging import Sorting
from provisioning.scim.compare import fold
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.extensions import STANDARD, Kinds
from provisioning.scim.filter import And, Comparison, Filter, Not, Or, Present, ValuePath, to_text
from provisioning.scim.match import compare_one, require_comparable
from provisioning.scim.path import AttributePath
from provisioning.scim.schema import Attribute, Found, ResourceType

# Asked of a value of the given attribute: `(operator, value) -> condition`.
_Asked = Callable[[str, Any], Condition]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Through whose eyes resources are looked at.

    Args:
        kinds: the types of resource of their workspace, with its extensions.
        connection_id: whose externalIds are meant; None for the first that anybody gave.
        base_url: under which locations stand.
    """

    kinds: Kinds = STANDARD
    connection_id: UUID | None = None
    base_url: str = ""


ANYBODY = Viewer()


@dataclass(frozen=True, slots=True)
class Order:
    """By which attribute a list is sorted (RFC 7644, section 3.4.2.3)."""

    path: AttributePath
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Compiler:
    """What filters over one type of resource become: its table, its document for searching, its own columns."""

    resource_type: ResourceType
    table: type[Any]
    columns: Mapping[str, Any]
    # Attributes that are kept in the membership table: what stands for their parts there.
    related: str
    related_parts: Mapping[str, Any]
    related_rows: Callable[[Condition], Condition]
    related_least: Callable[[Any], ColumnElement[Any]]
    # How equality is asked where an index doesn't serve the plain comparison.
    indexed: Mapping[str, Callable[[Any], Condition]]
    # Attributes whose part of the document for searching is a column of its own.
    apart: Mapping[str, Any]
    # Whether what the resource type doesn't have is taken for absent (RFC 7644, section 3.4.2.1), and not refused.
    lenient: bool = False

    def condition(self, tree: Filter) -> Condition:
        """A filter as a condition on rows of the table.

        Raises:
            InvalidFilter: it names what the resource type doesn't have, or compares it with what it can't be.
        """
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

    def sorting(self, order: Order) -> Sorting:
        """An order as one of the rows.

        Raises:
            InvalidFilter: it names what the resource type doesn't have, or can't be sorted by.
        """
        found = self._find(order.path)
        key: Any = null() if found is None else self._sorted_by(found, _default_part(found))
        return Sorting(key if isinstance(key.type, Numeric) else cast(key, Text).collate("C"), order.descending)

    def _sorted_by(self, found: Found, leaf: Attribute) -> Any:
        key = _key(found)
        if found.attribute.name == self.related:
            return self.related_least(self._part_of_related(leaf))
        if found.extension is None and key in self.columns:
            column = self.columns[key]
            return in_utc(column) if leaf.type == "dateTime" else column
        held = self._held(found)
        if not found.attribute.multi_valued:
            return sortable(held if leaf is found.attribute else held[leaf.name], leaf)
        if leaf is found.attribute:
            return sortable(held[0], leaf)
        # The primary element counts; where none is, the first does.
        element = func.jsonb_array_elements(held, type_=JSONB).column_valued("element")
        primary = select(sortable(element[leaf.name], leaf)).where(element["primary"].as_boolean()).limit(1)
        return func.coalesce(primary.correlate(self.table).scalar_subquery(), sortable(held[0][leaf.name], leaf))

    @staticmethod
    def _not(condition: Condition) -> Condition:
        """SQL's third truth value is no: what can't be compared doesn't match, so its opposite does."""
        return not_(func.coalesce(condition, false()))

    def _held(self, found: Found) -> Any:
        if found.extension is None and found.attribute.name in self.apart:
            return self.apart[found.attribute.name]
        holder = self.table.search[found.extension] if found.extension else self.table.search
        return holder[found.attribute.name]

    def _compare(self, path: AttributePath, operator: str, value: Any) -> Condition:
        found = self._find(path)
        if found is None:
            return true() if operator == ("eq" if value is None else "ne") else false()
        leaf = _default_part(found)
        require_comparable(leaf, operator, value)
        if operator == "ne" and value is not None:
            return self._not(self._compare(path, "eq", value))
        if found.attribute.name == self.related:
            return self._related(leaf, operator, value)
        if found.attribute.name == "schemas":
            return self._schemas(leaf, operator, value)
        key = _key(found)
        if found.extension is None and key in self.columns:
            return self._in_column(key, leaf, operator, value)
        return self._in_document(found, leaf, operator, value)

    def _in_column(self, key: str, leaf: Attribute, operator: str, value: Any) -> Condition:
        if operator == "eq" and value is not None and key in self.indexed:
            return self.indexed[key](value)
        return ask(self.columns[key], leaf, operator, value)

    def _schemas(self, leaf: Attribute, operator: str, value: Any) -> Condition:
        """Every resource is of the core schema, and of those of its extensions that it has values under."""
        if value is None:
            return true() if operator == "ne" else false()
        urns = [self.resource_type.schema.id, *(extension.id for extension in self.resource_type.extensions)]
        met = [urn for urn in urns if compare_one(leaf, urn, operator, value)]
        return true() if urns[0] in met else or_(false(), *(self.table.search.has_key(urn) for urn in met))

    def _find(self, path: AttributePath) -> Found | None:
        found = self.resource_type.find(path.urn, path.name, path.sub)
        if found is None and self.lenient:
            return None
        if found is None:
            raise InvalidFilter(f"A {self.resource_type.name} has no attribute {path}.")
        if found.leaf.returned == "never":
            raise InvalidFilter(f"{path} is not shown, and so not filtered or sorted by.")
        if _key(found) == "meta.version":
            raise InvalidFilter(f"Filtering by {path} is not supported: send If-Match or If-None-Match.")
        return found

    def _in_document(self, found: Found, leaf: Attribute, operator: str, value: Any) -> Condition:
        held = self._held(found)
        if not found.attribute.multi_valued:
            part = held if leaf is found.attribute else held[leaf.name]
            return ask_json(part, leaf, operator, value)

        def part_of(element: Any) -> Any:
            return element[() if leaf is found.attribute else leaf.name]

        if operator == "eq" and value is not None:
            wanted = stored(leaf, value)
            contained: Condition = held.contains(
                literal([wanted if leaf is found.attribute else {leaf.name: wanted}], JSONB)
            )
            return contained
        if value is None:
            some = self._some_element(held, lambda element: ask_json(part_of(element), leaf, "ne", None))
            return some if operator == "ne" else self._not(some)
        return self._some_element(held, lambda element: ask_json(part_of(element), leaf, operator, value))

    def _some_element(self, held: Any, asked: Callable[[Any], Condition]) -> Condition:
        element = func.jsonb_array_elements(held, type_=JSONB).column_valued("element")
        return select(1).where(asked(element)).correlate(self.table).exists()

    def _one_element(self, path: AttributePath, condition: Filter) -> Condition:
        """RFC 7644, section 3.4.2.2: the whole condition is met by one and the same element."""
        found = self._find(path)
        if found is None:
            return false()
        if found.sub is not None or not found.attribute.sub_attributes:
            raise InvalidFilter(f"{path} has no elements to select by {to_text(condition)}.")
        if found.attribute.name == self.related:
            return self.related_rows(self._within(condition, found.attribute, self._related_part))
        held = self._held(found)
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
        return lambda operator, value: ask(self._part_of_related(sub), sub, operator, value)

    def _part_of_related(self, sub: Attribute) -> Any:
        constant = "direct" if self.related == "groups" else "user"
        return literal(constant) if sub.name == "type" else self.related_parts[sub.name]


def _key(found: Found) -> str:
    return ".".join(part.name for part in (found.attribute, found.sub) if part).lower()


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
    if sub.returned == "never":
        raise InvalidFilter(f"{attribute.name}.{sub.name} is not shown, and so not filtered by.")
    return sub


def _part_of(element: Any) -> Callable[[Attribute], _Asked]:
    return lambda sub: lambda operator, value: ask_json(element[sub.name], sub, operator, value)


_BELONGING = (Membership.workspace_id == Member.workspace_id, Membership.member_id == Member.id)
_GROUP = (Group.workspace_id == Membership.workspace_id) & (Group.id == Membership.group_id)
_HAVING = (Membership.workspace_id == Group.workspace_id, Membership.group_id == Group.id)
_MEMBER = (Member.workspace_id == Membership.workspace_id) & (Member.id == Membership.member_id)


def _in_groups(condition: Condition) -> Condition:
    related = select(1).select_from(Membership).join(Group, _GROUP).where(*_BELONGING, condition)
    return related.correlate(Member).exists()


def _with_members(condition: Condition) -> Condition:
    related = select(1).select_from(Membership).join(Member, _MEMBER).where(*_HAVING, condition)
    return related.correlate(Group).exists()


def _least_group(part: Any) -> ColumnElement[Any]:
    related = select(func.min(cast(part, Text).collate("C"))).select_from(Membership).join(Group, _GROUP)
    return related.where(*_BELONGING).correlate(Member).scalar_subquery()


def _least_member(part: Any) -> ColumnElement[Any]:
    related = select(func.min(cast(part, Text).collate("C"))).select_from(Membership).join(Member, _MEMBER)
    return related.where(*_HAVING).correlate(Group).scalar_subquery()


def _meta(table: type[Any], kind: ResourceType, viewer: Viewer) -> dict[str, Any]:
    return {
        "id": table.id,
        "displayname": table.display_name_key,
        "meta.resourcetype": literal(kind.name),
        # As precise as they are shown.
        "meta.created": func.date_trunc("milliseconds", table.created_at),
        "meta.lastmodified": func.date_trunc("milliseconds", table.modified_at),
        "meta.location": literal(f"{viewer.base_url}{kind.endpoint}/").concat(cast(table.id, Text)),
    }


def _reference(table: type[Any], kind: ResourceType, viewer: Viewer) -> ColumnElement[str]:
    return literal(fold(f"{viewer.base_url}{kind.endpoint}/")).concat(cast(table.id, Text))


def has_external_id(connection_id: str, external_id: str) -> Condition:
    """Whether a connection calls a member so: by containment, which the index serves."""
    return Member.external_ids.contains(literal({connection_id: external_id}, JSONB))


@functools.lru_cache(maxsize=256)
def over_members(viewer: Viewer, *, lenient: bool = False) -> Compiler:
    """What makes conditions on members of filters over Users."""
    user, group = viewer.kinds
    asking = str(viewer.connection_id)
    external_id: Any = Member.external_ids[asking].astext
    indexed: dict[str, Callable[[Any], Condition]] = {"externalid": lambda value: has_external_id(asking, value)}
    if viewer.connection_id is None:
        first = func.jsonb_path_query_first(Member.external_ids, "$.*", type_=JSONB)
        external_id, indexed = first.op("#>>", return_type=Text())(literal([], ARRAY(Text))), {}
    own = {"username": Member.user_name_key, "active": Member.active, "externalid": external_id}
    parts = {"value": Group.id, "display": Group.display_name_key, "$ref": _reference(Group, group, viewer)}
    columns = {**_meta(Member, user, viewer), **own}
    apart = {"emails": Member.emails}
    return Compiler(user, Member, columns, "groups", parts, _in_groups, _least_group, indexed, apart, lenient)


@functools.lru_cache(maxsize=256)
def over_groups(viewer: Viewer, *, lenient: bool = False) -> Compiler:
    """What makes conditions on user groups of filters over Groups."""
    user, group = viewer.kinds
    parts = {"value": Member.id, "$ref": _reference(Member, user, viewer)}
    columns = {**_meta(Group, group, viewer), "externalid": Group.external_id}
    return Compiler(group, Group, columns, "members", parts, _with_members, _least_member, {}, {}, lenient)
