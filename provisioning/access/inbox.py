"""What waits for an admin: groups that identity providers push, and that give nobody anything yet."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlalchemy.engine import Connection

from provisioning.access import holders, mappings
from provisioning.access.holders import World
from provisioning.access.models import Policy
from provisioning.access.policies import COUNTS
from provisioning.access.roles import OWNER, Catalogue
from provisioning.directory import listing
from provisioning.directory.filters import over_groups
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.directory.models import Group
from provisioning.directory.paging import Page
from provisioning.scim.errors import InvalidFilter


def unmapped(
    connection: Connection, *, workspace_id: UUID, catalogue: Catalogue, selection: Selection
) -> Page[GroupView]:
    """Some of the pushed groups that have no policy and that no mapping means, and how many there are.

    A mapping about people is about nobody's group: what it gives for a group's sake is not looked for.

    Raises:
        InvalidFilter: the filter or order names what groups can't be found or sorted by.
    """
    world = holders.world_of(connection, workspace_id, catalogue)
    has_policy = exists().where(Policy.workspace_id == Group.workspace_id, Policy.group_id == Group.id, COUNTS)
    roles = [role.key for role in world.roles]
    named = {UUID(said["group_id"]) for said in holders.said_by_names(connection, world, roles)}
    meeting = [Group.connection_id.is_not(None), ~has_policy, *(~meets for meets in _meant(world))]
    if named:
        meeting.append(Group.id.not_in(named))
    return listing.of_groups(connection, workspace_id=workspace_id, selection=selection, meeting=meeting)


def _meant(world: World) -> Iterator[ColumnElement[bool]]:
    """The conditions of mappings that give something to members of groups."""
    for rule in world.rules:
        gives = any(policy.role != OWNER or world.makes_owners(rule) for policy in rule.policies)
        if rule.rule.resource_type == "Group" and rule.rule.condition is not None and gives:
            try:
                yield over_groups(world.viewer).condition(mappings.parsed(rule.rule.condition))
            except InvalidFilter:
                continue
