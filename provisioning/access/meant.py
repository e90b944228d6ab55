"""Whom a rule means at this moment: the pushed groups, and the active people who would have what a mapping gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, Text, and_, func, literal, or_, select, union_all
from sqlalchemy.engine import Connection

from provisioning.access import custom_roles, mappings
from provisioning.access.drafts import Rule, read_rule
from provisioning.access.mappings import MappingView
from provisioning.access.patterns import parse_pattern, read
from provisioning.access.roles import Catalogue
from provisioning.directory import extensions, listing
from provisioning.directory.filters import Viewer, over_groups, over_members
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.directory.models import Group, Member, Membership
from provisioning.directory.paging import Page, Window
from provisioning.directory.roster import MemberView
from provisioning.refusals import Invalid
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.extensions import Kinds

# Nobody reads the difference between so many people and more, and to count them all would cost the more.
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Meant:
    """Some of those whom a rule means: groups, None where it is about people, and the people themselves."""

    groups: Page[GroupView] | None
    people: Page[MemberView]


@dataclass(frozen=True, slots=True)
class Count:
    """How many a rule means: groups, None where it is about people, and people, up to one more than `COUNTED`.

    `group` is what the first of the groups is called.
    """

    groups: int | None
    people: int
    group: str | None = None


def by_rule(
    connection: Connection, *, workspace_id: UUID, rule: Rule, catalogue: Catalogue, groups: Window, people: Window
) -> Meant:
    """Whom a rule means, whether or not it is that of a mapping yet.

    Args:
        connection: to read with.
        workspace_id: where.
        rule: as it was written or stored.
        catalogue: the built-in roles, which names of groups may say.
        groups: which part of the groups is wanted.
        people: which part of the people.

    Raises:
        Invalid: the rule can't be.
    """
    asking = _asking(connection, workspace_id, [rule], catalogue)
    try:
        meets = asking.meets(read_rule(rule, asking.kinds))
    except InvalidFilter as error:
        raise Invalid(f"The condition can't be asked: {error.detail}", field="condition") from None
    if rule.resource_type != "Group":
        return Meant(None, _active(connection, workspace_id, meets, people))
    linked = [listing.LINKED, meets]
    found = listing.of_groups(connection, workspace_id=workspace_id, selection=Selection(groups), meeting=linked)
    return Meant(found, _active(connection, workspace_id, _inside(workspace_id, meets), people))


def _active(connection: Connection, workspace_id: UUID, meets: ColumnElement[bool], window: Window) -> Page[MemberView]:
    whose = [Member.active.expression, meets]
    return listing.of_members(connection, workspace_id=workspace_id, selection=Selection(window), meeting=whose)


def count(
    connection: Connection, *, workspace_id: UUID, found: Sequence[MappingView], catalogue: Catalogue
) -> dict[UUID, Count]:
    """How many each of some mappings means; nothing of one whose rule can't be asked any more."""
    asking = _asking(connection, workspace_id, [mapping.rule for mapping in found], catalogue)
    counts = []
    for mapping in found:
        try:
            counts.append(_counting(workspace_id, mapping, asking.meets(mapping.rule)))
        except InvalidFilter:
            continue
    if not counts:
        return {}
    rows = connection.execute(union_all(*counts)).all()
    return {mapping_id: Count(*counted) for mapping_id, *counted in rows}


def _counting(workspace_id: UUID, mapping: MappingView, meets: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    here = (Member.workspace_id == workspace_id, Member.active)
    of_groups: ColumnElement[Any]
    first: ColumnElement[Any]
    if mapping.rule.resource_type == "User":
        some = select(Member.id).where(*here, meets)
        of_groups, first = (literal(None, Integer), literal(None, Text))
    else:
        some = select(Member.id).where(*here, _inside(workspace_id, meets))
        linked = (Group.workspace_id == workspace_id, listing.LINKED, meets)
        of_groups = select(func.count()).select_from(Group).where(*linked).scalar_subquery()
        first = select(func.min(Group.display_name)).where(*linked).scalar_subquery()
    people = select(func.count()).select_from(some.limit(COUNTED + 1).subquery())
    return select(literal(mapping.id), of_groups, people.scalar_subquery(), first)


def _inside(workspace_id: UUID, meets: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a member is in a pushed group that meets a condition."""
    belonging = and_(Membership.workspace_id == Group.workspace_id, Membership.group_id == Group.id)
    inside = select(Membership.member_id).join(Group, belonging)
    return Member.id.in_(inside.where(Group.workspace_id == workspace_id, listing.LINKED, meets))


@dataclass(frozen=True, slots=True)
class _Asking:
    """What rules are asked with: the workspace's attributes, and what names of its pushed groups could say."""

    kinds: Kinds
    named: Sequence[tuple[UUID, str]]
    roles: Sequence[str]

    def meets(self, rule: Rule) -> ColumnElement[bool]:
        """A rule as a condition on groups or members.

        Raises:
            InvalidFilter: it names an attribute that isn't there any more.
        """
        if rule.pattern is not None:
            pattern = parse_pattern(rule.pattern)
            return Group.id.in_([group_id for group_id, name in self.named if read(pattern, name, self.roles)])
        over = over_groups if rule.resource_type == "Group" else over_members
        return over(Viewer(self.kinds)).condition(mappings.parsed(rule.condition or ""))


def _asking(connection: Connection, workspace_id: UUID, rules: Sequence[Rule], catalogue: Catalogue) -> _Asking:
    """Load what rules are asked with, names of groups only where some rule reads them."""
    kinds = extensions.kinds(connection, workspace_id=workspace_id)
    starts = [parse_pattern(rule.pattern).texts[0] for rule in rules if rule.pattern is not None]
    if not starts:
        return _Asking(kinds, (), ())
    begins = or_(*(Group.display_name.startswith(start, autoescape=True) for start in starts))
    linked = select(Group.id, Group.display_name).where(Group.workspace_id == workspace_id, listing.LINKED, begins)
    named = [(group_id, name) for group_id, name in connection.execute(linked)]
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=catalogue)
    return _Asking(kinds, named, [role.key for role in roles])
