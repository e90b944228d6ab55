"""Loads what the engine judges one subject by, in one statement: own policies, those of groups, and mappings.

What it costs depends on how many groups the one person is in and how many rules the workspace has, and never on how
many people are in a group or in the workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, literal_column, or_, select, text, true
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from provisioning.access import drafts, mappings
from provisioning.access.models import CustomRole, Policy
from provisioning.access.patterns import parse_pattern, read
from provisioning.access.roles import MINIMAL, OWNER, Catalogue
from provisioning.access.rules import Facts, Grant, Path, Reference, Resource, Scope
from provisioning.directory import extensions
from provisioning.directory.models import Workspace
from provisioning.prepared import Prepared, Row
from provisioning.refusals import NotFound
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.extensions import Kinds
from provisioning.scim.match import matches

_COUNTS = "(p.ends_at IS NULL OR p.ends_at > clock_timestamp())"
_POLICY = "p.id, p.member_id, p.group_id, p.mapping_id, p.role, p.scope, p.ends_at"
_LABELS = """
    SELECT json_agg(key || ':' || value) FROM resource_label
    WHERE workspace_id = :workspace AND resource_type = :type AND resource_id = :id
"""
_RESOURCE = f"""
    SELECT json_build_object('labels', ({_LABELS})) FROM resource
    WHERE workspace_id = :workspace AND type = :type AND id = :id
"""  # noqa: S608 - constants
_ROLES = "SELECT json_agg(role) FROM role WHERE workspace_id = :workspace"
# A suspended member's row is read, and nothing hangs on it. Each arm of the policies has an index of its own.
_OF_MEMBER = f"""
    WITH rule AS (
        SELECT id, name, resource_type, condition, pattern, owners_confirmed FROM mapping
        WHERE workspace_id = :workspace AND enabled ORDER BY position, id
    ), person AS (
        SELECT id, active, owner, CASE WHEN EXISTS (SELECT 1 FROM rule) THEN document END AS document, external_ids
        FROM member WHERE workspace_id = :workspace AND id = :member
    ), belongs AS MATERIALIZED (
        SELECT g.id, g.display_name, g.connection_id IS NOT NULL AS linked,
               CASE WHEN EXISTS (SELECT 1 FROM rule) THEN g.document END AS document
        FROM membership JOIN user_group g ON g.workspace_id = membership.workspace_id AND g.id = membership.group_id
        WHERE membership.workspace_id = :workspace AND membership.member_id = :member
    ), given AS (
        SELECT {_POLICY} FROM policy p WHERE p.workspace_id = :workspace AND p.member_id = :member AND {_COUNTS}
        UNION ALL
        SELECT {_POLICY} FROM belongs JOIN policy p ON p.workspace_id = :workspace AND p.group_id = belongs.id
        WHERE {_COUNTS}
        UNION ALL
        SELECT {_POLICY} FROM rule JOIN policy p ON p.workspace_id = :workspace AND p.mapping_id = rule.id
        WHERE {_COUNTS}
    )
    SELECT (SELECT to_json(person) FROM person) AS person,
           (SELECT json_agg(belongs) FROM belongs) AS groups,
           (SELECT json_agg(rule) FROM rule) AS rules,
           (SELECT json_agg(given) FROM given) AS policies,
           ({_ROLES}) AS roles,
           ({_RESOURCE}) AS resource
"""  # noqa: S608 - constants
_AS_JSON = dict.fromkeys(("person", "groups", "rules", "policies", "roles", "resource"), JSON)


def loading(workspace: str = ":workspace") -> Select[*tuple[Any, ...]]:
    """What the access of a member rests on: a row for `read_case`, its first column null where there is no such member.

    Its parameters are those of `asked_about`, and `workspace` unless that is said otherwise.

    Args:
        workspace: how SQL says in which workspace; part of the statement, and never what anybody has sent.
    """
    loaded = text(_OF_MEMBER.replace(":workspace", workspace)).columns(**_AS_JSON).subquery("loaded")
    of = select(Workspace.owners_by_mapping, extensions.OF_WORKSPACE.label("extensions"))
    here = of.where(Workspace.id == text(workspace)).subquery("of")
    return select(loaded, here).select_from(loaded.join(here, true()))


_LOAD_MEMBER = Prepared(loading())


class _Loaded(NamedTuple):
    person: Mapping[str, Any] | None
    groups: Sequence[Mapping[str, Any]] | None
    rules: Sequence[Mapping[str, Any]] | None
    policies: Sequence[Mapping[str, Any]] | None
    roles: Sequence[Mapping[str, Any]] | None
    resource: Mapping[str, Any] | None
    owners_by_mapping: bool
    extensions: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A question's ground: what a subject has, and the resource that is asked about; None where there is no such one.

    Args:
        facts: about the subject.
        resource: with its labels.
    """

    facts: Facts
    resource: Resource | None = None


