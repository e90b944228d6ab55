"""Labels: `key:value` on sources and spaces, one value a key on any one resource."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from provisioning import outbox
from provisioning.access.events import LabelCreated, LabelDeleted, LabelRenamed
from provisioning.access.models import Label, MappingRow, Policy, ResourceLabel
from provisioning.directory.paging import Page, Window, fetch
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound

BORN_WITH = (("environment", "dev"), ("environment", "prod"))
PART = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}", re.ASCII)
_TOLD_USES = 10


@dataclass(frozen=True, slots=True)
class LabelView:
    """A label as it is shown."""

    key: str
    value: str
    description: str | None

    @property
    def name(self) -> str:
        """The label as it is written."""
        return f"{self.key}:{self.value}"


def parse_label(written: str) -> tuple[str, str]:
    """Read `key:value`.

    Raises:
        Invalid: key or value do not begin with a letter, followed by letters, digits and hyphens (63 at most).
    """
    key, _, value = written.partition(":")
    if not (PART.fullmatch(key) and PART.fullmatch(value)):
        raise Invalid(
            "A label is written key:value; each begins with a letter, then letters, digits and hyphens (63 at most); "
            f"this is {written[:130]!r}.",
            field="labels",
        )
    return key, value


def create_born_with(connection: Connection, *, workspace_id: UUID) -> None:
    """Give a new workspace the labels that every workspace has."""
    rows = [{"workspace_id": workspace_id, "key": key, "value": value} for key, value in BORN_WITH]
    connection.execute(insert(Label), rows)


def create(connection: Connection, *, workspace_id: UUID, label: str, description: str | None, by: Actor) -> LabelView:
    """Add a label to a workspace.

    Raises:
        Invalid: it is not of the form.
        Conflict: it is there already.
    """
    key, value = parse_label(label)
    new = insert_or(Label).values(workspace_id=workspace_id, key=key, value=value, description=description)
    if connection.execute(new.on_conflict_do_nothing().returning(Label.key)).one_or_none() is None:
        raise Conflict(f"There is a label {label} already.", field="label")
    outbox.append(connection, LabelCreated(label=label), workspace_id=workspace_id, by=by)
    return LabelView(key, value, description)


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[LabelView]:
    """The workspace's labels, by key and value."""
    wanted = select(Label.key, Label.value, Label.description).where(Label.workspace_id == workspace_id)
    return [LabelView(*row) for row in connection.execute(wanted.order_by(Label.key, Label.value))]


def page(connection: Connection, *, workspace_id: UUID, words: str, window: Window) -> Page[LabelView]:
    """Some of the workspace's labels, by key and value, and how many there are.

    Args:
        connection: to read with.
        workspace_id: whose labels.
        words: what `key:value` or the description contains; empty for all.
        window: which part of the list; its ids are the labels themselves.
    """
    whole = Label.key + ":" + Label.value
    wanted = select(whole, Label.key, Label.value, Label.description).where(Label.workspace_id == workspace_id)
    if words:
        told = whole.icontains(words, autoescape=True)
        wanted = wanted.where(told | Label.description.icontains(words, autoescape=True))
    return fetch(
        connection, wanted, identifier=whole, window=window, sorting=None, read=lambda row: LabelView(*row[1:])
    )


def by_name(connection: Connection, *, workspace_id: UUID, label: str) -> LabelView:
    """The label of this name, as `key:value`.

    Raises:
        NotFound: the workspace has no such label.
    """
    key, _, value = label.partition(":")
    wanted = select(Label.key, Label.value, Label.description).where(Label.workspace_id == workspace_id)
    row = connection.execute(wanted.where(Label.key == key, Label.value == value)).one_or_none()
    if row is None:
        raise NotFound("There is no such label in this workspace.")
    return LabelView(*row)


def remove(connection: Connection, *, workspace_id: UUID, label: str, by: Actor) -> None:
    """Take a label away that nothing uses.

    Raises:
        NotFound: the workspace has no such label.
        Conflict: resources carry it, policies ask for it or mappings read it in the names of groups; they are listed.
    """
    key, value = _lock(connection, workspace_id, label).split(":")
    if used := uses(connection, workspace_id=workspace_id, label=label):
        shown = ", ".join(used[:_TOLD_USES]) + (f" and {len(used) - _TOLD_USES} more" if len(used) > _TOLD_USES else "")
        raise Conflict(f"The label {label} is in use: {shown}.", field="label", uses=used)
    gone = delete(Label).where(Label.workspace_id == workspace_id, Label.key == key, Label.value == value)
    connection.execute(outbox.together(connection, gone, LabelDeleted(label=label), workspace_id=workspace_id, by=by))


