"""Reads a workspace's facts, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from provisioning.directory.models import User
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.outbox import Event

# Where a fact carries the name of what it is about.
_NAMES = ("display_name", "label", "role", "token_name", "slug", "rule", "email")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Args:
        id: of the fact.
        at: when.
        name: what, such as `policy.created`.
        actor: who did it, as `kind:id`, or the kind alone.
        actor_email: the address of a person who did it.
        resource_type: what kind of thing it is about.
        resource_id: which one.
        resource_name: what that was called, where the fact tells it.
        payload: the fact itself.
        request_id: of the request that did it.
    """

    id: UUID
    at: datetime
    name: str
    actor: str
    actor_email: str | None
    resource_type: str
    resource_id: str
    resource_name: str
    payload: dict[str, Any]
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which part of the trail is wanted; None leaves a side open.

    Args:
        since: not before this moment.
        until: before this moment.
        resource_type: about things of this kind.
        resource_id: about the thing of this id.
    """

    since: datetime | None = None
    until: datetime | None = None
    resource_type: str | None = None
    resource_id: str | None = None


# What somebody has to look at.
ALARMS = (
    "connection.mass_change",
    "connection.secret_leaked",
    "workspace.last_owner_lost",
    "api_token.leaked",
    "oauth_client.secret_leaked",
    "event.parked",
)
_ALARMS_LAST = timedelta(days=7)
# Alarms are looked for among so many of the newest facts, so that a long trail costs no more than a short one.
_NEWEST = 20_000

_VIEW: Select[*tuple[Any, ...]] = select(
    Event.id,
    Event.occurred_at,
    Event.name,
    Event.actor_kind,
    Event.actor_id,
    User.email,
    Event.subject,
    Event.payload,
    Event.request_id,
).outerjoin(User, (Event.actor_kind == "person") & (Event.actor_id == User.id.cast(Event.actor_id.type)))


def alarms(connection: Connection, *, workspace_id: UUID, most: int) -> Sequence[Entry]:
    """The alarms of the last days in a workspace, newest first."""
    newest = select(Event.seq).where(Event.workspace_id == workspace_id).order_by(Event.seq.desc()).limit(_NEWEST).cte()
    wanted = _VIEW.where(
        Event.workspace_id == workspace_id,
        Event.seq >= select(func.min(newest.c.seq)).scalar_subquery(),
        Event.name.in_(ALARMS),
        Event.occurred_at > func.clock_timestamp() - _ALARMS_LAST,
    )
    return [_entry(row) for row in connection.execute(wanted.order_by(Event.seq.desc()).limit(most))]


def some(connection: Connection, *, workspace_id: UUID, narrowing: Narrowing, window: Window) -> Page[Entry]:
    """Some of what happened in a workspace, newest first, and how much there is."""
    wanted = _VIEW.where(Event.workspace_id == workspace_id)
    if narrowing.since is not None:
        wanted = wanted.where(Event.occurred_at >= narrowing.since)
    if narrowing.until is not None:
        wanted = wanted.where(Event.occurred_at < narrowing.until)
    kind, identifier = narrowing.resource_type, narrowing.resource_id
    if kind is not None and identifier is not None:
        wanted = wanted.where(Event.subject == f"{kind}:{identifier}")
    elif kind is not None:
        wanted = wanted.where((Event.subject == kind) | Event.subject.startswith(f"{kind}:", autoescape=True))
    elif identifier is not None:
        wanted = wanted.where(Event.subject.endswith(f":{identifier}", autoescape=True))
    newest_first = Sorting(Event.seq.expression, descending=True, never_none=True)
    return fetch(connection, wanted, identifier=Event.id, window=window, sorting=newest_first, read=_entry)


def _entry(row: Sequence[Any]) -> Entry:
    identifier, at, name, actor_kind, actor_id, email, subject, payload, request_id = row
    kind, _, about = subject.partition(":")
    named = next((str(payload[key]) for key in _NAMES if payload.get(key)), "")
    actor = f"{actor_kind}:{actor_id}" if actor_id else actor_kind
    return Entry(identifier, at, name, actor, email, kind, about, named, payload, request_id)
