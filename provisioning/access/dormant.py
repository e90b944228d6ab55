"""Dormant mappings: bound by id to a group that its identity provider has taken back, or that was detached from it.

Such a mapping gives nothing, whatever is pushed under the group's name: it waits for an admin, who binds it to the
group that the same connection pushes under the same externalId, or to another, or takes it away. After `KEPT` it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.access import mappings, proposals
from provisioning.access.drafts import Rule
from provisioning.access.events import MappingDeleted
from provisioning.access.mappings import MappingView
from provisioning.access.models import MappingRow
from provisioning.access.policies import Giver
from provisioning.directory import lost_groups
from provisioning.directory.conditions import as_id
from provisioning.outbox import Actor
from provisioning.refusals import Conflict
from provisioning.scim.filter import Comparison

# A quarter: whoever moves a company's groups from one tool to another is done by then.
KEPT = timedelta(days=90)


def bound_to(rule: Rule) -> UUID | None:
    """The group that a rule means by its id alone; None for every other rule."""
    if rule.resource_type != "Group" or rule.condition is None:
        return None
    match mappings.parsed(rule.condition):
        case Comparison(path, "eq", str() as value) if str(path).lower() == "id":
            return as_id(value)
    return None


def told(connection: Connection, *, workspace_id: UUID, found: Sequence[MappingView]) -> list[MappingView]:
    """Mappings with what those that are dormant have lost."""
    bound = {mapping.id: group_id for mapping in found if (group_id := bound_to(mapping.rule)) is not None}
    lost = lost_groups.of(connection, workspace_id=workspace_id, ids=set(bound.values()))
    return [replace(mapping, lost=lost.get(bound[mapping.id])) if mapping.id in bound else mapping for mapping in found]


def rebind(connection: Connection, *, workspace_id: UUID, mapping_id: UUID, giver: Giver) -> MappingView:
    """Bind a dormant mapping to the group that its connection pushes again: by its externalId, never by its name.

    Raises:
        NotFound: the workspace has no mapping of this id.
        Conflict: it is not dormant, or no group or several have come under the externalId.
        NotAllowed: the giver doesn't have what it gives.
    """
    before = mappings.lock(connection, workspace_id=workspace_id, mapping_id=mapping_id)
    (found,) = told(connection, workspace_id=workspace_id, found=[before])
    lost = found.lost
    if lost is None:
        raise Conflict("This mapping is not dormant.", field="condition")
    if lost.external_id is None:
        raise Conflict(
            f"The group {lost.display_name} had no externalId that it could be known by: name a group by its id.",
            field="group",
        )
    groups = lost_groups.returned(connection, lost=lost)
    if len(groups) != 1:
        what = "several groups" if groups else "no group"
        raise Conflict(
            f"The connection {lost.connection} pushes {what} with the externalId {lost.external_id}.",
            field="group",
            connection=lost.connection,
        )
    rule = Rule("Group", mappings.condition_for_id(groups[0]))
    return proposals.change(connection, workspace_id=workspace_id, mapping_id=mapping_id, rule=rule, giver=giver)


def forget(connection: Connection, *, most: int, by: Actor) -> int:
    """Delete the notes of groups lost more than `KEPT` ago, and the mappings that still wait for them.

    Args:
        connection: in a transaction of its own.
        most: how many groups at once.
        by: who does it.

    Returns:
        How many notes there were; fewer than `most` when none are left.
    """
    gone = lost_groups.take(connection, older_than=KEPT, most=most)
    for lost in gone:
        waiting = select(MappingRow.id, MappingRow.condition).where(
            MappingRow.workspace_id == lost.workspace_id,
            MappingRow.resource_type == "Group",
            func.lower(MappingRow.condition) == mappings.condition_for_id(lost.id),
        )
        for mapping_id, condition in connection.execute(waiting.with_for_update()).all():
            here = (MappingRow.workspace_id == lost.workspace_id, MappingRow.id == mapping_id)
            fact = MappingDeleted(mapping_id=mapping_id, rule=str(condition))
            statement = outbox.together(
                connection, delete(MappingRow).where(*here), fact, workspace_id=lost.workspace_id, by=by
            )
            connection.execute(statement)
    return len(gone)
