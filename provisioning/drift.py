"""Drift: what the identity providers say, and what is in effect here, where the two are not the same.

The rooms know the differences of their own tables; here they are put together, told in pages, and counted once a day.
Nothing is mended here: each kind says who does so, and how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.engine import Connection

from provisioning import outbox
from provisioning.access import drift as of_access
from provisioning.differences import Difference, Of
from provisioning.directory import drift as of_directory
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.journal import drift as of_journal
from provisioning.outbox import Actor, Event, Fact
from provisioning.refusals import Invalid

# Of each kind, what there is to do about it.
ADVICE: Mapping[str, str] = {
    "awaited_member": "Push the person, or take them out of the group in the identity provider.",
    "detached_group": "Nothing, if it is meant to be local; else push the group again, and delete this one.",
    "dormant_mapping": "Rebind it if the group has come back, name another group, or delete it.",
    "held_change": "Look at it, and do or drop it: `connection settle`.",
    "overruled_state": "Agree which identity provider speaks for the person; the last one to write holds.",
    "paused_connection": "Let it go on: `connection resume`.",
    "refused_change": "If the change is right, take the protection away, and have it pushed again.",
    "rehearsing_connection": "Let it write, `connection set --no-dry-run`, and have all of it pushed again.",
    "removed_member": "Take the assignment away in the identity provider, or have them pushed anew there.",
    "returned_member": "If they are not to be here, remove them; else assign them in the identity provider again.",
    "signed_in_member": "Assign them in the identity provider, or remove them.",
    "unknown_member": "Assign them in an identity provider, or keep them as a member of your own.",
    "unmet_mapping": "Correct its condition, have the group pushed, or delete it.",
}


@dataclass(frozen=True, slots=True)
class DriftChanged(Fact):
    """An alarm: other differences than yesterday between what identity providers say and what is in effect.

    Args:
        counts: how many there are, by kind; empty: none.
    """

    name: ClassVar[str] = "workspace.drift_changed"
    workspace_id: UUID
    counts: dict[str, int]

    @property
    def subject(self) -> str:
        """The workspace."""
        return f"workspace:{self.workspace_id}"


def statements(connection: Connection, of: Of) -> dict[str, Select[*tuple[Any, ...]]]:
    """By kind, the statement that finds its differences, with the columns of `Difference`."""
    return {**of_directory.lines(of), **of_journal.lines(of), **of_access.lines(connection, of)}


def report(connection: Connection, *, of: Of, window: Window, kind: str | None = None) -> Page[Difference]:
    """Some of the differences, by kind, and how many there are.

    Args:
        connection: to read with.
        of: of which connection, or of which workspace.
        window: which part of the list; its places have texts as ids.
        kind: only those of this kind.

    Raises:
        Invalid: there is no such kind.
    """
    if kind is not None and kind not in ADVICE:
        raise Invalid(f"A kind is one of {', '.join(ADVICE)}.", field="kind")
    lines = statements(connection, of)
    wanted = list(lines.values()) if kind is None else [lines[kind]] if kind in lines else []
    if not wanted:
        return Page((), 0)
    every = union_all(*wanted).subquery("difference")
    return fetch(
        connection,
        select(*every.c),
        identifier=every.c.id,
        window=window,
        sorting=Sorting(every.c.kind, never_none=True),
        read=lambda row: Difference(*row),
    )


def counts(connection: Connection, *, of: Of) -> dict[str, int]:
    """How many differences of each kind there are, of those kinds that there are."""
    return {
        kind: count
        for kind, lines in sorted(statements(connection, of).items())
        if (count := connection.execute(select(func.count()).select_from(lines.subquery())).scalar_one())
    }


def watch(connection: Connection, *, workspace_id: UUID) -> bool:
    """Count the differences of a workspace, and raise an alarm where the counts are others than were told last.

    Args:
        connection: in a transaction of its own.
        workspace_id: where.

    Returns:
        Whether they were.
    """
    by = Actor("system", f"drift:{workspace_id}")
    found = counts(connection, of=Of(workspace_id))
    if found == _last_told(connection, by):
        return False
    outbox.append(connection, DriftChanged(workspace_id=workspace_id, counts=found), workspace_id=workspace_id, by=by)
    return True


def _last_told(connection: Connection, by: Actor) -> dict[str, int]:
    told = select(Event.payload).where(Event.actor_id == by.id, Event.name == DriftChanged.name)
    payload = connection.execute(told.order_by(Event.occurred_at.desc()).limit(1)).scalar_one_or_none()
    return {} if payload is None else dict(payload["counts"])
