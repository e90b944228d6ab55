"""Seals the audit trail, and drops what need not be kept any longer, in short transactions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from uuid import UUID

from provisioning import nudge
from provisioning.audit import retention, seals
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.forwarding.means import QUEUE as FORWARDING

_AT_ONCE = 1000
_SEALS_AT_ONCE = 100
_log = logging.getLogger(__name__)


def seal_audit() -> int:
    """Put what has happened under seals, and return how many facts that were; then the outside is told."""
    with reading() as connection:
        chains = seals.waiting(connection)
    sealed = sum(map(_seal, chains))
    if sealed:
        nudge.drain(FORWARDING)
    return sealed


def _seal(chain: UUID) -> int:
    """Seal one chain; each seal is told in the log, which is out of the reach of whoever changes the database."""
    sealed, last = 0, _AT_ONCE
    while last == _AT_ONCE:
        with transaction() as connection:
            made = seals.seal(connection, chain=chain, most=_AT_ONCE, notary=context().notary)
        last = 0 if made is None else made.count
        if made is not None:
            _log.info("audit seal %s %d %s", made.chain, made.number, made.hash)
            sealed += made.count
    return sealed


def drop_audit() -> int:
    """Drop facts that have been kept for long enough, and return how many there were."""
    gone, last = 0, 1
    while last:
        with reading() as connection:
            overdue = retention.overdue(connection, keep=context().audit_retention, most=_SEALS_AT_ONCE)
        last = 0
        for chain, number in overdue:
            with transaction() as connection:
                dropped = retention.drop(connection, chain=chain, number=number, notary=context().notary)
            _log.info("audit seal %s %d: %d facts dropped by retention", chain, number, dropped)
            last += dropped
        gone += last
    return gone


# Under the names that the schedule uses.
TASKS: Mapping[str, Callable[[], int]] = {
    "provisioning.seal_audit": seal_audit,
    "provisioning.drop_audit": drop_audit,
}
