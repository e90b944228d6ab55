"""Removes what belonged to a deleted workspace, in short transactions; a restart goes on where the last one was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy.engine import Connection

from provisioning import progress
from provisioning.database import transaction
from provisioning.directory import deletion
from provisioning.outbox import SYSTEM, Claimed
from provisioning.progress import Come
from provisioning.sessions import clearing

_AT_ONCE = 1000
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
    come = progress.of(claimed) or Come()

    def note(connection: Connection, removed: int) -> None:
        # What is removed is not there any more: a restart needs no place to go on from.
        nonlocal come
        come = Come(done=come.done + removed)
        progress.note(connection, claimed, come)

    _remove(workspace_id, note)


def _silent(_connection: Connection, _removed: int) -> None:
    """Nobody waits for what the schedule removes."""


def _remove(workspace_id: UUID, note: Note) -> None:
    _remove_members(workspace_id, note)
    for table in deletion.tables():
        removed = _AT_ONCE
        while removed == _AT_ONCE:
            with transaction() as connection:
                removed = deletion.remove_rows(connection, table=table, workspace_id=workspace_id, most=_AT_ONCE)
                note(connection, removed)


def _remove_members(workspace_id: UUID, note: Note) -> None:
    """A membership is what a check knows the deletion by: it goes in the transaction that marks the sessions."""
    while True:
        with transaction() as connection:
            stretch = clearing.clear_workspace(
                connection, workspace_id=workspace_id, after=None, most=_AT_ONCE, by=SYSTEM
            )
            if stretch.last_member is None:
                return
            deletion.remove_members(connection, workspace_id=workspace_id, up_to=stretch.last_member)
            note(connection, stretch.members)


# Under the names that the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    "provisioning.remove_deleted": remove_deleted,
}
