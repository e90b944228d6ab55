"""How far the operator's syslog has been told of each chain of the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.audit.models import Head, Seal
from provisioning.forwarding import places
from provisioning.forwarding.events import SyslogReplayed
from provisioning.forwarding.models import SyslogPlace
from provisioning.forwarding.places import BEGINNING, Place
from provisioning.invariants import Finding, look
from provisioning.outbox import Actor

_SYSLOG = "syslog"


@dataclass(frozen=True, slots=True)
class Behind:
    """A chain of which something is still to be told, and the place that was reached."""

    chain: UUID
    place: Place


def held(connection: Connection) -> bool:
    """Whether this transaction is the one that tells the syslog, until it ends; nobody waits for that."""
    return places.held(connection, by=_SYSLOG)


def hold(connection: Connection) -> None:
    """Be the one that tells the syslog, until the transaction's end, as soon as nobody else is."""
    places.hold(connection, by=_SYSLOG)


def begin(connection: Connection) -> None:
    """Begin with what happens from now on, where nothing was ever told; chains that come later begin with themselves.

    Args:
        connection: in a transaction that holds the syslog.
    """
    if connection.execute(select(1).select_from(SyslogPlace).limit(1)).one_or_none() is not None:
        return
    for chain in connection.execute(select(Head.workspace_id)).scalars().all():
        move(connection, chain=chain, to=places.end(connection, chain=chain))


def _behind(*also: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    seal, seq = func.coalesce(SyslogPlace.seal, BEGINNING.seal), func.coalesce(SyslogPlace.seq, BEGINNING.seq)
    on = SyslogPlace.workspace_id == Head.workspace_id
    more = places.has_more(Head.workspace_id.expression, seal, seq, *also)
    return select(Head.workspace_id, seal, seq).outerjoin(SyslogPlace, on).where(more)


def behind(connection: Connection, *, most: int) -> Sequence[Behind]:
    """The chains of which something is still to be told."""
    return [Behind(row[0], Place(row[1], row[2])) for row in connection.execute(_behind().limit(most))]


def move(connection: Connection, *, chain: UUID, to: Place) -> None:
    """Note how far a chain has been told."""
    values = {"seal": to.seal, "seq": to.seq}
    new = insert(SyslogPlace).values(workspace_id=chain, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["workspace_id"], set_=values))


def replay(connection: Connection, *, since: datetime, by: Actor) -> Sequence[UUID]:
    """Have everything since a moment told again, or only that; the chains that there are.

    Args:
        connection: in a transaction that holds the syslog.
        since: a little of what happened before may be told, too.
        by: who has it told.
    """
    chains = connection.execute(select(Head.workspace_id)).scalars().all()
    for chain in chains:
        move(connection, chain=chain, to=places.since(connection, chain=chain, moment=since))
    outbox.append(connection, SyslogReplayed(since=since.isoformat()), workspace_id=None, by=by)
    return chains


def findings(connection: Connection, *, within: timedelta) -> Sequence[Finding]:
    """The chains of which something was sealed so long ago and is still to be told, where a syslog is set."""
    late = Seal.sealed_at < func.clock_timestamp() - within
    return [
        look(
            connection,
            "audit_events_late_for_syslog",
            _behind(late).with_only_columns(Head.workspace_id, maintain_column_froms=True),
        )
    ]
