"""Resources: what access is given to, registered by the products that own them, and the labels that they carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    Text,
    delete,
    false,
    insert,
    or_,
    select,
    text,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.access.events import PolicyDeleted, ResourcesLabelled, ResourcesRegistered, ResourcesRemoved
from provisioning.access.labels import parse_label
from provisioning.access.models import SUBJECTS, ResourceLabel, ResourceRow
from provisioning.access.rules import Reference, Resource, Scope
from provisioning.access.scopes import parse_reference
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound

TYPES = frozenset({"source", "destination", "warehouse", "space", "tracking-plan", "function"})
LABELLED_TYPES = frozenset({"source", "space"})
_LONGEST_ID, _LONGEST_NAME = 255, 500
# Resources, each with the labels that it carries as `key:value`.
Labelled = dict[Reference, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Registration:
    """What the owning product tells of a resource; labels None: those that it has stay."""

    type: str
    id: str
    name: str
    labels: tuple[str, ...] | None = None

    @property
    def reference(self) -> Reference:
        """What the resource is called in its workspace."""
        return Reference(self.type, self.id)


def register(connection: Connection, *, workspace_id: UUID, resources: Sequence[Registration], by: Actor) -> None:
    """Register resources, or bring what is known of them up to date: all of them, or none.

    Raises:
        Invalid: an unknown type, labels on a type that carries none, two values of one key, or an unknown label.
    """
    told = {resource.reference: resource for resource in resources}
    for resource in told.values():
        require_form(resource)
    if not told:
        return
    rows = [{"workspace_id": workspace_id, "type": r.type, "id": r.id, "name": r.name} for r in told.values()]
    new = insert_or(ResourceRow)
    connection.execute(
        new.on_conflict_do_update(index_elements=["workspace_id", "type", "id"], set_={"name": new.excluded.name}), rows
    )
    labelled = {reference: r.labels for reference, r in told.items() if r.labels is not None}
    _write_labels(connection, workspace_id, labelled)
    fact = ResourcesRegistered(resources=tuple(map(str, told)))
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)


def require_form(resource: Registration) -> None:
    """Take what is told of a resource, as far as it can be judged by itself.

    Raises:
        Invalid: an unknown type, an id or name that is missing or too long, labels on a type that carries none, or two
            values of one key.
    """
    if resource.type not in TYPES:
        raise Invalid(f"A resource's type is one of {', '.join(sorted(TYPES))}.", field="type")
    for field, written, most in (("id", resource.id, _LONGEST_ID), ("name", resource.name, _LONGEST_NAME)):
        if not 0 < len(written) <= most or "\0" in written:
            raise Invalid(f"A resource's {field} has 1 to {most} characters.", field=field)
    if resource.labels:
        _require_label_form(resource.type, resource.labels)


def _require_label_form(resource_type: str, labels: Iterable[str]) -> None:
    if resource_type not in LABELLED_TYPES:
        raise Invalid(f"Only {' and '.join(sorted(LABELLED_TYPES))} resources carry labels.", field="labels")
    pairs = set(map(parse_label, labels))
    if len({key for key, _ in pairs}) < len(pairs):
        raise Invalid("A resource carries one value a key.", field="labels")


def _write_labels(connection: Connection, workspace_id: UUID, labelled: Labelled) -> None:
    """Give each of these resources these labels and no others."""
    if not labelled:
        return
    connection.execute(delete(ResourceLabel).where(ResourceLabel.workspace_id == workspace_id, _carried_by(labelled)))
    rows = [
        {
            "workspace_id": workspace_id,
            "resource_type": reference.type,
            "resource_id": reference.id,
            "key": key,
            "value": value,
        }
        for reference, labels in labelled.items()
        for key, value in sorted(set(map(parse_label, labels)))
    ]
    try:
        if rows:
            connection.execute(insert(ResourceLabel), rows)
    except IntegrityError:
        raise Invalid("One of the labels does not exist in this workspace.", field="labels") from None


def _carried_by(references: Iterable[Reference]) -> ColumnElement[bool]:
    pairs = [(reference.type, reference.id) for reference in references]
    return tuple_(ResourceLabel.resource_type, ResourceLabel.resource_id).in_(pairs)


def _are(references: Iterable[Reference]) -> ColumnElement[bool]:
    pairs = [(reference.type, reference.id) for reference in references]
    return tuple_(ResourceRow.type, ResourceRow.id).in_(pairs)


_LABELS = (
    select(func.array_agg(aggregate_order_by(ResourceLabel.key + ":" + ResourceLabel.value, ResourceLabel.key)))
    .where(
        ResourceLabel.workspace_id == ResourceRow.workspace_id,
        ResourceLabel.resource_type == ResourceRow.type,
        ResourceLabel.resource_id == ResourceRow.id,
    )
    .correlate(ResourceRow)
    .scalar_subquery()
)
_VIEW = select(ResourceRow.type, ResourceRow.id, ResourceRow.name, _LABELS)


def _view(row: Sequence[Any]) -> Registration:
    resource_type, identifier, name, labels = row
    return Registration(resource_type, identifier, name, tuple(labels or ()))


def some(
    connection: Connection,
    *,
    workspace_id: UUID,
    count: int,
    after: Reference | None = None,
    within: Iterable[Scope] | None = None,
    types: Iterable[str] | None = None,
) -> Sequence[Registration]:
    """Some of the workspace's resources, by type and id.

    Args:
        connection: to read with.
        workspace_id: whose resources.
        count: how many at the most.
        after: the one behind which they begin.
        within: only what one of these scopes covers.
        types: only those of these types.
    """
    wanted = _VIEW.where(ResourceRow.workspace_id == workspace_id)
    if after is not None:
        wanted = wanted.where(tuple_(ResourceRow.type, ResourceRow.id) > tuple_(after.type, after.id))
    if within is not None:
        wanted = wanted.where(or_(false(), *(covered(scope) for scope in within)))
    if types is not None:
        wanted = wanted.where(ResourceRow.type.in_(list(types)))
    rows = connection.execute(wanted.order_by(ResourceRow.type, ResourceRow.id).limit(count))
    return [_view(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which resources are wanted; None leaves a side open.

    Args:
        kind: those of this type.
        words: those whose name or id contains them, in capitals or not.
        label: those that carry it, as `key:value`.
    """

    kind: str | None = None
    words: str | None = None
    label: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """What is true of those that are wanted."""
        if self.kind is not None:
            yield ResourceRow.type == self.kind
        if self.words is not None:
            named = ResourceRow.name.icontains(self.words, autoescape=True)
            yield named | ResourceRow.id.icontains(self.words, autoescape=True)
        if self.label is not None:
            key, _, value = self.label.partition(":")
            carried = (ResourceLabel.workspace_id == ResourceRow.workspace_id, *_ON_THE_SAME)
            yield select(1).where(*carried, ResourceLabel.key == key, ResourceLabel.value == value).exists()