def of_member(
    connection: Connection,
    *,
    workspace_id: UUID,
    member_id: UUID,
    catalogue: Catalogue,
    on: Reference | None = None,
) -> Case:
    """What a team member's access rests on. A suspended member keeps it all, unused: there is nothing to judge by.

    Args:
        connection: to read with; one statement is sent.
        workspace_id: where.
        member_id: who.
        catalogue: the built-in roles.
        on: a resource to load along.

    Raises:
        NotFound: the workspace has no such member.
    """
    values = {"workspace": workspace_id, **asked_about(member_id, on)}
    return read_case(_LOAD_MEMBER.one(connection, values), catalogue=catalogue, on=on)


def asked_about(member_id: UUID, on: Reference | None = None) -> dict[str, Any]:
    """The parameters of `loading`: who is asked about, and on what."""
    return {"member": member_id, "type": on.type if on else None, "id": on.id if on else None}


def read_case(found: Row, *, catalogue: Catalogue, on: Reference | None = None) -> Case:
    """A row of `loading` as what is judged; all else is as in `of_member`."""
    row = _Loaded(*found)
    if row.person is None:
        raise NotFound("There is no such member in this workspace.")
    resource = _resource(on, row.resource)
    if not row.person["active"]:
        return Case(Facts(), resource)
    roles = own_roles(catalogue, row.roles)
    return Case(Facts(tuple(_grants(row, row.person, roles))), resource)


# Given the columns of a program, selects a row at the most that it asks for.
Along = Callable[[Any], Select[*tuple[Any, ...]]]


def with_policies(
    found: Select[*tuple[Any, ...]],
    kind: Literal["token", "client"],
    along: Along | None = None,
) -> Prepared:
    """A look-up of a program that carries along what its access rests on, for `held_by`.

    Args:
        found: one row with the program's `workspace_id`, `id` and owner, its `member_id`, among its columns.
        kind: what it is.
        along: what else is read; it follows these columns.
    """
    who = found.cte("who")
    asked = None if along is None else along(who.c).lateral("asked")
    of_program = (Policy.workspace_id == who.c.workspace_id, getattr(Policy, f"{kind}_id") == who.c.id)
    counts = or_(Policy.ends_at.is_(None), Policy.ends_at > func.clock_timestamp())
    parts = [part for name in ("id", "role", "scope", "ends_at") for part in (name, getattr(Policy, name))]
    policies = select(func.jsonb_agg(func.jsonb_build_object(*parts))).where(*of_program, counts)
    own = aliased(CustomRole, name="own")
    roles = select(func.jsonb_agg(func.to_jsonb(literal_column("own")))).select_from(own)
    return Prepared(
        select(
            who,
            *(() if asked is None else asked.c),
            who.c.workspace_id.label("_workspace_id"),
            who.c.member_id.label("_member_id"),
            policies.correlate(who).scalar_subquery().label("_policies"),
            roles.where(own.workspace_id == who.c.workspace_id).correlate(who).scalar_subquery().label("_roles"),
        ).select_from(who if asked is None else who.outerjoin(asked, true()))
    )


def held_by(
    connection: Connection, found: Prepared, parameters: Mapping[str, Any], *, catalogue: Catalogue
) -> tuple[Sequence[Any], Facts] | None:
    """Whoever a look-up of `with_policies` finds, and what their access rests on, within what their owner may do now.

    One statement for both; another one where there is an owner.

    Returns:
        The row of the look-up, with what was read along, and the facts; or None where it finds nobody.
    """
    row = found.one_or_none(connection, parameters)
    if row is None:
        return None
    *who, workspace_id, member_id, policies, rows = row
    roles = own_roles(catalogue, rows)
    given = (_grant(policy, roles, "policy") for policy in policies or ())
    where = {"workspace_id": workspace_id, "catalogue": catalogue}
    bounds = None if member_id is None else of_member(connection, member_id=member_id, **where).facts
    return who, Facts(tuple(grant for grant in given if grant), bounds)


def _resource(on: Reference | None, found: Mapping[str, Any] | None) -> Resource | None:
    return None if on is None or found is None else Resource(on, frozenset(found["labels"] or ()))


def own_roles(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]] | None) -> Catalogue:
    """The roles of a workspace, of the rows of its own ones."""
    if not rows:
        return catalogue
    parts = ("key", "name", "description", "actions")
    return catalogue.with_own(catalogue.compose(**{part: row[part] for part in parts}) for row in rows)


