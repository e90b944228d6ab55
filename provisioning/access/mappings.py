"""Mappings: an admin's rule that gives policies to whom it means. Derived at each question, never copied.

A rule is a SCIM filter over the groups that an identity provider pushes, or over its users; or a pattern that the names
of its groups follow. Nothing has to be brought up to date when a group is renamed or a department changes: the next
question sees it, and a rule may be written before the group or person is there.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.access import policies
from provisioning.access.drafts import Draft, Rule, read_rule
from provisioning.access.events import MappingChanged, MappingCreated, MappingDeleted, MappingsOrdered
from provisioning.access.models import MappingRow
from provisioning.access.patterns import Pattern, parse_pattern
from provisioning.access.policies import Giver, PolicyView, Subject, Terms
from provisioning.access.roles import OWNER
from provisioning.directory import extensions, listing
from provisioning.directory.listing import Selection
from provisioning.directory.lost_groups import LostGroupView
from provisioning.directory.models import Workspace
from provisioning.directory.paging import Window
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.scim.filter import Comparison, Filter, parse_filter, to_text
from provisioning.scim.path import AttributePath

MOST = 500
_LONGEST_NAME = 200
_NONE = "There is no such mapping in this workspace."


@dataclass(frozen=True, slots=True)
class MappingView:
    """A mapping as it is shown."""

    id: UUID
    name: str
    rule: Rule
    enabled: bool
    position: int
    version: int
    # Whether two have said that it gives ownership.
    owners_confirmed: bool
    created_at: datetime
    policies: tuple[PolicyView, ...] = ()
    # The group that it is bound to, where that is lost: it is dormant then. Told by `dormant` alone.
    lost: LostGroupView | None = None
    # The newest change of it that waits for a second owner's word. Told by `proposals` alone.
    waiting: UUID | None = None

    @property
    def state(self) -> str:
        """Whether it is `dormant`, `disabled` or `active`."""
        return "dormant" if self.lost else "active" if self.enabled else "disabled"

    @property
    def draft(self) -> Draft:
        """All of it that admins write."""
        return Draft(self.name, self.rule, self.enabled, tuple(map(_terms_of, self.policies)))


_VIEW = select(
    MappingRow.id,
    MappingRow.name,
    MappingRow.resource_type,
    MappingRow.condition,
    MappingRow.pattern,
    MappingRow.enabled,
    MappingRow.position,
    MappingRow.version,
    MappingRow.owners_confirmed,
    MappingRow.created_at,
)
_IN_ORDER = (MappingRow.position, MappingRow.id)


def _view(row: Any, given: Sequence[PolicyView] = ()) -> MappingView:
    rule = Rule(row.resource_type, row.condition, row.pattern)
    counts = (row.enabled, row.position, row.version, row.owners_confirmed, row.created_at)
    return MappingView(row.id, row.name, rule, *counts, tuple(given))


@functools.lru_cache(maxsize=4096)
def parsed(condition: str) -> Filter:
    """A stored condition as a tree: the same text is parsed once a process."""
    return parse_filter(condition)


def condition_for_group(connection: Connection, *, workspace_id: UUID, group: str) -> str:
    """The condition that means one group.

    A group that is there is meant by its id, so that the mapping outlives a new name and another group that takes the
    old one gets nothing; a group that is still to come is meant by its exact displayName.

    Raises:
        Invalid: several connections push a group of this name.
    """
    named = Comparison(AttributePath(None, "displayName", None), "eq", group)
    found = listing.of_groups(connection, workspace_id=workspace_id, selection=Selection(Window(count=100), named))
    linked = [g for g in found.items if g.linked]
    if len(linked) > 1:
        raise Invalid("Several connections push a group of this name: name one by its id.", field="group")
    if linked:
        return condition_for_id(linked[0].id)
    return to_text(named)


def condition_for_id(group_id: UUID) -> str:
    """The condition that means the group of this id, and no other that is ever there."""
    return to_text(Comparison(AttributePath(None, "id", None), "eq", str(group_id)))


def create(
    connection: Connection,
    *,
    workspace_id: UUID,
    name: str,
    rule: Rule,
    terms: Sequence[Terms],
    giver: Giver,
    enabled: bool = True,
) -> MappingView:
    """Write a mapping; it counts from the commit on, but for ownership, which takes more than one word: `proposals`.

    Args:
        connection: in a transaction.
        workspace_id: whose mapping it is.
        name: what admins call it; none: the rule itself.
        rule: whom it means.
        terms: the policies that it gives; none where the names of groups say the role.
        giver: who writes it.
        enabled: whether it counts.

    Raises:
        Invalid: the rule or a policy can't be.
        NotAllowed: the giver doesn't have what it would give.
        Conflict: there are too many.
    """
    read = read_rule(rule, extensions.kinds(connection, workspace_id=workspace_id))
    _hold_all(connection, workspace_id)
    last, count = connection.execute(
        select(func.coalesce(func.max(MappingRow.position), 0), func.count()).where(
            MappingRow.workspace_id == workspace_id
        )
    ).one()
    if count >= MOST:
        raise Conflict(f"A workspace has at most {MOST} mappings.", field="name")
    row = connection.execute(
        insert(MappingRow)
        .values(
            id=entropy.new_id(),
            workspace_id=workspace_id,
            name=_name(name or str(read)),
            **_columns(read),
            enabled=enabled,
            position=last + 1,
        )
        .returning(*_VIEW.selected_columns)
    ).one()
    made = _view(row)
    fact = MappingCreated(mapping_id=made.id, rule=str(read))
    outbox.append(connection, fact, workspace_id=workspace_id, by=giver.by)
    return _give(connection, workspace_id, made, terms, giver)


def drafted(
    connection: Connection,
    *,
    workspace_id: UUID,
    before: MappingView,
    name: str | None,
    rule: Rule | None,
    enabled: bool | None,
    terms: Sequence[Terms] | None,
) -> Draft:
    """What a mapping is to be; None leaves a part as it is.

    Raises:
        Invalid: the name or rule can't be.
    """
    read = before.rule if rule is None else read_rule(rule, extensions.kinds(connection, workspace_id=workspace_id))
    return Draft(
        before.name if name is None else _name(name or str(read)),
        read,
        before.enabled if enabled is None else enabled,
        before.draft.terms if terms is None else tuple(terms),
    )


def write(
    connection: Connection,
    *,
    workspace_id: UUID,
    before: MappingView,
    wanted: Draft,
    giver: Giver,
    confirmed: bool = False,
) -> MappingView:
    """Make a locked mapping what it is to be. What of ownership was not confirmed counts for nothing.

    Args:
        connection: in the transaction that locked the mapping.
        workspace_id: whose mapping it is.
        before: as `lock` returned it.
        wanted: as `drafted` returned it.
        giver: who writes it.
        confirmed: whether two have said that it may give ownership.

    Raises:
        Invalid: a policy can't be.
        NotAllowed: the giver doesn't have what it would give.
    """
    still = before.owners_confirmed and wanted.ownership is not None and not wanted.widens(before.draft)
    values = {**_columns(wanted.rule), "name": wanted.name, "enabled": wanted.enabled}
    was = {**_columns(before.rule), "name": before.name, "enabled": before.enabled}
    changed = tuple(sorted(part for part in values if values[part] != was[part]))
    here = (MappingRow.workspace_id == workspace_id, MappingRow.id == before.id)
    counts = {"version": MappingRow.version + 1, "owners_confirmed": confirmed or still}
    new = update(MappingRow).where(*here).values(**values, **counts)
    after = _view(connection.execute(new.returning(*_VIEW.selected_columns)).one())
    if changed:
        fact = MappingChanged(mapping_id=before.id, rule=str(wanted.rule), changed=changed)
        outbox.append(connection, fact, workspace_id=workspace_id, by=giver.by)
    return _give(connection, workspace_id, after, wanted.terms, giver)


def _terms_of(policy: PolicyView) -> Terms:
    labels, resources = sorted(policy.scope.labels), sorted(map(str, policy.scope.resources))
    return Terms(policy.role, tuple(labels), tuple(resources), policy.ends_at, policy.reason)


def _give(
    connection: Connection, workspace_id: UUID, mapping: MappingView, terms: Sequence[Terms], giver: Giver
) -> MappingView:
    _refuse_unfit(connection, workspace_id, mapping, terms, giver)
    subject = Subject("mapping", mapping.id)
    given = policies.replace(connection, workspace_id=workspace_id, subject=subject, terms=terms, giver=giver)
    return replace(mapping, policies=tuple(given))


def _refuse_unfit(
    connection: Connection, workspace_id: UUID, mapping: MappingView, terms: Sequence[Terms], giver: Giver
) -> None:
    """Refuse policies that don't go with the rule, and ownership where the operator hasn't allowed it."""
    pattern = None if mapping.rule.pattern is None else parse_pattern(mapping.rule.pattern)
    if pattern is not None and pattern.names_role:
        if terms:
            raise Invalid("The names of the groups say the role: give the mapping no other.", field="role")
        return
    if not terms:
        raise Invalid("A mapping gives at least one role.", field="role")
    for one in terms:
        _refuse_unfit_role(pattern, one, giver)
    # One that is off gives none, and can always be switched off.
    gives_ownership = mapping.enabled and any(one.role == OWNER for one in terms)
    if gives_ownership and not may_give_ownership(connection, workspace_id=workspace_id):
        raise Invalid("Ownership is not given by mappings in this workspace: the operator can allow it.", field="role")


def may_give_ownership(connection: Connection, *, workspace_id: UUID) -> bool:
    """Whether the operator lets mappings give ownership; so it stays until the transaction ends."""
    allowed = select(Workspace.owners_by_mapping).where(Workspace.id == workspace_id)
    return bool(connection.execute(allowed.with_for_update(read=True, key_share=True)).scalar_one())


def _refuse_unfit_role(pattern: Pattern | None, terms: Terms, giver: Giver) -> None:
    if pattern is not None and (terms.resources or "labels" not in giver.roles.require(terms.role).scopes):
        raise Invalid("The names of the groups say labels: give a role that can be narrowed to them.", field="role")


def _columns(rule: Rule) -> dict[str, Any]:
    return {"resource_type": rule.resource_type, "condition": rule.condition, "pattern": rule.pattern}


def _name(name: str) -> str:
    shown = name.strip()[:_LONGEST_NAME]
    if "\0" in shown or not shown:
        raise Invalid(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    return shown


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[MappingView]:
    """The workspace's mappings in their order, each with the policies that it gives."""
    wanted = _VIEW.where(MappingRow.workspace_id == workspace_id).order_by(*_IN_ORDER)
    rows = connection.execute(wanted).all()
    given = policies.of_many(connection, workspace_id=workspace_id, kind="mapping", ids=[row.id for row in rows])
    return [_view(row, given[row.id]) for row in rows]