_ON_THE_SAME = (ResourceLabel.resource_type == ResourceRow.type, ResourceLabel.resource_id == ResourceRow.id)


def page(
    connection: Connection,
    *,
    workspace_id: UUID,
    window: Window,
    narrowing: Narrowing = Narrowing(),
    by_name: bool = False,
    descending: bool = False,
) -> Page[Registration]:
    """Some of the workspace's resources, and how many there are.

    Args:
        connection: to read with.
        workspace_id: whose resources.
        window: which part of the list.
        narrowing: which of them.
        by_name: whether they are sorted by what they are called, instead of by type and id.
        descending: whether the greatest name or type comes first.
    """
    whole: SQLColumnExpression[str] = ResourceRow.type + ":" + ResourceRow.id
    # By type, an index leads there; several of one name are told apart by type and id.
    identifier, key = (whole, ResourceRow.name) if by_name else (ResourceRow.id, ResourceRow.type)
    wanted = select(identifier, ResourceRow.type, ResourceRow.id, ResourceRow.name, _LABELS)
    return fetch(
        connection,
        wanted.where(ResourceRow.workspace_id == workspace_id, *narrowing.conditions()),
        identifier=identifier,
        window=window,
        sorting=Sorting(key.expression, descending, never_none=True),
        read=lambda row: _view(row[1:]),
    )


def covered(scope: Scope) -> ColumnElement[bool]:
    """Whether a scope covers a resource, as `Scope.covers` says it."""
    if scope.kind == "resources":
        return _are(scope.resources)
    if scope.kind == "all":
        return true()
    return type_coerce(_LABELS, ARRAY(Text)).contains(sorted(scope.labels))


def labels_of(connection: Connection, *, workspace_id: UUID, resources: Iterable[Reference]) -> Labelled:
    """The labels that resources carry.

    Raises:
        NotFound: the workspace has not all of them.
    """
    return _found(connection, workspace_id, set(resources), _VIEW)


def asked_about(connection: Connection, *, workspace_id: UUID, written: str | None) -> Resource | None:
    """The resource that a question is about, with its labels; None where it is about the workspace itself.

    Args:
        connection: to read with.
        workspace_id: whose resource.
        written: as `type:id`.

    Raises:
        Invalid: it is not of that form.
        NotFound: the workspace has no such resource.
    """
    if written is None:
        return None
    reference = parse_reference(written)
    carried = labels_of(connection, workspace_id=workspace_id, resources=[reference])
    return Resource(reference, frozenset(carried[reference]))


def known(connection: Connection, *, workspace_id: UUID, resources: Iterable[Reference]) -> Labelled:
    """Those of some resources that the workspace has, with the labels that they carry."""
    return _there(connection, workspace_id, set(resources), _VIEW)


def _there(connection: Connection, workspace_id: UUID, references: set[Reference], view: Any) -> Labelled:
    rows = connection.execute(view.where(ResourceRow.workspace_id == workspace_id, _are(references)))
    return {resource.reference: resource.labels or () for resource in map(_view, rows)}


