"""Labels: `key:value` on sources and spaces, one value a key on any one resource."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.engine import Connection

from provisioning.access.models import Label
from provisioning.refusals import Conflict, Invalid

BORN_WITH = (("environment", "dev"), ("environment", "prod"))
_PART = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LabelView:
    """A label as it is shown."""

    key: str
    value: str
    description: str | None


def parse_label(written: str) -> tuple[str, str]:
    """Read `key:value`.

    Raises:
        Invalid: key or value do not begin with a letter, followed by letters, digits and hyphens (63 at most).
    """
    key, _, value = written.partition(":")
    if not (_PART.fullmatch(key) and _PART.fullmatch(value)):
        raise Invalid(
            "A label is written key:value; each begins with a letter, then letters, digits and hyphens (63 at most); "
            f"this is {written!r}.",
            field="labels",
        )
    return key, value


def create_born_with(connection: Connection, *, workspace_id: UUID) -> None:
    """Give a new workspace the labels that every workspace has."""
    rows = [{"workspace_id": workspace_id, "key": key, "value": value} for key, value in BORN_WITH]
    connection.execute(insert(Label), rows)


def create(connection: Connection, *, workspace_id: UUID, label: str, description: str | None) -> LabelView:
    """Add a label to a workspace.

    Raises:
        Invalid: it is not of the form.
        Conflict: it is there already.
    """
    key, value = parse_label(label)
    new = insert_or(Label).values(workspace_id=workspace_id, key=key, value=value, description=description)
    row = connection.execute(new.on_conflict_do_nothing().returning(Label.key)).one_or_none()
    if row is None:
        raise Conflict(f"There is a label {label} already.", field="label")
    return LabelView(key, value, description)


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[LabelView]:
    """The workspace's labels, by key and value."""
    wanted = select(Label.key, Label.value, Label.description).where(Label.workspace_id == workspace_id)
    return [LabelView(*row) for row in connection.execute(wanted.order_by(Label.key, Label.value))]
