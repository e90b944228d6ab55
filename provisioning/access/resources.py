"""Resources: what access is given to, registered by the products that own them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.access.events import ResourcesRegistered
from provisioning.access.labels import parse_label
from provisioning.access.models import ResourceLabel, ResourceRow
from provisioning.outbox import Actor
from provisioning.refusals import Invalid

TYPES = frozenset({"source", "destination", "warehouse", "space", "tracking-plan", "function"})
LABELLED_TYPES = frozenset({"source", "space"})


@dataclass(frozen=True, slots=True)
class Registration:
    """What the owning product tells of a resource."""

    type: str
    id: str
    name: str
    labels: tuple[str, ...] = ()


def register(connection: Connection, *, workspace_id: UUID, resources: Sequence[Registration], by: Actor) -> None:
    """Register resources, or bring what is known of them up to date; labels are replaced.

    Raises:
        Invalid: an unknown type, labels on a type that carries none, two values of one key, or an unknown label.
    """
    if not resources:
        return
    labels = [row for resource in resources for row in _label_rows(workspace_id, resource)]
    rows = [{"workspace_id": workspace_id, "type": r.type, "id": r.id, "name": r.name} for r in resources]
    new = insert_or(ResourceRow)
    connection.execute(
        new.on_conflict_do_update(index_elements=["workspace_id", "type", "id"], set_={"name": new.excluded.name}), rows
    )
    for resource in resources:
        connection.execute(
            delete(ResourceLabel).where(
                ResourceLabel.workspace_id == workspace_id,
                ResourceLabel.resource_type == resource.type,
                ResourceLabel.resource_id == resource.id,
            )
        )
    try:
        if labels:
            connection.execute(insert(ResourceLabel), labels)
    except IntegrityError:
        raise Invalid("One of the labels does not exist in this workspace.", field="labels") from None
    names = tuple(f"{r.type}:{r.id}" for r in resources)
    outbox.append(connection, ResourcesRegistered(resources=names), workspace_id=workspace_id, by=by)


def _label_rows(workspace_id: UUID, resource: Registration) -> list[dict[str, object]]:
    if resource.type not in TYPES:
        raise Invalid(f"A resource's type is one of {', '.join(sorted(TYPES))}.", field="type")
    if resource.labels and resource.type not in LABELLED_TYPES:
        raise Invalid(f"Only {' and '.join(sorted(LABELLED_TYPES))} resources carry labels.", field="labels")
    pairs = [parse_label(label) for label in resource.labels]
    if len({key for key, _ in pairs}) < len(pairs):
        raise Invalid("A resource carries one value a key.", field="labels")
    of = {"workspace_id": workspace_id, "resource_type": resource.type, "resource_id": resource.id}
    return [{**of, "key": key, "value": value} for key, value in pairs]


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


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[Registration]:
    """The workspace's resources, by type and id."""
    wanted = _VIEW.where(ResourceRow.workspace_id == workspace_id).order_by(ResourceRow.type, ResourceRow.id)
    return [Registration(t, i, name, tuple(labels or ())) for t, i, name, labels in connection.execute(wanted)]