def _found(connection: Connection, workspace_id: UUID, references: set[Reference], view: Any) -> Labelled:
    found = _there(connection, workspace_id, references, view)
    if references - found.keys():
        raise NotFound("There is no such resource in this workspace.")
    return found


def set_labels(
    connection: Connection, *, workspace_id: UUID, resources: Sequence[Reference], labels: Sequence[str], by: Actor
) -> Labelled:
    """Give resources these labels and no others.

    Raises:
        NotFound: the workspace has not all of the resources.
        Invalid: a resource carries no labels, there are two values of one key, or an unknown label.
    """
    before = _lock(connection, workspace_id, resources)
    return _relabel(connection, workspace_id, before, dict.fromkeys(before, tuple(labels)), by)


def add_labels(
    connection: Connection, *, workspace_id: UUID, resources: Sequence[Reference], labels: Sequence[str], by: Actor
) -> Labelled:
    """Give resources more labels.

    Raises:
        NotFound: the workspace has not all of the resources.
        Invalid: a resource carries no labels, there are two values of one key, or an unknown label.
        Conflict: a resource carries another value of one of the keys.
    """
    before = _lock(connection, workspace_id, resources)
    wanted = dict(map(parse_label, labels))
    for reference, carried in before.items():
        other = [
            label for label in carried if wanted.get(label.split(":")[0], label.split(":")[1]) != label.split(":")[1]
        ]
        if other:
            raise Conflict(f"{reference} carries {other[0]} already, and one value a key.", field="labels")
    after = {reference: tuple({*carried, *labels}) for reference, carried in before.items()}
    return _relabel(connection, workspace_id, before, after, by)


def remove_labels(
    connection: Connection, *, workspace_id: UUID, resources: Sequence[Reference], labels: Sequence[str], by: Actor
) -> Labelled:
    """Take labels off resources; one that they don't carry changes nothing.

    Raises:
        NotFound: the workspace has not all of the resources.
    """
    before = _lock(connection, workspace_id, resources)
    after = {reference: tuple(set(carried) - set(labels)) for reference, carried in before.items()}
    return _relabel(connection, workspace_id, before, after, by)


def _lock(connection: Connection, workspace_id: UUID, resources: Sequence[Reference]) -> Labelled:
    ordered = _VIEW.order_by(ResourceRow.type, ResourceRow.id).with_for_update(of=ResourceRow, key_share=True)
    return _found(connection, workspace_id, set(resources), ordered)


def _relabel(
    connection: Connection,
    workspace_id: UUID,
    before: Labelled,
    after: Labelled,
    by: Actor,
) -> Labelled:
    changed = {reference: labels for reference, labels in after.items() if set(labels) != set(before[reference])}
    for reference, labels in changed.items():
        if labels:
            _require_label_form(reference.type, labels)
    if changed:
        _write_labels(connection, workspace_id, changed)
        told = {str(reference): sorted(set(labels)) for reference, labels in changed.items()}
        outbox.append(connection, ResourcesLabelled(labels=told), workspace_id=workspace_id, by=by)
    return {reference: tuple(sorted(set(labels))) for reference, labels in after.items()}


# Whatever takes the id later is another resource: what listed the old one lists it no more.
_UNLIST = text(
    """
    WITH listing AS (
        UPDATE policy SET scope = jsonb_set(scope, '{resources}', (scope -> 'resources') - CAST(:gone AS text[]))
        WHERE workspace_id = :workspace AND scope -> 'resources' ?| CAST(:gone AS text[])
        RETURNING id, scope
    )
    SELECT id FROM listing WHERE scope -> 'resources' = '[]'
    """
)
_DELETE_EMPTY = text(
    """
    DELETE FROM policy WHERE workspace_id = :workspace AND id = ANY(:ids)
    RETURNING id, role, scope, member_id, group_id, token_id, mapping_id, invitation_id, client_id
    """
)


def remove(connection: Connection, *, workspace_id: UUID, resources: Sequence[Reference], by: Actor) -> None:
    """Take resources away; policies that list them list them no more, and one that lists nothing else is gone, too.

    Raises:
        NotFound: the workspace has not all of them.
    """
    wanted = set(resources)
    here = (ResourceRow.workspace_id == workspace_id, _are(wanted))
    rows = connection.execute(select(ResourceRow.type, ResourceRow.id).where(*here).with_for_update()).all()
    if len(rows) < len(wanted):
        raise NotFound("There is no such resource in this workspace.")
    names = sorted(map(str, wanted))
    empty = connection.execute(_UNLIST, {"workspace": workspace_id, "gone": names}).scalars().all()
    facts: list[Any] = [ResourcesRemoved(resources=tuple(names))]
    for row in connection.execute(_DELETE_EMPTY, {"workspace": workspace_id, "ids": list(empty)}):
        given_to = next(f"{kind}:{found}" for kind, found in zip(SUBJECTS, row[3:], strict=True) if found)
        facts.append(PolicyDeleted(policy_id=row.id, given_to=given_to, role=row.role, scope=row.scope))
    connection.execute(delete(ResourceRow).where(*here))
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