def uses(connection: Connection, *, workspace_id: UUID, label: str) -> list[str]:
    """What uses a label: resources as `type:id`, policies as `policy:id`, and `mapping:id` that read it in names."""
    key, _, value = label.partition(":")
    reading = _readers(connection, workspace_id, key)
    carried = select(ResourceLabel.resource_type + ":" + ResourceLabel.resource_id).where(
        ResourceLabel.workspace_id == workspace_id, ResourceLabel.key == key, ResourceLabel.value == value
    )
    asked = select(literal("policy:") + Policy.id.cast(type_=ResourceLabel.key.type)).where(
        Policy.workspace_id == workspace_id, _asks_for(label)
    )
    return sorted([*connection.execute(carried).scalars(), *connection.execute(asked).scalars(), *reading])


def _readers(connection: Connection, workspace_id: UUID, key: str) -> Sequence[str]:
    """The mappings that are switched on and read values of this key in the names of groups."""
    named = MappingRow.pattern.contains(f"{{label.{key}}}", autoescape=True)
    found = select(MappingRow.id).where(MappingRow.workspace_id == workspace_id, MappingRow.enabled, named)
    return [f"mapping:{mapping_id}" for mapping_id in connection.execute(found).scalars()]


# In the order in which scopes are stored.
_RENAMED_SCOPE = text(
    """
    jsonb_set(scope, '{labels}', (
        SELECT jsonb_agg(DISTINCT CASE WHEN label = :before THEN :after ELSE label END)
        FROM jsonb_array_elements_text(scope -> 'labels') AS label
    ))
    """
)


def rename(connection: Connection, *, workspace_id: UUID, label: str, to: str, by: Actor) -> LabelView:
    """Call a label otherwise; the resources that carry it and the policies that ask for it go along.

    Raises:
        NotFound: the workspace has no such label.
        Invalid: the new one is not of the form.
        Conflict: there is a label of the new name, or a resource carries another value of the new key; or mappings read
            the label in the names of groups, which can't go along.
    """
    key, value = parse_label(to)
    before_key, before_value = _lock(connection, workspace_id, label).split(":")
    old = (Label.workspace_id == workspace_id, Label.key == before_key, Label.value == before_value)
    description = connection.execute(select(Label.description).where(*old)).scalar_one()
    if to == label:
        return LabelView(key, value, description)
    if readers := _readers(connection, workspace_id, before_key):
        raise Conflict(
            f"The names of groups say {before_key}, and can't go along: {', '.join(readers[:_TOLD_USES])} reads them.",
            field="label",
            uses=readers,
        )
    new = insert_or(Label).values(workspace_id=workspace_id, key=key, value=value, description=description)
    if connection.execute(new.on_conflict_do_nothing().returning(Label.key)).one_or_none() is None:
        raise Conflict(f"There is a label {to} already.", field="label")
    carried = update(ResourceLabel).where(
        ResourceLabel.workspace_id == workspace_id,
        ResourceLabel.key == before_key,
        ResourceLabel.value == before_value,
    )
    try:
        connection.execute(carried.values(key=key, value=value))
    except IntegrityError:
        raise Conflict(f"A resource carries another value of {key} already.", field="label") from None
    asked = update(Policy).where(Policy.workspace_id == workspace_id, _asks_for(label))
    connection.execute(asked.values(scope=_RENAMED_SCOPE.bindparams(before=label, after=to)))
    connection.execute(delete(Label).where(*old))
    outbox.append(connection, LabelRenamed(label=to, was=label), workspace_id=workspace_id, by=by)
    return LabelView(key, value, description)


def _asks_for(label: str) -> ColumnElement[bool]:
    return Policy.scope["labels"].contains(bindparam(None, [label], JSONB))


def _lock(connection: Connection, workspace_id: UUID, label: str) -> str:
    """Hold a label against everybody who would use it."""
    key, _, value = label.partition(":")
    here = (Label.workspace_id == workspace_id, Label.key == key, Label.value == value)
    if connection.execute(select(Label.key).where(*here).with_for_update()).one_or_none() is None:
        raise NotFound("There is no such label in this workspace.")
    return f"{key}:{value}"
