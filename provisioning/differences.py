"""Differences between what an identity provider says and what is in effect: the form in which rooms tell of theirs.

Each room asks about its own tables, one statement a kind; put together they are one list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, cast, literal

_FORM: Mapping[str, Any] = {
    "id": Text,
    "kind": Text,
    "connection_id": Uuid,
    "subject": Text,
    "subject_id": Uuid,
    "name": Text,
    "says": Text,
    "holds": Text,
    "since": DateTime(timezone=True),
}


@dataclass(frozen=True, slots=True)
class Of:
    """Where differences are looked for.

    Args:
        workspace_id: where.
        connection_id: of which of its connections; None: of all, and of what no connection is concerned with.
    """

    workspace_id: UUID
    connection_id: UUID | None = None

    def which(self, workspace_id: Any, connection_id: Any) -> tuple[Any, ...]:
        """The condition that rows with these columns are of there."""
        here = (workspace_id == self.workspace_id,)
        return here if self.connection_id is None else (*here, connection_id == self.connection_id)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as an identity provider says.

    Args:
        id: that no other of its kind has.
        kind: of what kind it is.
        connection_id: whose word it is; None where no connection says anything.
        subject: what it is about: `user`, `group`, `mapping` or `connection`.
        subject_id: which; of what is gone, which it was.
        name: what people call that.
        says: what the identity provider says.
        holds: what is in effect.
        since: since when, as far as that is known.
    """

    id: str
    kind: str
    connection_id: UUID | None
    subject: str
    subject_id: UUID
    name: str
    says: str
    holds: str
    since: datetime | None


def line(kind: str, **parts: Any) -> tuple[Any, ...]:
    """The columns of a difference, for the SELECT of its kind; texts are literals."""
    values = {"kind": kind, "connection_id": None, **parts}
    return tuple(
        cast(literal(value, Text) if isinstance(value, str) else value, form).label(name)
        for name, form in _FORM.items()
        for value in (values[name],)
    )
