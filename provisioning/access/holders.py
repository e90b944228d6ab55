"""Who has what: the access of everybody in a workspace, as one statement. What it says of one is what `facts` says.

Used where a question is about many: who can touch this, and what a change would do to whom.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by
from sqlalchemy.engine import Connection

from provisioning.access import custom_roles, mappings
from provisioning.access.mappings import MappingView
from provisioning.access.models import Policy
from provisioning.access.patterns import parse_pattern, read
from provisioning.access.policies import COUNTS
from provisioning.access.roles import MINIMAL, OWNER, Catalogue, Role
from provisioning.access.rules import Facts, Grant, Path, Resource, Scope
from provisioning.directory import extensions
from provisioning.directory.filters import Viewer, over_groups, over_members
from provisioning.directory.models import Group, Member, Membership, Workspace
from provisioning.directory.paging import Page, Window, fetch
from provisioning.scim.errors import InvalidFilter

_EVERYTHING = Scope().as_json()
_STEPS = ("group_name", "mapping_name", "condition", "policy_id", "ends_at")
_Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may do something, and every path that leads there."""

    id: UUID
    name: str
    email: str
    paths: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class World:
    """What there is to derive access from besides the tables."""

    workspace_id: UUID
    roles: Catalogue
    rules: Sequence[MappingView]
    viewer: Viewer
    owners_by_mapping: bool

    def makes_owners(self, rule: MappingView) -> bool:
        """Whether what a mapping gives of ownership counts: the operator allows it, and two have said so."""
        return self.owners_by_mapping and rule.owners_confirmed


def world_of(connection: Connection, workspace_id: UUID, catalogue: Catalogue) -> World:
    """The world of a workspace at this moment."""
    asked = select(Workspace.owners_by_mapping, extensions.OF_WORKSPACE).where(Workspace.id == workspace_id)
    owners_by_mapping, definitions = connection.execute(asked).one()
    return World(
        workspace_id,
        custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=catalogue),
        [rule for rule in mappings.every(connection, workspace_id=workspace_id) if rule.enabled],
        Viewer(extensions.kinds_of(definitions)),
        owners_by_mapping,
    )


def everybody(connection: Connection, *, workspace_id: UUID, catalogue: Catalogue) -> Select[*tuple[Any, ...]]:
    """All that anybody has: `member_id`, `role`, `scope`; a line for each path, so that lines may be alike."""
    world = world_of(connection, workspace_id, catalogue)
    every = _relation(connection, world, wanted=[role.key for role in world.roles], covers=None)
    return select(every.c.member_id, every.c.role, every.c.scope)


