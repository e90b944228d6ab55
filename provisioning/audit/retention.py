"""Drops facts that need not be kept any longer: whole seals, oldest first. The seals stay, with the service's word.

So the chain can be checked over what was dropped, and a copy of a dropped fact can still be held against its hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.audit import seals, signatures
from provisioning.audit.models import NOWHERE, Seal, of_chain
from provisioning.audit.signatures import Notary
from provisioning.outbox import Event

# The only way around the triggers that refuse a deletion: it ends with its transaction, and opens sealed facts alone.
_OPEN = text("SET LOCAL provisioning.retention = 'on'")
_WAITS_FOR_WORK = (
    select(1)
    .where(
        func.coalesce(Event.workspace_id, NOWHERE) == Seal.workspace_id,
        Event.seal_number == Seal.number,
        Event.done_at.is_(None),
        Event.parked_at.is_(None),
    )
    .exists()
)


def overdue(connection: Connection, *, keep: timedelta, most: int) -> Sequence[tuple[UUID, int]]:
    """The oldest seals all of whose facts are older than they need be, as chain and number.

    Args:
        connection: to read with.
        keep: how long facts are kept.
        most: how many seals at once.
    """
    old = Seal.dropped.is_(None) & (Seal.last_at < func.clock_timestamp() - keep)
    wanted = select(Seal.workspace_id, Seal.number).where(old, ~_WAITS_FOR_WORK)
    return [(row[0], row[1]) for row in connection.execute(wanted.order_by(Seal.last_at, Seal.number).limit(most))]


def drop(connection: Connection, *, chain: UUID, number: int, notary: Notary) -> int:
    """Drop the facts of one seal, and sign that.

    Returns:
        How many there were; none where another is at the chain, or they are gone.
    """
    if not seals.held(connection, chain=chain):
        return 0
    mine = (Seal.workspace_id == chain) & (Seal.number == number)
    seal = connection.execute(select(Seal.hash).where(mine, Seal.dropped.is_(None))).one_or_none()
    if seal is None:
        return 0
    told = signatures.claims(chain, number, seal.hash)
    word = signatures.sign(connection, signatures.DROP, told, notary=notary)
    connection.execute(_OPEN)
    gone = connection.execute(delete(Event).where(of_chain(chain), Event.seal_number == number)).rowcount
    connection.execute(update(Seal).where(mine).values(dropped=word))
    return gone
