"""For owners: the work that facts of their workspace call for, and how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Connection

from provisioning import worklist
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.outbox import Event
from provisioning.refusals import NotFound
from provisioning.worklist import Item, State

_NEWEST_FIRST = Sorting(Event.seq.expression, descending=True, never_none=True)


def some(connection: Connection, *, workspace_id: UUID, state: State, window: Window) -> Page[Item]:
    """Some of the work of a workspace's facts, newest first, and how much there is."""
    wanted = worklist.selection(state).where(Event.workspace_id == workspace_id)
    return fetch(connection, wanted, identifier=Event.id, window=window, sorting=_NEWEST_FIRST, read=_item)


def by_id(connection: Connection, *, workspace_id: UUID, event_id: UUID) -> Item:
    """The work of one fact, which may be done.

    Raises:
        NotFound: the workspace has no fact of this id that calls for work.
    """
    called = Event.done_at.is_(None) | (Event.attempts > 0)
    wanted = worklist.selection(State.ANY).where(Event.workspace_id == workspace_id, Event.id == event_id, called)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("The workspace has no work of this id.")
    return _item(row)


def _item(row: Sequence[Any]) -> Item:
    return Item(*row)
