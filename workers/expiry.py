"""Marks sessions and tokens whose time is over as ended, and forgets old entries, in short transactions."""

from __future__ import annotations

from collections.abc import Callable

from celery import Celery
from sqlalchemy.engine import Connection

from provisioning.access import policies
from provisioning.context import context
from provisioning.database import transaction
from provisioning.journal import entries
from provisioning.outbox import Actor
from provisioning.sessions import clearing
from provisioning.tokens import api

_AT_ONCE = 1000
_SYSTEM = Actor("system")


def register(celery: Celery) -> None:
    """Make the tasks known under the names that the schedule uses."""
    celery.task(name="provisioning.expire_sessions")(expire_sessions)
    celery.task(name="provisioning.expire_tokens")(expire_tokens)
    celery.task(name="provisioning.expire_policies")(expire_policies)
    celery.task(name="provisioning.forget")(forget)


def expire_sessions() -> int:
    """Mark expired sessions, and return how many there were."""
    policy = context().session_policy
    return _batches(lambda database: clearing.mark_expired(database, policy=policy, most=_AT_ONCE, by=_SYSTEM))


def expire_tokens() -> int:
    """Mark expired API tokens, and return how many there were."""
    return _batches(lambda database: api.mark_expired(database, most=_AT_ONCE, by=_SYSTEM))


def expire_policies() -> int:
    """Delete policies whose end has come, and return how many there were."""
    return _batches(lambda database: policies.delete_expired(database, most=_AT_ONCE, by=_SYSTEM))


def forget() -> int:
    """Delete log entries and ended sessions that need not be kept, and return how many there were."""
    keep, kept = context().journal_retention, context().session_retention
    logged = _batches(lambda database: entries.forget(database, older_than=keep, most=_AT_ONCE))
    return logged + _batches(lambda database: clearing.forget(database, older_than=kept, most=_AT_ONCE))


def _batches(mark: Callable[[Connection], int]) -> int:
    total = 0
    while True:
        with transaction() as database:
            marked = mark(database)
        total += marked
        if marked < _AT_ONCE:
            return total
