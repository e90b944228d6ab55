"""Clears away the sessions and tokens that a change has ended. They are refused since the change was committed."""

from __future__ import annotations

import math
from uuid import UUID

from sqlalchemy.engine import Connection

from provisioning import progress
from provisioning.database import reading, transaction
from provisioning.outbox import SYSTEM, Claimed
from provisioning.progress import Come
from provisioning.sessions import clearing, vouched
from provisioning.tokens import ending
from workers.batches import MOST_TOLD, Stride, sweep


def clear_workspace(claimed: Claimed) -> None:
    """After a change of HIPAA eligibility: walk the members in short transactions; a restart goes on with the walk."""
    workspace_id = UUID(claimed.payload["workspace_id"])
    come = progress.of(claimed) or _begun(workspace_id)

    def some(connection: Connection, most: int) -> Come | None:
        after = None if come.place is None else UUID(come.place)
        stretch = clearing.clear_workspace(connection, workspace_id=workspace_id, after=after, most=most, by=SYSTEM)
        if stretch.last_member is None:
            return None
        further = Come(str(stretch.last_member), come.done + stretch.members, come.total)
        progress.note(connection, claimed, further)
        return further

    stride = Stride(most=MOST_TOLD)
    while (further := stride.take(some)) is not None:
        come = further


def _begun(workspace_id: UUID) -> Come:
    with reading() as connection:
        return Come(total=clearing.count_members(connection, workspace_id=workspace_id))


def clear_connection(claimed: Claimed) -> None:
    """After a connection's identity provider stopped vouching for those whom it had signed in."""
    connection_id = UUID(claimed.payload["connection_id"])

    def some(connection: Connection, most: int) -> int:
        cleared = vouched.clear(connection, connection_id=connection_id, most=most, by=SYSTEM)
        progress.advance(connection, claimed, cleared)
        return cleared

    sweep(some, most=MOST_TOLD, seconds=math.inf)


def clear_person(claimed: Claimed) -> None:
    """After a change that ended one person's sessions; tokens of a membership that has ended go with them."""
    user_id = UUID(claimed.payload["user_id"])
    with transaction() as connection:
        clearing.clear_person(connection, user_id=user_id, by=SYSTEM)
        ending.revoke_orphans(connection, user_id=user_id, by=SYSTEM)