def names(connection: Connection, *, workspace_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """What mappings are called, of whose ids something tells; one that is gone is left out."""
    if not ids:
        return {}
    wanted = select(MappingRow.id, MappingRow.name)
    found = connection.execute(wanted.where(MappingRow.workspace_id == workspace_id, MappingRow.id.in_(ids)))
    return {row.id: row.name for row in found}


def by_id(connection: Connection, *, workspace_id: UUID, mapping_id: UUID) -> MappingView:
    """The workspace's mapping of this id.

    Raises:
        NotFound: it has none.
    """
    return _one(connection, workspace_id, mapping_id, _VIEW)


def lock(connection: Connection, *, workspace_id: UUID, mapping_id: UUID) -> MappingView:
    """The mapping, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
    """
    return _one(connection, workspace_id, mapping_id, _VIEW.with_for_update())


def _one(connection: Connection, workspace_id: UUID, mapping_id: UUID, view: Any) -> MappingView:
    here = (MappingRow.workspace_id == workspace_id, MappingRow.id == mapping_id)
    row = connection.execute(view.where(*here)).one_or_none()
    if row is None:
        raise NotFound(_NONE)
    subject = Subject("mapping", mapping_id)
    return _view(row, policies.of(connection, workspace_id=workspace_id, subject=subject))


def put_in_order(connection: Connection, *, workspace_id: UUID, ids: Sequence[UUID], by: Actor) -> None:
    """Put the mappings into another order. Access is the same in any: it is for those who read the list.

    Raises:
        Invalid: these are not the workspace's mappings, each once.
    """
    _hold_all(connection, workspace_id)
    there = connection.execute(select(MappingRow.id).where(MappingRow.workspace_id == workspace_id)).scalars()
    if sorted(there) != sorted(ids):
        raise Invalid("Name all of the workspace's mappings, each once.", field="mappings")
    here = (MappingRow.workspace_id == workspace_id, MappingRow.id == func.any(list(ids)))
    place = func.array_position(list(ids), MappingRow.id)
    if ids:
        connection.execute(update(MappingRow).where(*here).values(position=place))
        outbox.append(connection, MappingsOrdered(mappings=tuple(ids)), workspace_id=workspace_id, by=by)


def move(connection: Connection, *, workspace_id: UUID, mapping_id: UUID, places: int, by: Actor) -> int:
    """Move a mapping so many places down the list, or up where that is negative; as far as the list goes.

    Returns:
        Where it stands now, from 1.

    Raises:
        NotFound: the workspace has none of this id.
    """
    _hold_all(connection, workspace_id)
    there = select(MappingRow.id).where(MappingRow.workspace_id == workspace_id).order_by(*_IN_ORDER)
    ids = list(connection.execute(there).scalars())
    if mapping_id not in ids:
        raise NotFound(_NONE)
    place = ids.index(mapping_id)
    moved = min(max(place + places, 0), len(ids) - 1)
    if moved != place:
        ids.insert(moved, ids.pop(place))
        put_in_order(connection, workspace_id=workspace_id, ids=ids, by=by)
    return moved + 1


def _hold_all(connection: Connection, workspace_id: UUID) -> None:
    """One at a time may add to the list or put it in order."""
    connection.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))


def remove(connection: Connection, *, workspace_id: UUID, mapping_id: UUID, by: Actor) -> None:
    """Take a mapping away; what it gave is gone from the commit on.

    Raises:
        NotFound: the workspace has none of this id.
    """
    before = lock(connection, workspace_id=workspace_id, mapping_id=mapping_id)
    gone = delete(MappingRow).where(MappingRow.workspace_id == workspace_id, MappingRow.id == mapping_id)
    fact = MappingDeleted(mapping_id=mapping_id, rule=str(before.rule))
    connection.execute(outbox.together(connection, gone, fact, workspace_id=workspace_id, by=by))
