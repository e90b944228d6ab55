"""Workspaces: founding one, looking one up, and its HIPAA eligibility."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory.events import (
    HipaaEligibilityChanged,
    LongestTokenChanged,
    OwnersByMappingChanged,
    WorkspaceCreated,
    WorkspaceDeleted,
)
from provisioning.directory.models import SESSION_EPOCHS, Workspace
from provisioning.directory.models import Connection as ConnectionRow
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_LONGEST_NAME = 200
_SHORTEST_TOKEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """A workspace as it is shown."""

    id: UUID
    slug: str
    name: str
    hipaa_eligible: bool
    created_at: datetime


_VIEW = select(Workspace.id, Workspace.slug, Workspace.name, Workspace.hipaa_eligible, Workspace.created_at).where(
    Workspace.deleted_at.is_(None)
)


def create(connection: Connection, *, slug: str, name: str, hipaa_eligible: bool, by: Actor) -> WorkspaceView:
    """Found a workspace.

    Raises:
        Invalid: the slug or name has not the form it needs.
        Conflict: the slug is taken.
    """
    if not _SLUG.fullmatch(slug):
        raise Invalid("A slug begins with a letter a-z, then letters, digits and hyphens, 63 at most.", field="slug")
    if not name.strip() or len(name) > _LONGEST_NAME or "\0" in name:
        raise Invalid(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    new = insert(Workspace).values(id=entropy.new_id(), slug=slug, name=name, hipaa_eligible=hipaa_eligible)
    try:
        row = connection.execute(new.returning(*_VIEW.selected_columns)).one()
    except IntegrityError:
        raise Conflict(f"There is a workspace called {slug} already.", field="slug") from None
    workspace = WorkspaceView(*row)
    fact = WorkspaceCreated(workspace_id=workspace.id, slug=slug, hipaa_eligible=hipaa_eligible)
    outbox.append(connection, fact, workspace_id=workspace.id, by=by)
    return workspace


def by_slug(connection: Connection, slug: str) -> WorkspaceView:
    """The workspace of this slug.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_VIEW.where(Workspace.slug == slug)).one_or_none()
    if row is None:
        raise NotFound(f"There is no workspace called {slug}.")
    return WorkspaceView(*row)


