"""Seals the facts of a chain, some at a time: one transaction a seal, no lock that a writer would wait for.

`seq` is given out before anybody knows who commits first, so "later than the last sealed one" would pass over facts
that commit late. What a seal holds is told by the rows themselves, and a late fact is in a later seal. Seals are made
one at a time and facts of one subject keep their order in them, so the number of the seal and `seq` within it are an
order that what is told to the outside can follow: nothing is ever put in before a place that was reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, all_, any_, bindparam, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func
from sqlalchemy.types import BigInteger

from provisioning.audit import canonical, signatures
from provisioning.audit.models import NOWHERE, Head, Seal, of_chain
from provisioning.audit.signatures import Notary
from provisioning.outbox import Event

FACT = tuple(getattr(Event, name) for name in canonical.FIELDS)
_SEQ, _AT = canonical.FIELDS.index("seq"), canonical.FIELDS.index("occurred_at")
# A fact whose work is not done yet is left alone for so long, so that nobody gets in the other's way.
_LEFT_TO_WORKERS = timedelta(minutes=1)
_READY = Event.seal_number.is_(None) & (
    Event.done_at.is_not(None) | (Event.occurred_at < func.clock_timestamp() - _LEFT_TO_WORKERS)
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that was made."""

    chain: UUID
    number: int
    count: int
    hash: str


def waiting(connection: Connection) -> Sequence[UUID]:
    """The chains that have something to seal."""
    found = connection.execute(select(func.coalesce(Event.workspace_id, NOWHERE)).where(_READY).distinct())
    return found.scalars().all()


def held(connection: Connection, *, chain: UUID) -> bool:
    """Whether this transaction is the one that may change a chain, until it ends; nobody waits for that."""
    key = func.hashtextextended(literal(f"audit chain {chain}"), 0)
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(key))).scalar_one())


def seal(connection: Connection, *, chain: UUID, most: int, notary: Notary) -> Sealed | None:
    """Put the next facts of a chain under a seal.

    Args:
        connection: in a transaction of its own.
        chain: of a workspace, or `NOWHERE`.
        most: how many facts at once.
        notary: signs it.

    Returns:
        The seal; None if there is nothing to seal, or another is at it.
    """
    if not held(connection, chain=chain):
        return None
    rows = _next(connection, chain, most)
    if not rows:
        return None
    number, previous = _last(connection, chain)
    number += 1
    packed = canonical.pack((row[_SEQ], canonical.digest(row)) for row in rows)
    header = {
        "workspace_id": chain,
        "number": number,
        "count": len(rows),
        "first_seq": rows[0][_SEQ],
        "last_seq": rows[-1][_SEQ],
        "first_at": min(row[_AT] for row in rows),
        "last_at": max(row[_AT] for row in rows),
        "sealed_at": connection.execute(select(func.clock_timestamp())).scalar_one(),
    }
    hashed = canonical.hash_of(header, previous=previous, rows=packed)
    told = signatures.claims(chain, number, hashed)
    signature = signatures.sign(connection, signatures.SEAL, told, notary=notary)
    made = {"previous": previous, "rows": packed, "hash": hashed, "signature": signature}
    connection.execute(insert(Seal).values(**header, **made))
    _move_head(connection, chain, signatures.sign(connection, signatures.HEAD, told, notary=notary))
    connection.execute(_MARK, {"sealed_as": number, "seqs": [row[_SEQ] for row in rows]})
    return Sealed(chain, number, len(rows), hashed.hex())


def _seqs(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=ARRAY(BigInteger))


_MARK = update(Event).where(Event.seq == any_(_seqs("seqs"))).values(seal_number=bindparam("sealed_as"))


def _next(connection: Connection, chain: UUID, most: int) -> Sequence[Any]:
    """Committed by now, in the order of `seq`; what has to wait is left for the next seal.

    That is a fact whose row somebody holds, and what was written of the same subject after it.
    """
    wanted = select(*FACT).where(of_chain(chain), _READY).order_by(Event.seq).limit(most)
    rows = connection.execute(wanted.with_for_update(skip_locked=True, key_share=True)).all()
    if not rows:
        return rows
    held_up = _held_up(connection, chain, [row.seq for row in rows])
    return [row for row in rows if row.seq < held_up.get(row.subject, row.seq + 1)]


def _held_up(connection: Connection, chain: UUID, taken: Sequence[int]) -> dict[str, int]:
    """The first fact of each subject that is left out although later ones are taken."""
    left = select(Event.subject, func.min(Event.seq)).where(
        of_chain(chain), Event.seal_number.is_(None), Event.seq < taken[-1], Event.seq != all_(_seqs("taken"))
    )
    rows = connection.execute(left.group_by(Event.subject), {"taken": taken})
    return {row[0]: row[1] for row in rows}


def _last(connection: Connection, chain: UUID) -> tuple[int, bytes]:
    last = select(Seal.number, Seal.hash).where(Seal.workspace_id == chain).order_by(Seal.number.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    return (0, canonical.NOTHING_BEFORE) if row is None else (row.number, row.hash)


def _move_head(connection: Connection, chain: UUID, signature: str) -> None:
    new = upsert(Head).values(workspace_id=chain, signature=signature)
    connection.execute(new.on_conflict_do_update(index_elements=["workspace_id"], set_={"signature": signature}))