def lines(
    connection: Connection, *, workspace_id: UUID, catalogue: Catalogue, ids: Collection[UUID]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """All that some members have: role, scope and the steps of each path, with the `origin` of its policy."""
    if not ids:
        return ()
    world = world_of(connection, workspace_id, catalogue)
    every = _relation(connection, world, wanted=[role.key for role in world.roles], covers=None)
    given = and_(Policy.workspace_id == workspace_id, Policy.id == every.c.policy_id)
    wanted = select(every, Policy.origin).outerjoin(Policy, given).where(every.c.member_id.in_(ids))
    return connection.execute(wanted.order_by(every.c.member_id, every.c.role, every.c.via, every.c.policy_id)).all()


def of_members(
    connection: Connection, *, workspace_id: UUID, roles: Catalogue, ids: Iterable[UUID]
) -> dict[UUID, Facts]:
    """What several members' access rests on, in one statement for all of them; nothing for those who are suspended.

    Args:
        connection: to read with.
        workspace_id: where.
        roles: all roles of the workspace.
        ids: whose.
    """
    grants: dict[UUID, list[Grant]] = {member_id: [] for member_id in ids}
    for line in lines(connection, workspace_id=workspace_id, catalogue=roles, ids=grants):
        grants[line.member_id].append(Grant(roles[line.role], Scope.from_json(line.scope), Path(line.via)))
    return {member_id: Facts(tuple(held)) for member_id, held in grants.items()}


def who_can(
    connection: Connection,
    *,
    workspace_id: UUID,
    action: str,
    resource: Resource | None,
    catalogue: Catalogue,
    window: Window,
) -> Page[Holder]:
    """Who may do something, in the order of their ids, with every path.

    Args:
        connection: to read with.
        workspace_id: where.
        action: such as `source.update`.
        resource: on which; None for what concerns the workspace itself.
        catalogue: the built-in roles.
        window: which part of the list.
    """
    world = world_of(connection, workspace_id, catalogue)
    kind = None if resource is None else resource.reference.type
    allowing = world.roles.allowing(action, kind)
    plain, modifiers = _split(allowing)
    able = _relation(connection, world, wanted=plain, covers=_covering(resource))
    parts = [select(able)]
    if modifiers and resource is not None:
        # A modifier counts only where another role reaches the resource already.
        reaching = [r.key for r in world.roles if not r.modifier and resource.reference.type in r.resource_types]
        there = _relation(connection, world, wanted=reaching, covers=_covering(resource))
        more = _relation(connection, world, wanted=modifiers, covers=_covering(resource))
        parts.append(select(more).where(more.c.member_id.in_(select(there.c.member_id))))
    found = union_all(*parts).subquery("found")
    return _page(connection, world, found, window)


def who_has(
    connection: Connection, *, workspace_id: UUID, role: str, catalogue: Catalogue, window: Window
) -> Page[Holder]:
    """Who has a role on anything, in the order of their ids, with every path.

    Args:
        connection: to read with.
        workspace_id: where.
        role: its key.
        catalogue: the built-in roles.
        window: which part of the list.
    """
    world = world_of(connection, workspace_id, catalogue)
    return _page(connection, world, _relation(connection, world, wanted=[role], covers=None), window)


def _split(roles: Iterable[Role]) -> tuple[list[str], list[str]]:
    return [r.key for r in roles if not r.modifier], [r.key for r in roles if r.modifier]


def _page(connection: Connection, world: World, found: Any, window: Window) -> Page[Holder]:
    path = func.jsonb_strip_nulls(
        func.jsonb_build_object(
            *("role", found.c.role, "via", found.c.via, "scope", found.c.scope),
            *("group", found.c.group_name, "mapping", found.c.mapping_name, "condition", found.c.condition),
            *("policy", found.c.policy_id, "ends", found.c.ends_at),
        )
    )
    held = (
        select(found.c.member_id, func.jsonb_agg(aggregate_order_by(path, cast(path, Text))).label("paths"))
        .group_by(found.c.member_id)
        .subquery("held")
    )
    whose = (Member.workspace_id == world.workspace_id) & (Member.id == held.c.member_id)
    wanted = select(
        held.c.member_id, func.coalesce(Member.display_name, Member.user_name), Member.user_name, held.c.paths
    ).join(Member, whose)
    return fetch(
        connection,
        wanted,
        identifier=held.c.member_id,
        window=window,
        sorting=None,
        read=lambda row: Holder(row[0], row[1], row[2], tuple(row[3])),
    )


def _covering(resource: Resource | None) -> Any:
    """Makes of a stored scope the condition that it covers a resource, as `Scope.covers` says it."""

    def covers(scope: Any) -> _Condition:
        everything: _Condition = scope["kind"].astext == "all"
        if resource is None:
            return everything
        listed = scope["resources"].contains(literal([str(resource.reference)], JSONB))
        carried = literal(sorted(resource.labels), JSONB).contains(scope["labels"])
        return or_(everything, func.coalesce(listed, False), func.coalesce(carried, False))

    return covers


def _relation(connection: Connection, world: World, *, wanted: Sequence[str], covers: Any) -> Any:
    """Every line of access that comes of these roles on what is covered, with the steps of its path."""
    named = [*_by_standing(world, wanted), _by_policy(world, wanted, covers), _by_group(world, wanted, covers)]
    for rule in world.rules:
        given = [policy for policy in rule.policies if policy.role in wanted]
        if rule.rule.condition is not None and given:
            named += _by_condition(world, rule, wanted, covers)
    said = said_by_names(connection, world, wanted)
    if said:
        named.append(_by_name(world, said, covers))
    return union_all(*named).subquery()


def _line(member: Any, role: Any, scope: Any, via: str, *steps: Any) -> tuple[Any, ...]:
    shown = [*steps, *([null()] * (len(_STEPS) - len(steps)))]
    types = (Text, Text, Text, Uuid, Text)
    return (
        member.label("member_id"),
        cast(role, Text).label("role"),
        cast(scope, JSONB).label("scope"),
        literal(via).label("via"),
        *(cast(step, kind).label(name) for name, step, kind in zip(_STEPS, shown, types, strict=True)),
    )


def _by_standing(world: World, wanted: Sequence[str]) -> list[Any]:
    """Owners have everything; who is no owner has the least, by being a member."""
    here = (Member.workspace_id == world.workspace_id, Member.active)
    everything = literal(_EVERYTHING, JSONB)
    found = []
    if OWNER in wanted:
        found.append(select(*_line(Member.id, literal(OWNER), everything, "ownership")).where(*here, Member.owner))
    if MINIMAL in wanted:
        found.append(select(*_line(Member.id, literal(MINIMAL), everything, "membership")).where(*here, ~Member.owner))
    return found


def _counting(world: World, wanted: Sequence[str], covers: Any) -> list[_Condition]:
    here = [Policy.workspace_id == world.workspace_id, Policy.role.in_(wanted), COUNTS]
    return here if covers is None else [*here, covers(Policy.scope)]


_ENDS = func.to_jsonb(Policy.ends_at).op("#>>", return_type=Text())(literal([], ARRAY(Text)))
_ACTIVE = and_(Member.workspace_id == Policy.workspace_id, Member.active)
_BELONGING = and_(Membership.workspace_id == Member.workspace_id, Membership.member_id == Member.id)


def _by_policy(world: World, wanted: Sequence[str], covers: Any) -> Any:
    own = _line(Member.id, Policy.role, Policy.scope, "policy", null(), null(), null(), Policy.id, _ENDS)
    whose = and_(_ACTIVE, Member.id == Policy.member_id)
    return select(*own).select_from(Policy).join(Member, whose).where(*_counting(world, wanted, covers))


def _by_group(world: World, wanted: Sequence[str], covers: Any) -> Any:
    line = _line(Member.id, Policy.role, Policy.scope, "group", Group.display_name, null(), null(), Policy.id, _ENDS)
    given = and_(Group.workspace_id == Policy.workspace_id, Group.id == Policy.group_id)
    inside = and_(Membership.workspace_id == Group.workspace_id, Membership.group_id == Group.id)
    whose = and_(_ACTIVE, Member.id == Membership.member_id)
    found = select(*line).select_from(Policy).join(Group, given).join(Membership, inside).join(Member, whose)
    return found.where(*_counting(world, wanted, covers))


def _by_condition(world: World, rule: MappingView, wanted: Sequence[str], covers: Any) -> list[Any]:
    """What a mapping gives by its condition; one that can't be asked any more gives nothing."""
    tree = mappings.parsed(rule.rule.condition or "")
    of_groups = rule.rule.resource_type == "Group"
    try:
        meets = (over_groups if of_groups else over_members)(world.viewer).condition(tree)
    except InvalidFilter:
        return []
    steps = (literal(rule.name), literal(rule.rule.condition), Policy.id, _ENDS)
    group = Group.display_name if of_groups else null()
    line = select(*_line(Member.id, Policy.role, Policy.scope, "mapping", group, *steps)).select_from(Policy)
    given = [*_counting(world, wanted, covers), Policy.mapping_id == rule.id, meets]
    if not world.makes_owners(rule):
        given.append(Policy.role != OWNER)
    if not of_groups:
        return [line.join(Member, _ACTIVE).where(*given)]
    linked = and_(Group.workspace_id == Policy.workspace_id, Group.connection_id.is_not(None))
    inside = and_(Membership.workspace_id == Group.workspace_id, Membership.group_id == Group.id)
    whose = and_(_ACTIVE, Member.id == Membership.member_id)
    return [line.join(Group, linked).join(Membership, inside).join(Member, whose).where(*given)]


def said_by_names(connection: Connection, world: World, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """What the names of groups say by the patterns of mappings: a line for each group and role."""
    following = [rule for rule in world.rules if rule.rule.pattern is not None]
    if not following:
        return []
    linked = select(Group.id, Group.display_name).where(
        Group.workspace_id == world.workspace_id, Group.connection_id.is_not(None)
    )
    starts = [parse_pattern(rule.rule.pattern or "").texts[0] for rule in following]
    rows = connection.execute(linked.where(or_(*(Group.display_name.startswith(s, autoescape=True) for s in starts))))
    keys = [role.key for role in world.roles]
    return [
        {"group_id": str(group_id), "group_name": name, "mapping_name": rule.name, **said}
        for group_id, name in rows
        for rule in following
        for said in _reading(world, rule, name, keys)
        if said["role"] in wanted and (said["role"] != OWNER or world.makes_owners(rule))
    ]


def reading_of(world: World, rule: MappingView, name: str) -> list[dict[str, Any]]:
    """What the name of one pushed group says by the pattern of a mapping, as `said_by_names` tells it."""
    keys = [role.key for role in world.roles]
    return [said for said in _reading(world, rule, name, keys) if said["role"] in keys]


def _reading(world: World, rule: MappingView, name: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    reading = read(parse_pattern(rule.rule.pattern or ""), name, keys)
    if reading is None:
        return []
    condition = f"displayName follows {rule.rule.pattern}"
    if reading.role is not None:
        scope = Scope("labels", labels=reading.labels) if reading.labels else Scope()
        said = {"role": reading.role, "scope": scope.as_json(), "condition": condition}
        return [said] if scope.kind in world.roles[reading.role].scopes else []
    return [
        {
            "role": policy.role,
            "scope": Scope("labels", labels=policy.scope.labels | reading.labels).as_json()
            if reading.labels
            else policy.scope.as_json(),
            "condition": condition,
            "policy_id": str(policy.id),
            "ends_at": policy.ends_at.isoformat() if policy.ends_at else None,
        }
        for policy in rule.policies
    ]


def _by_name(world: World, said: list[dict[str, Any]], covers: Any) -> Any:
    columns = ("group_name", "role", "mapping_name", "condition", "ends_at")
    row = (
        func.jsonb_to_recordset(literal(said, JSONB))
        .table_valued(
            column("group_id", Uuid),
            *(column(name, Text) for name in columns),
            column("scope", JSONB),
            column("policy_id", Uuid),
            name="said",
        )
        .render_derived(with_types=True)
    )
    steps = (row.c.group_name, row.c.mapping_name, row.c.condition, row.c.policy_id, row.c.ends_at)
    inside = and_(Membership.workspace_id == world.workspace_id, Membership.group_id == row.c.group_id)
    whose = and_(Member.workspace_id == Membership.workspace_id, Member.id == Membership.member_id, Member.active)
    found = (
        select(*_line(Member.id, row.c.role, row.c.scope, "mapping", *steps))
        .select_from(row)
        .join(Membership, inside)
        .join(Member, whose)
    )
    return found if covers is None else found.where(covers(row.c.scope))
