"""Removes what belonged to a deleted workspace, in short transactions; a restart goes on where the last one was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from provisioning import progress
from provisioning.database import transaction
from provisioning.directory import deletion
from provisioning.outbox import SYSTEM, Claimed
from provisioning.sessions import clearing
from workers.batches import MOST_TOLD, Stride, sweep

_LATELY = timedelta(hours=1)
Note = Callable[[Connection, int], None]


def remove_deleted() -> int:
    """Remove what requests that were on their way wrote into deleted workspaces, and return how many these are."""
    with transaction() as connection:
        found = deletion.lately(connection, within=_LATELY)
    for workspace_id in found:
        _remove(workspace_id, _silent)
    return len(found)


def remove_workspace(claimed: Claimed) -> None:
    """After a workspace was deleted: its members with the marks on their sessions, then all other rows."""
    workspace_id = UUID(claimed.payload["workspace_id"])
    with transaction() as connection:
        if not deletion.is_deleted(connection, workspace_id=workspace_id):
            return

    def note(connection: Connection, removed: int) -> None:
        # What is removed is not there any more: a restart needs no place to go on from.
        progress.advance(connection, claimed, removed)

    _remove(workspace_id, note)


def _silent(_connection: Connection, _removed: int) -> None:
    """Nobody waits for what the schedule removes."""


def _remove(workspace_id: UUID, note: Note) -> None:
    _remove_members(workspace_id, note)
    for table in deletion.tables():
        _remove_rows(table, workspace_id, note)


def _remove_rows(table: Table, workspace_id: UUID, note: Note) -> None:
    def some(connection: Connection, most: int) -> int:
        removed = deletion.remove_rows(connection, table=table, workspace_id=workspace_id, most=most)
        note(connection, removed)
        return removed

    sweep(some, seconds=math.inf)


def _remove_members(workspace_id: UUID, note: Note) -> None:
    """A membership is what a check knows the deletion by: it goes in the transaction that marks the sessions."""

    def some(connection: Connection, most: int) -> bool:
        stretch = clearing.clear_workspace(connection, workspace_id=workspace_id, after=None, most=most, by=SYSTEM)
        if stretch.last_member is None:
            return False
        deletion.remove_members(connection, workspace_id=workspace_id, up_to=stretch.last_member)
        note(connection, stretch.members)
        return True

    stride = Stride(most=MOST_TOLD)
    while stride.take(some):
        pass


# Under the names that the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    "provisioning.remove_deleted": remove_deleted,
}
