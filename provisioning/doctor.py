"""Looks over the whole service: what must hold in the tables, and what its parts say of themselves.

The rooms know what must hold of their own tables; here it is put together. Nothing is mended here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from flask import Flask, current_app
from sqlalchemy import text
from sqlalchemy.engine import Connection

from provisioning import clock, heartbeat, nudge, outbox, revision, worklist
from provisioning.database import reading
from provisioning.directory import deletion, tally
from provisioning.forwarding import syslog_places
from provisioning.forwarding.means import QUEUE as FORWARDING
from provisioning.invariants import Finding
from provisioning.outbox import Actor, Event, Fact, Urgency
from provisioning.sessions import invariants as of_sessions
from provisioning.sessions.rules import SessionPolicy
from provisioning.tokens import invariants as of_tokens

# What the workers mark or work off within seconds may lie about for so long before it is an alarm.
_WITHIN = timedelta(minutes=15)
_DELETED_WITHIN = timedelta(hours=2)
_SILENCE = timedelta(minutes=2)
_MOST_SKEW = timedelta(seconds=2)
_OLDEST_POSTGRES = 14
_PATIENCE_SECONDS = 7.0
_RECONCILIATION = Actor("system", "reconciliation")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InvariantsBroken(Fact):
    """An alarm: what must hold does not; how often, by name. Told anew when the counts change; empty: all holds again.

    Args:
        counts: by the invariant's name.
    """

    name: ClassVar[str] = "invariants.broken"
    counts: dict[str, int]

    @property
    def subject(self) -> str:
        """The service as a whole."""
        return "service:invariants"


def findings(connection: Connection, *, policy: SessionPolicy, syslog: bool) -> Sequence[Finding]:
    """Everything that must hold, each with how many things break it.

    Args:
        connection: to read with.
        policy: how long sessions live.
        syslog: whether all that happens is to be told to one.
    """
    return [
        *of_sessions.findings(connection, policy=policy, within=_WITHIN),
        *of_tokens.findings(connection, within=_WITHIN),
        *worklist.findings(connection, within=_WITHIN),
        *deletion.findings(connection, within=_DELETED_WITHIN),
        *tally.findings(connection),
        *(syslog_places.findings(connection, within=_WITHIN) if syslog else ()),
    ]


def reconcile(connection: Connection, *, policy: SessionPolicy, syslog: bool) -> Sequence[Finding]:
    """Prove what must hold, and write an alarm where the counts are others than when one was last written.

    Returns:
        What is broken, where that was not told yet.
    """
    broken = [finding for finding in findings(connection, policy=policy, syslog=syslog) if finding.count]
    counts = {finding.name: finding.count for finding in broken}
    if counts == _last_told(connection):
        return []
    outbox.append(connection, InvariantsBroken(counts=counts), workspace_id=None, by=_RECONCILIATION)
    return broken


def _last_told(connection: Connection) -> dict[str, int]:
    found = (
        Event.__table__.select()
        .with_only_columns(Event.payload)
        .where(Event.actor_id == _RECONCILIATION.id, Event.name == InvariantsBroken.name)
        .order_by(Event.occurred_at.desc())
        .limit(1)
    )
    payload = connection.execute(found).scalar_one_or_none()
    return {} if payload is None else dict(payload["counts"])


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: whether it is well, and what was seen."""

    name: str
    ok: bool
    seen: str


def examine(*, policy: SessionPolicy, syslog: bool) -> Sequence[Line]:
    """Look at everything, side by side and each within seconds; what does not answer is said to be so."""
    questions: dict[str, Callable[[], Sequence[Line]]] = {
        "database": _database,
        "broker": _broker,
        "heartbeats": _heartbeats,
        "invariants": lambda: _invariants(policy, syslog=syslog),
    }
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to hand it on
    asked = [_Question(app, name, ask) for name, ask in questions.items()]
    for question in asked:
        question.start()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    return [line for question in asked for line in question.answer(deadline)]


class _Question(threading.Thread):
    """Asks one thing in a thread of its own: a server that is frozen holds that up alone, and not for long."""

    def __init__(self, app: Flask, name: str, ask: Callable[[], Sequence[Line]]) -> None:
        super().__init__(name=name, daemon=True)
        self._app, self._ask = app, ask
        self._lines: Sequence[Line] = (Line(name, ok=False, seen=f"no answer within {_PATIENCE_SECONDS:.0f} s"),)

    def run(self) -> None:
        """Ask."""
        try:
            with self._app.app_context():
                self._lines = self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what there is to report
            self._lines = (Line(self.name, ok=False, seen=f"could not be asked ({type(error).__name__})"),)

    def answer(self, deadline: float) -> Sequence[Line]:
        """What was seen, as soon as it is there, or at the deadline."""
        self.join(max(deadline - time.monotonic(), 0))
        return self._lines


def _database() -> Sequence[Line]:
    with reading() as connection:
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
        before = clock.now()
        there: Any = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        skew = abs(there - (before + (clock.now() - before) / 2))
        current = revision.is_current(connection)
    return (
        Line("database", version >= _OLDEST_POSTGRES, f"PostgreSQL {version}"),
        Line("migrations", current, f"at {revision.HEAD}" if current else "others: run `provisioning migrate`"),
        Line("clocks", skew < _MOST_SKEW, f"{skew.total_seconds():.3f} s between here and the database"),
    )


def _broker() -> Sequence[Line]:
    if not nudge.reach_broker():
        return (Line("broker", ok=False, seen="REDIS_URL is not set"),)
    return (Line("broker", ok=True, seen="answers"),)


def _heartbeats() -> Sequence[Line]:
    with reading() as connection:
        ages = heartbeat.ages(connection)
    return [_alive(name, ages.get(name)) for name in (heartbeat.BEAT, *Urgency, FORWARDING)]


def _alive(name: str, age: timedelta | None) -> Line:
    part = name if name == heartbeat.BEAT else f"worker of {name}"
    if age is None:
        return Line(part, ok=False, seen="never heard of")
    return Line(part, age < _SILENCE, f"heard of {age.total_seconds():.0f} s ago")


def _invariants(policy: SessionPolicy, *, syslog: bool) -> Sequence[Line]:
    with reading() as connection:
        found = findings(connection, policy=policy, syslog=syslog)
    return [
        Line(
            f.name, f.count == 0, f"{f.count}: {', '.join(f.ids)}{' ...' * (f.count > len(f.ids))}" if f.count else "0"
        )
        for f in found
    ]
