"""Mappings: an admin's rule that gives a role to whoever matches a SCIM filter. Derived at each question, never copied.

A condition is about the groups that an identity provider pushes, or about its users. Nothing has to be brought up to
date when a group is renamed or a department changes: the next question sees it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from provisioning import entropy, outbox
from provisioning.access import scopes
from provisioning.access.events import MappingCreated, MappingDeleted
from provisioning.access.models import MappingRow
from provisioning.access.roles import OWNER, Catalogue
from provisioning.access.rules import Scope
from provisioning.directory import extensions, listing
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.outbox import Actor
from provisioning.refusals import Invalid, NotFound
from provisioning.scim.errors import InvalidFilter, ScimError
from provisioning.scim.extensions import Kinds
from provisioning.scim.filter import Comparison, Filter, parse_filter, to_text
from provisioning.scim.match import matches
from provisioning.scim.path import AttributePath
from provisioning.scim.schema import ResourceType


def _subject(resource_type: str, kinds: Kinds) -> ResourceType:
    return kinds.group if resource_type == "Group" else kinds.user


@dataclass(frozen=True, slots=True)
class MappingView:
    """A mapping as it is shown."""

    id: UUID
    name: str
    resource_type: str
    condition: str
    role: str
    scope: Scope
    enabled: bool
    created_at: datetime

    def matches(self, document: dict[str, Any], kinds: Kinds) -> bool:
        """Whether a Group's or User's document meets the condition; one that can't be asked any more gives nothing."""
        try:
            return matches(document, parsed(self.condition), _subject(self.resource_type, kinds))
        except InvalidFilter:
            return False


@functools.lru_cache(maxsize=4096)
def parsed(condition: str) -> Filter:
    """A stored condition as a tree: the same text is parsed once a process."""
    return parse_filter(condition)


_VIEW = select(
    MappingRow.id,
    MappingRow.name,
    MappingRow.resource_type,
    MappingRow.condition,
    MappingRow.role,
    MappingRow.scope,
    MappingRow.enabled,
    MappingRow.created_at,
)


def _view(row: Any) -> MappingView:
    return MappingView(
        row.id, row.name, row.resource_type, row.condition, row.role, Scope.from_json(row.scope), *row[6:]
    )


def condition_for_group(connection: Connection, *, workspace_id: UUID, group: str) -> str:
    """The condition that means one group.

    A group that is there is meant by its id, so that the mapping outlives a new name and another group that takes the
    old one gets nothing; a group that is still to come is meant by its exact displayName.
    """
    named = Comparison(AttributePath(None, "displayName", None), "eq", group)
    found = listing.of_groups(connection, workspace_id=workspace_id, selection=Selection(Window(count=100), named))
    linked = [g for g in found.items if g.linked]
    if len(linked) > 1:
        raise Invalid(f"Several connections push a group called {group}: name one by its id.", field="group")
    if linked:
        return to_text(Comparison(AttributePath(None, "id", None), "eq", str(linked[0].id)))
    return to_text(named)


def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    name: str,
    resource_type: str,
    condition: str,
    role: str,
    labels: Sequence[str],
    resources: Sequence[str],
    catalogue: Catalogue,
    by: Actor,
) -> MappingView:
    """Write a mapping; it counts from the commit on, and may come before the group or person that it is about.

    Args:
        connection: in a transaction.
        workspace_id: whose mapping it is.
        name: what admins call it.
        resource_type: `Group` or `User`: what the condition is about.
        condition: a SCIM filter (RFC 7644, section 3.4.2.2).
        role: the key of the role that it gives.
        labels: `key:value` each; what carries all of them is covered.
        resources: `type:id` each; neither labels nor resources: all, later ones too.
        catalogue: the roles that there are.
        by: who did it.

    Raises:
        Invalid: the condition, role or scope can't be.
    """
    given = catalogue.require(role)
    if role == OWNER:
        raise Invalid("Ownership is not given by mappings: appoint owners by hand.", field="role")
    scope = scopes.read(connection, workspace_id=workspace_id, role=given, labels=labels, resources=resources)
    canonical = _canonical(condition, resource_type, extensions.kinds(connection, workspace_id=workspace_id))
    row = connection.execute(
        insert(MappingRow)
        .values(
            id=entropy.new_id(),
            workspace_id=workspace_id,
            name=name or canonical,
            resource_type=resource_type,
            condition=canonical,
            role=role,
            scope=scope.as_json(),
        )
        .returning(*_VIEW.selected_columns)
    ).one()
    fact = MappingCreated(mapping_id=row.id, condition=canonical, role=role, scope=row.scope)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return _view(row)


def _canonical(condition: str, resource_type: str, kinds: Kinds) -> str:
    """The condition as it is stored, once it is certain that it can be asked of every document."""
    if resource_type not in {"Group", "User"}:
        raise Invalid("A condition is about a Group or a User.", field="resourceType")
    try:
        tree = parse_filter(condition)
        matches({}, tree, _subject(resource_type, kinds))
    except ScimError as error:
        raise Invalid(f"The condition can't be asked of a {resource_type}: {error.detail}", field="condition") from None
    return to_text(tree)


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[MappingView]:
    """The workspace's mappings, oldest first."""
    wanted = _VIEW.where(MappingRow.workspace_id == workspace_id).order_by(MappingRow.id)
    return [_view(row) for row in connection.execute(wanted)]


def remove(connection: Connection, *, workspace_id: UUID, mapping_id: UUID, by: Actor) -> None:
    """Take a mapping away; what it gave is gone from the commit on.

    Raises:
        NotFound: the workspace has none of this id.
    """
    row = connection.execute(
        delete(MappingRow)
        .where(MappingRow.workspace_id == workspace_id, MappingRow.id == mapping_id)
        .returning(MappingRow.condition, MappingRow.role, MappingRow.scope)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such mapping in this workspace.")
    fact = MappingDeleted(mapping_id=mapping_id, condition=row.condition, role=row.role, scope=row.scope)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
