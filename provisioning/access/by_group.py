"""What being in a group gives: by the policies of the group, and by the mappings that mean it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy.engine import Connection

from provisioning.access import holders, mappings, policies
from provisioning.access.drafts import kind_of
from provisioning.access.holders import World
from provisioning.access.mappings import MappingView
from provisioning.access.policies import PolicyView, Subject
from provisioning.access.roles import OWNER, Catalogue
from provisioning.access.rules import Grant, Path, Scope
from provisioning.directory.groups import GroupView
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.match import matches


def grants(connection: Connection, *, workspace_id: UUID, group: GroupView, catalogue: Catalogue) -> list[Grant]:
    """What a group gives to its active members, each with the policy or mapping that does; the same as `facts` finds.

    Mappings about people mean nobody's group, and local groups are meant by none.
    """
    world = holders.world_of(connection, workspace_id, catalogue)
    own = policies.of(connection, workspace_id=workspace_id, subject=Subject("group", group.id))
    found = [_by_policy(world, policy, Path("group", group=group.display_name)) for policy in own]
    given = [grant for grant in found if grant is not None and grant.role.key != OWNER]
    for mapping in world.rules if group.linked else ():
        said = (grant for grant in _by_mapping(world, mapping, group) if grant is not None)
        given += [grant for grant in said if grant.role.key != OWNER or world.makes_owners(mapping)]
    return given


def _by_policy(world: World, policy: PolicyView, path: Path) -> Grant | None:
    """A policy as what it gives; nothing where its role is not known any more."""
    role = world.roles.get(policy.role)
    ends = None if policy.ends_at is None else policy.ends_at.isoformat()
    steps = {"group": path.group, "mapping": path.mapping, "condition": path.condition}
    return (
        None if role is None else Grant(role, policy.scope, Path(path.via, policy=str(policy.id), ends=ends, **steps))
    )


def _by_mapping(world: World, mapping: MappingView, group: GroupView) -> Iterator[Grant | None]:
    if mapping.rule.pattern is not None:
        for said in holders.reading_of(world, mapping, group.display_name):
            steps = {"group": group.display_name, "mapping": mapping.name, "condition": said["condition"]}
            path = Path("mapping", **steps, policy=said.get("policy_id"), ends=said.get("ends_at"))
            yield Grant(world.roles[said["role"]], Scope.from_json(said["scope"]), path)
    elif _means(world, mapping, group):
        path = Path("mapping", group=group.display_name, mapping=mapping.name, condition=mapping.rule.condition)
        yield from (_by_policy(world, policy, path) for policy in mapping.policies)


def _means(world: World, mapping: MappingView, group: GroupView) -> bool:
    rule = mapping.rule
    if rule.resource_type != "Group" or rule.condition is None:
        return False
    try:
        kind = kind_of("Group", world.viewer.kinds)
        return matches({**group.document, "id": str(group.id)}, mappings.parsed(rule.condition), kind)
    except InvalidFilter:
        return False