def _grants(row: _Loaded, person: Mapping[str, Any], roles: Catalogue) -> Iterator[Grant]:
    base = (OWNER, "ownership") if person["owner"] else (MINIMAL, "membership")
    yield Grant(roles[base[0]], Scope(), Path(base[1]))  # type: ignore[arg-type]
    names = {group["id"]: group["display_name"] for group in row.groups or ()}
    of_rule: dict[str, list[Mapping[str, Any]]] = {}
    for policy in row.policies or ():
        if policy["mapping_id"]:
            of_rule.setdefault(policy["mapping_id"], []).append(policy)
            continue
        group = names.get(policy["group_id"])
        grant = _grant(policy, roles, "policy" if group is None else "group", group=group)
        if grant is not None:
            yield grant
    if row.rules:
        yield from _mapped(row, of_rule, roles)


def _grant(policy: Mapping[str, Any], roles: Catalogue, via: Any, **steps: str | None) -> Grant | None:
    """A policy as a grant; None where its role is not known any more: nothing is given by it then."""
    role = roles.get(policy["role"])
    if role is None:
        return None
    path = Path(via, policy=policy["id"], ends=policy["ends_at"], **steps)
    return Grant(role, Scope.from_json(policy["scope"]), path)


def _mapped(row: Any, of_rule: Mapping[str, list[Mapping[str, Any]]], roles: Catalogue) -> Iterator[Grant]:
    """What mappings give: by each group that an identity provider pushes, and by the person's own attributes."""
    kinds = extensions.kinds_of(row.extensions)
    pushed = [
        (group["display_name"], {**group["document"], "id": group["id"]})
        for group in row.groups or ()
        if group["linked"]
    ]
    person = as_user(row.person, row.groups or ())
    for rule in row.rules:
        given = of_rule.get(rule["id"], [])
        if rule["pattern"]:
            found = (grant for name, _ in pushed for grant in _read_name(rule, name, given, roles))
        else:
            about = pushed if rule["resource_type"] == "Group" else [(None, person)]
            found = (
                grant
                for group, document in about
                if given and _meets(rule, document, kinds)
                for grant in _given_by(rule, given, roles, group)
            )
        owners = row.owners_by_mapping and rule["owners_confirmed"]
        yield from (grant for grant in found if grant.role.key != OWNER or owners)


def as_user(person: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A member as the User that conditions are asked of."""
    document = {**person["document"], "id": person["id"]}
    if person["external_ids"]:
        document["externalId"] = next(iter(person["external_ids"].values()))
    document["groups"] = [
        {"value": group["id"], "display": group["display_name"], "type": "direct"} for group in groups
    ]
    return document


def _meets(rule: Mapping[str, Any], document: dict[str, Any], kinds: Kinds) -> bool:
    """Whether a document meets a condition; one that can't be asked any more gives nothing."""
    try:
        return matches(document, mappings.parsed(rule["condition"]), drafts.kind_of(rule["resource_type"], kinds))
    except InvalidFilter:
        return False


def _given_by(
    rule: Mapping[str, Any], given: Sequence[Mapping[str, Any]], roles: Catalogue, group: str | None
) -> Iterator[Grant]:
    steps = {"group": group, "mapping": rule["name"], "condition": rule["condition"]}
    for policy in given:
        grant = _grant(policy, roles, "mapping", **steps)
        if grant is not None:
            yield grant


def _read_name(
    rule: Mapping[str, Any], name: str, given: Sequence[Mapping[str, Any]], roles: Catalogue
) -> Iterator[Grant]:
    """What a pattern reads in the name of a group: the role, or what narrows the mapping's own policies."""
    reading = read(parse_pattern(rule["pattern"]), name, [role.key for role in roles])
    if reading is None:
        return
    steps = {"group": name, "mapping": rule["name"], "condition": f"displayName follows {rule['pattern']}"}
    if reading.role is not None:
        grant = named_grant(roles[reading.role], reading.labels, Path("mapping", **steps))
        if grant is not None:
            yield grant
        return
    for policy in given:
        grant = _grant(policy, roles, "mapping", **steps)
        if grant is not None:
            narrowed = Scope("labels", labels=grant.scope.labels | reading.labels) if reading.labels else grant.scope
            yield Grant(grant.role, narrowed, grant.path)


def named_grant(role: Any, labels: frozenset[str], path: Path) -> Grant | None:
    """A role that a group's name says, on the labels that it says; None where the role can't be given so."""
    scope = Scope("labels", labels=labels) if labels else Scope()
    return Grant(role, scope, path) if scope.kind in role.scopes else None
