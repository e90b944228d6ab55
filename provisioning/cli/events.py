"""`provisioning events`: the work that facts call for, and what to do when it has failed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from provisioning import worklist
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.database import reading, transaction
from provisioning.worklist import Item, State


@click.group()
def events() -> None:
    """Facts, and the work that they call for."""


def _facts(item: Item) -> dict[str, Any]:
    come = None if item.progress_done is None else {"done": item.progress_done, "total": item.progress_total}
    return {
        "id": item.id,
        "name": item.name,
        "subject": item.subject,
        "workspace_id": item.workspace_id,
        "occurred_at": item.occurred_at,
        "urgency": item.urgency,
        "state": item.state,
        "attempts": item.attempts,
        "error": item.error,
        "due_at": item.due_at,
        "progress": come,
    }


@events.command(name="list")
@click.option("--undone", "state", flag_value=State.UNDONE, help="Only those whose work waits or is being done.")
@click.option("--parked", "state", flag_value=State.PARKED, help="Only those whose work failed too often.")
@click.option("--count", type=click.IntRange(1, 10_000), default=100, help="How many at the most.")
@operates
def list_(out: Output, state: State | None, count: int) -> None:
    """List facts, newest first, with how far their work has come."""
    with reading() as connection:
        found, total = worklist.every(connection, state=state or State.ANY, most=count)
    out.many("events", [_facts(item) for item in found], total=total)


@events.command()
@click.argument("event_ids", metavar="[ID]...", type=click.UUID, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are parked.")
@operates
def replay(out: Output, event_ids: tuple[UUID, ...], *, everything: bool) -> None:
    """Have the work of parked facts tried again, now and from the first attempt on."""
    if everything == bool(event_ids):
        raise click.UsageError("Say which: ids, or --all.")
    with transaction() as connection:
        replayed = worklist.replay(connection, event_ids=None if everything else event_ids, by=OPERATOR)
    out.one({"replayed": len(replayed), "ids": list(replayed)})
