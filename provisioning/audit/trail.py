"""A workspace's facts, newest first, and the form in which one is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, case, cast, func, select
from sqlalchemy.engine import Connection

from provisioning.directory.models import User
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.directory.users import address_key
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
        name: facts of this name, or of the family of names that begins so: `policy` for `policy.created` and others.
        actor: done by whom, as `kind:id`, as the kind alone, or by a person's address.
        given_to: along with what is about that thing, the roles that were given to this subject and taken from it.
    """

    since: datetime | None = None
    until: datetime | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    name: str | None = None
    actor: str | None = None
    given_to: str | None = None


# A person's address is looked up for each row: by the key of one table, whoever else there is.
_ACTOR_EMAIL = (
    select(User.email)
    .where(User.id == case((Event.actor_kind == "person", cast(Event.actor_id, Uuid))))
    .scalar_subquery()
)
# What `entry` reads.
COLUMNS = (
    *(Event.id, Event.occurred_at, Event.name, Event.actor_kind, Event.actor_id, _ACTOR_EMAIL.label("actor_email")),
    *(Event.subject, Event.payload, Event.request_id),
)
# What somebody has to look at.
ALARMS = (
    "connection.mass_change",
    "connection.secret_leaked",
    "workspace.last_owner_lost",
    "api_token.leaked",
    "oauth_client.secret_leaked",
    "event.parked",
    "forwarding_endpoint.disabled",
    "forwarding_endpoint.failing",
)
_ALARMS_LAST = timedelta(days=7)
# Alarms are looked for among so many of the newest facts, so that a long trail costs no more than a short one.
_NEWEST = 20_000


def alarms(connection: Connection, *, workspace_id: UUID, most: int) -> Sequence[Entry]:
    """The alarms of the last days in a workspace, newest first."""
    newest = select(Event.seq).where(Event.workspace_id == workspace_id).order_by(Event.seq.desc()).limit(_NEWEST).cte()
    wanted = select(*COLUMNS).where(
        Event.workspace_id == workspace_id,
        Event.seq >= select(func.min(newest.c.seq)).scalar_subquery(),
        Event.name.in_(ALARMS),
        Event.occurred_at > func.clock_timestamp() - _ALARMS_LAST,
    )
    return [entry(row) for row in connection.execute(wanted.order_by(Event.seq.desc()).limit(most))]


def some(connection: Connection, *, workspace_id: UUID, narrowing: Narrowing, window: Window) -> Page[Entry]:
    """Some of what happened in a workspace, newest first, and how much there is."""
    wanted = select(*COLUMNS).where(Event.workspace_id == workspace_id, *_conditions(narrowing))
    newest_first = Sorting(Event.seq.expression, descending=True, never_none=True)
    return fetch(connection, wanted, identifier=Event.id, window=window, sorting=newest_first, read=entry)


def _conditions(narrowing: Narrowing) -> Iterator[ColumnElement[bool]]:
    if narrowing.since is not None:
        yield Event.occurred_at >= narrowing.since
    if narrowing.until is not None:
        yield Event.occurred_at < narrowing.until
    if narrowing.name is not None:
        yield (Event.name == narrowing.name) | Event.name.startswith(f"{narrowing.name}.", autoescape=True)
    if narrowing.actor is not None:
        yield _done_by(narrowing.actor)
    kind, identifier = narrowing.resource_type, narrowing.resource_id
    if kind is not None and identifier is not None:
        about = Event.subject == f"{kind}:{identifier}"
        yield about if narrowing.given_to is None else about | _given_to(narrowing.given_to)
    elif kind is not None:
        yield (Event.subject == kind) | Event.subject.startswith(f"{kind}:", autoescape=True)
    elif identifier is not None:
        yield Event.subject.endswith(f":{identifier}", autoescape=True)


def _given_to(subject: str) -> ColumnElement[bool]:
    given: ColumnElement[bool] = Event.payload["given_to"].astext == subject
    return Event.name.startswith("policy.") & given


def _done_by(actor: str) -> ColumnElement[bool]:
    if "@" in actor:
        whose = select(User.id.cast(Event.actor_id.type)).where(User.email_key == address_key(actor))
        return (Event.actor_kind == "person") & (Event.actor_id == whose.scalar_subquery())
    kind, is_one, identifier = actor.partition(":")
    return (Event.actor_kind == kind) & (Event.actor_id == identifier) if is_one else Event.actor_kind == kind


def entry(row: Sequence[Any]) -> Entry:
    """What happened, of a row of `COLUMNS`."""
    identifier, at, name, actor_kind, actor_id, email, subject, payload, request_id = row
    kind, _, about = subject.partition(":")
    named = next((str(payload[key]) for key in _NAMES if payload.get(key)), "")
    actor = f"{actor_kind}:{actor_id}" if actor_id else actor_kind
    return Entry(identifier, at, name, actor, email, kind, about, named, payload, request_id)


def told(entry: Entry) -> dict[str, Any]:
    """An entry in the one form in which it is told to the outside, whoever asks for it or is sent it."""
    return {
        "id": str(entry.id),
        "timestamp": entry.at.isoformat(),
        "type": entry.name,
        "actor": entry.actor,
        "actorEmail": entry.actor_email,
        "resourceId": entry.resource_id,
        "resourceType": entry.resource_type,
        "resourceName": entry.resource_name,
        "details": entry.payload,
        "requestId": entry.request_id,
    }
