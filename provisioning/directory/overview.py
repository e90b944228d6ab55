"""What a person sees first: the workspaces that they are in, and how large one of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection as Database
from sqlalchemy.sql import func

from provisioning.directory.models import Group, Invitation, Member, Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace through the eyes of one of its active members."""

    workspace_id: UUID
    slug: str
    name: str
    hipaa_eligible: bool
    member_id: UUID
    owner: bool
    # What the person is called there.
    person: str
    email: str


def of_person(database: Database, *, user_id: UUID, reach_id: UUID | None) -> Sequence[Place]:
    """The workspaces in which a person is active, by name; or the only one that their session opens."""
    wanted = (
        select(
            Workspace.id,
            Workspace.slug,
            Workspace.name,
            Workspace.hipaa_eligible,
            Member.id,
            Member.owner,
            func.coalesce(Member.display_name, Member.user_name),
            Member.user_name,
        )
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Member.user_id == user_id, Member.active, Workspace.deleted_at.is_(None))
        .order_by(Workspace.name, Workspace.id)
    )
    if reach_id is not None:
        wanted = wanted.where(Workspace.id == reach_id)
    return [Place(*row) for row in database.execute(wanted)]


@dataclass(frozen=True, slots=True)
class Figures:
    """How large a workspace is."""

    members: int
    suspended: int
    owners: int
    invited: int
    groups: int
    linked_groups: int


def _count(table: type[Any], *conditions: Any) -> Any:
    here = (table.workspace_id == bindparam("workspace"), *conditions)
    return select(func.count()).select_from(table).where(*here).scalar_subquery()


_FIGURES = select(
    _count(Member),
    _count(Member, Member.active.is_(False)),
    _count(Member, Member.owner),
    _count(Invitation),
    _count(Group),
    _count(Group, Group.connection_id.is_not(None)),
)


def figures(database: Database, *, workspace_id: UUID) -> Figures:
    """How many people and groups a workspace has, in one statement."""
    return Figures(*database.execute(_FIGURES, {"workspace": workspace_id}).one())