def by_id(connection: Connection, workspace_id: UUID) -> WorkspaceView:
    """The workspace of this id.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(_VIEW.where(Workspace.id == workspace_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such workspace.")
    return WorkspaceView(*row)


def lock(connection: Connection, workspace_id: UUID) -> WorkspaceView:
    """The workspace, held against whoever joins it or signs in until the transaction ends.

    Raises:
        NotFound: there is none of this id.
    """
    row = connection.execute(_VIEW.where(Workspace.id == workspace_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such workspace.")
    return WorkspaceView(*row)


def every(connection: Connection) -> Sequence[WorkspaceView]:
    """All workspaces, by slug: for the operator alone."""
    return [WorkspaceView(*row) for row in connection.execute(_VIEW.order_by(Workspace.slug))]


def set_hipaa_eligible(connection: Connection, *, slug: str, eligible: bool, by: Actor) -> WorkspaceView:
    """Make a workspace HIPAA-eligible, or no longer so: for the operator alone.

    A change ends, from the commit on, every session that its active members began before, in all workspaces. It costs
    the same for ten members and for a million: one row is written, which every check reads.

    Raises:
        NotFound: there is no such workspace.
    """
    # FOR UPDATE, not the weaker lock of an UPDATE: whoever is joining or signing in holds the row FOR KEY SHARE.
    row = connection.execute(_VIEW.where(Workspace.slug == slug).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"There is no workspace called {slug}.")
    if row.hipaa_eligible == eligible:
        return WorkspaceView(*row)
    changed = connection.execute(
        update(Workspace)
        .where(Workspace.id == row.id)
        .values(hipaa_eligible=eligible, session_epoch=SESSION_EPOCHS.next_value())
        .returning(*_VIEW.selected_columns)
    ).one()
    fact = HipaaEligibilityChanged(workspace_id=changed.id, hipaa_eligible=eligible)
    outbox.append(connection, fact, workspace_id=changed.id, by=by)
    return WorkspaceView(*changed)


def delete(connection: Connection, *, slug: str, by: Actor) -> WorkspaceView:
    """Delete a workspace: for the operator alone.

    From the commit on it is there for nobody: its connections and tokens are refused, its slug is free, and every
    session that its active members began before has ended, in all workspaces. One row is written, whatever the size;
    workers remove the others. The facts stay, and so does this row, by which a refusal can name what is gone.

    Raises:
        NotFound: there is no such workspace.
    """
    # FOR UPDATE, as in `set_hipaa_eligible`.
    row = connection.execute(_VIEW.where(Workspace.slug == slug).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"There is no workspace called {slug}.")
    gone = update(Workspace).where(Workspace.id == row.id)
    connection.execute(gone.values(deleted_at=func.clock_timestamp(), session_epoch=SESSION_EPOCHS.next_value()))
    outbox.append(connection, WorkspaceDeleted(workspace_id=row.id, slug=slug), workspace_id=row.id, by=by)
    return WorkspaceView(*row)


def set_owners_by_mapping(connection: Connection, *, slug: str, allowed: bool, by: Actor) -> WorkspaceView:
    """Let mappings give ownership, or no longer: for the operator alone. What they gave counts no more from then on.

    Raises:
        NotFound: there is no such workspace.
    """
    row = connection.execute(_VIEW.where(Workspace.slug == slug).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"There is no workspace called {slug}.")
    changed = update(Workspace).where(Workspace.id == row.id, Workspace.owners_by_mapping.is_not(allowed))
    if connection.execute(changed.values(owners_by_mapping=allowed)).rowcount:
        fact = OwnersByMappingChanged(workspace_id=row.id, allowed=allowed)
        outbox.append(connection, fact, workspace_id=row.id, by=by)
    return WorkspaceView(*row)


def take_to_count(connection: Connection, *, every: timedelta) -> UUID | None:
    """A workspace with connections that has not been counted for so long, marked as counted now; one taker each.

    Args:
        connection: in a transaction of its own: whatever counting comes to, the others get their turn.
        every: how long ago it must be.
    """
    then = func.clock_timestamp() - every
    is_due = or_(Workspace.drift_counted_at.is_(None), Workspace.drift_counted_at < then)
    linked = exists().where(ConnectionRow.workspace_id == Workspace.id)
    due = select(Workspace.id).where(Workspace.deleted_at.is_(None), is_due, linked)
    longest_ago = due.order_by(Workspace.drift_counted_at.nulls_first()).limit(1)
    taken = longest_ago.with_for_update(key_share=True, skip_locked=True).scalar_subquery()
    marked = update(Workspace).where(Workspace.id == taken).values(drift_counted_at=func.clock_timestamp())
    return connection.execute(marked.returning(Workspace.id)).scalar_one_or_none()


def longest_token(connection: Connection, *, workspace_id: UUID) -> timedelta | None:
    """How long API tokens live in a workspace at the most, where it has a maximum of its own."""
    wanted = select(Workspace.longest_token).where(Workspace.id == workspace_id)
    return connection.execute(wanted).scalar_one()


def set_longest_token(connection: Connection, *, workspace_id: UUID, longest: timedelta | None, by: Actor) -> None:
    """Say how long API tokens live in a workspace at the most; None: as long as the service allows.

    Raises:
        Invalid: it is shorter than an hour, in which nobody could do anything with one.
    """
    if longest is not None and longest < _SHORTEST_TOKEN:
        raise Invalid("Tokens have to live for an hour at least.", field="longestLifetime")
    # FOR UPDATE: whoever issues a token holds the row FOR KEY SHARE.
    connection.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update())
    changed = update(Workspace).where(Workspace.id == workspace_id, Workspace.longest_token.is_distinct_from(longest))
    if connection.execute(changed.values(longest_token=longest)).rowcount:
        fact = LongestTokenChanged(
            workspace_id=workspace_id, seconds=None if longest is None else int(longest.total_seconds())
        )
        outbox.append(connection, fact, workspace_id=workspace_id, by=by)
