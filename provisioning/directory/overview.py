"""What a person sees first: the workspaces that they are in, and for owners how large those are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.engine import Connection as Database
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning.directory.models import Connection, Group, Member, Workspace


@dataclass(frozen=True, slots=True)
class WorkspaceOverview:
    """A workspace through the eyes of one of its members; the counts are for owners alone."""

    slug: str
    name: str
    hipaa_eligible: bool
    owner: bool
    members: int | None
    suspended: int | None
    groups: int | None
    connections: int | None


_somebody = aliased(Member)


def _count(table: type[Any], *conditions: Any) -> Any:
    """How many rows of a workspace, if an owner asks."""
    counted = select(func.count()).select_from(table).where(table.workspace_id == Workspace.id, *conditions)
    return case((Member.owner, counted.correlate(Workspace).scalar_subquery()))


def of_person(database: Database, *, user_id: UUID, reach_id: UUID | None) -> Sequence[WorkspaceOverview]:
    """The workspaces in which a person is active, by name; or the only one that their session opens."""
    wanted = (
        select(
            Workspace.slug,
            Workspace.name,
            Workspace.hipaa_eligible,
            Member.owner,
            _count(_somebody),
            _count(_somebody, _somebody.active.is_(False)),
            _count(Group),
            _count(Connection),
        )
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Member.user_id == user_id, Member.active, Workspace.deleted_at.is_(None))
        .order_by(Workspace.name)
    )
    if reach_id is not None:
        wanted = wanted.where(Workspace.id == reach_id)
    return [WorkspaceOverview(*row) for row in database.execute(wanted)]
