"""Loads what the engine judges one subject by: own policies, those of their groups, and what mappings give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.engine import Connection

from provisioning.access import mappings
from provisioning.access.mappings import MappingView
from provisioning.access.models import Policy
from provisioning.access.roles import MINIMAL, OWNER, Catalogue
from provisioning.access.rules import Facts, Grant, Path, Scope
from provisioning.directory import extensions, groups
from provisioning.directory.groups import GroupView
from provisioning.directory.members import MemberView
from provisioning.scim.extensions import Kinds


def of_member(connection: Connection, *, member: MemberView, catalogue: Catalogue) -> Facts:
    """What a team member's access rests on. A suspended member keeps it all, unused: there is nothing to judge by."""
    if not member.active:
        return Facts()
    base = (OWNER, Path("ownership")) if member.owner else (MINIMAL, Path("membership"))
    grants = [Grant(catalogue[base[0]], Scope(), base[1])]
    of = groups.of_member(connection, workspace_id=member.workspace_id, member_id=member.id)
    in_groups = {group.id: group for group in of}
    grants += _policies(connection, member=member, in_groups=in_groups, catalogue=catalogue)
    given = [m for m in mappings.every(connection, workspace_id=member.workspace_id) if m.enabled]
    if given:
        kinds = extensions.kinds(connection, workspace_id=member.workspace_id)
        grants += _mapped(given, member=member, in_groups=in_groups.values(), kinds=kinds, catalogue=catalogue)
    return Facts(tuple(grants))


def _policies(
    connection: Connection, *, member: MemberView, in_groups: dict[UUID, GroupView], catalogue: Catalogue
) -> Iterator[Grant]:
    wanted = select(Policy.id, Policy.group_id, Policy.role, Policy.scope).where(
        Policy.workspace_id == member.workspace_id,
        or_(Policy.member_id == member.id, Policy.group_id.in_(in_groups)),
    )
    for policy_id, group_id, role, scope in connection.execute(wanted):
        group = in_groups[group_id].display_name if group_id else None
        path = Path("group" if group else "policy", group=group, policy=str(policy_id))
        yield Grant(catalogue[role], Scope.from_json(scope), path)


def _mapped(
    given: Iterable[MappingView],
    *,
    member: MemberView,
    in_groups: Iterable[GroupView],
    kinds: Kinds,
    catalogue: Catalogue,
) -> Iterator[Grant]:
    """What mappings give: by each group that an identity provider pushes, and by the person's own attributes."""
    pushed = [(group.display_name, {**group.document, "id": str(group.id)}) for group in in_groups if group.linked]
    person: dict[str, Any] = {**member.as_known_to(member.connection_id), "id": str(member.id)}
    for mapping in given:
        about = pushed if mapping.resource_type == "Group" else [(None, person)]
        for group, document in about:
            if mapping.matches(document, kinds):
                path = Path("mapping", group=group, mapping=mapping.name, condition=mapping.condition)
                yield Grant(catalogue[mapping.role], mapping.scope, path)


def of_token(connection: Connection, *, workspace_id: UUID, token_id: UUID, catalogue: Catalogue) -> Facts:
    """What an API token's access rests on: the policies that it was given."""
    wanted = select(Policy.id, Policy.role, Policy.scope).where(
        Policy.workspace_id == workspace_id, Policy.token_id == token_id
    )
    return Facts(
        tuple(
            Grant(catalogue[role], Scope.from_json(scope), Path("policy", policy=str(policy_id)))
            for policy_id, role, scope in connection.execute(wanted)
        )
    )
