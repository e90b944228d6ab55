"""Endpoints: the addresses that are told what happens in a workspace, which its owners register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import entropy, nudge, outbox
from provisioning.database import after_commit
from provisioning.directory import workspaces
from provisioning.forwarding import endpoint_secrets, places, selection
from provisioning.forwarding.events import (
    EndpointChanged,
    EndpointRegistered,
    EndpointRemoved,
    EndpointReplayed,
    EndpointSecretRotated,
)
from provisioning.forwarding.means import QUEUE
from provisioning.forwarding.models import BY_OWNER, Endpoint
from provisioning.forwarding.places import Place
from provisioning.outbound import Outbound
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.sealing import Sealer

OVERLAP = timedelta(hours=24)
_LONGEST_OVERLAP = timedelta(days=7)
_MOST, _LONGEST_URL = 20, 2000


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as it is stored, without its secrets."""

    id: UUID
    workspace_id: UUID
    url: str
    events: list[str]
    attempts: int
    error: str | None
    due_at: datetime
    failing_since: datetime | None
    alarmed_at: datetime | None
    delivered_at: datetime | None
    disabled_at: datetime | None
    disabled_because: str | None
    created_at: datetime

    @property
    def enabled(self) -> bool:
        """Whether it is told anything."""
        return self.disabled_at is None

    @property
    def state(self) -> str:
        """How it is: `enabled`, `failing` since its owners were told so, or `disabled`."""
        if not self.enabled:
            return "disabled"
        return "enabled" if self.alarmed_at is None else "failing"

    @property
    def origin(self) -> str:
        """Scheme, host and port of its address; the rest may hold a secret."""
        return origin_of(self.url)


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _select() -> Select[*tuple[Any, ...]]:
    return select(*(getattr(Endpoint, name) for name in EndpointView.__dataclass_fields__))


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[EndpointView]:
    """The workspace's endpoints, in the order in which they came."""
    rows = connection.execute(_select().where(Endpoint.workspace_id == workspace_id).order_by(Endpoint.id))
    return [EndpointView(*row) for row in rows]


def by_id(connection: Connection, *, workspace_id: UUID, endpoint_id: UUID) -> EndpointView:
    """One endpoint.

    Raises:
        NotFound: the workspace has none of this id.
    """
    return _found(connection, _mine(workspace_id, endpoint_id))


def lock(connection: Connection, *, workspace_id: UUID, endpoint_id: UUID) -> EndpointView:
    """One endpoint, held until the transaction's end.

    Raises:
        NotFound: the workspace has none of this id.
    """
    return _found(connection, _mine(workspace_id, endpoint_id).with_for_update())


def _mine(workspace_id: UUID, endpoint_id: UUID) -> Select[*tuple[Any, ...]]:
    return _select().where(Endpoint.workspace_id == workspace_id, Endpoint.id == endpoint_id)


def _found(connection: Connection, wanted: Select[*tuple[Any, ...]]) -> EndpointView:
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("The workspace has no forwarding endpoint of this id.")
    return EndpointView(*row)


@dataclass(frozen=True, slots=True)
class Registered:
    """An endpoint, and its newest secret, which is seen this once."""

    endpoint: EndpointView
    secret: str


def register(
    connection: Connection,
    *,
    workspace_id: UUID,
    url: str,
    events: Sequence[str],
    sealer: Sealer,
    outbound: Outbound,
    by: Actor,
) -> Registered:
    """Have an address told what happens in a workspace from now on.

    Args:
        connection: in a transaction.
        workspace_id: where.
        url: an https address, which never changes: whoever holds the secret is at this one.
        events: names, `noun.*` or `*`.
        sealer: seals the secret.
        outbound: says whether the address may be called.
        by: who has it told.

    Raises:
        Invalid: the address may not be called, or no event is called so.
        Conflict: there are too many endpoints, or one of this address.
    """
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url or not outbound.allows(url):
        raise Invalid("This address may not be called: it must be public and speak https.", field="url")
    wanted = selection.checked(events, known=outbox.known_names())
    workspaces.lock(connection, workspace_id)
    there = every(connection, workspace_id=workspace_id)
    if any(one.url == url for one in there):
        raise Conflict("This address is told already.", field="url")
    if len(there) >= _MOST:
        raise Conflict(f"A workspace has {_MOST} forwarding endpoints at the most.")
    made, here = entropy.new_id(), places.end(connection, chain=workspace_id)
    values = {"workspace_id": workspace_id, "id": made, "url": url, "events": wanted}
    connection.execute(insert(Endpoint).values(**values, seal=here.seal, seq=here.seq))
    text = endpoint_secrets.give(connection, workspace_id=workspace_id, endpoint_id=made, sealer=sealer)
    fact = EndpointRegistered(endpoint_id=made, origin=origin_of(url), events=wanted)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return Registered(by_id(connection, workspace_id=workspace_id, endpoint_id=made), text)


def change(
    connection: Connection, *, endpoint: EndpointView, events: Sequence[str] | None, enabled: bool | None, by: Actor
) -> EndpointView:
    """Have an endpoint told of other events, or switch it on or off; on again, it goes on where it was.

    Args:
        connection: in a transaction.
        endpoint: held.
        events: names, `noun.*` or `*`; None leaves them.
        enabled: None leaves it.
        by: who does it.

    Raises:
        Invalid: no event is called so.
    """
    wanted = endpoint.events if events is None else selection.checked(events, known=outbox.known_names())
    on = endpoint.enabled if enabled is None else enabled
    values: dict[str, Any] = {"events": wanted}
    if on and not endpoint.enabled:
        values |= {"disabled_at": None, "disabled_because": None, **_ANEW}
    elif endpoint.enabled and not on:
        values |= {"disabled_at": func.clock_timestamp(), "disabled_because": BY_OWNER}
    if (wanted, on) == (endpoint.events, endpoint.enabled):
        return endpoint
    fact = EndpointChanged(endpoint_id=endpoint.id, origin=endpoint.origin, events=wanted, enabled=on)
    return _changed(connection, endpoint, values, fact, by)


# As one that has never failed.
_ANEW: dict[str, Any] = {
    "attempts": 0,
    "error": None,
    "failing_since": None,
    "alarmed_at": None,
    "due_at": func.clock_timestamp(),
}


def replay(connection: Connection, *, endpoint: EndpointView, since: datetime, by: Actor) -> EndpointView:
    """Have an endpoint told of everything since a moment: again where it was told before, or only of that.

    Args:
        connection: in a transaction.
        endpoint: held.
        since: a little of what happened before may be told, too.
        by: who has it told.
    """
    place = places.since(connection, chain=endpoint.workspace_id, moment=since)
    values = {**_at(place), "batch_seal": None, "batch_seq": None, "due_at": func.clock_timestamp()}
    fact = EndpointReplayed(endpoint_id=endpoint.id, origin=endpoint.origin, since=since.isoformat())
    return _changed(connection, endpoint, values, fact, by)


def _at(place: Place) -> dict[str, int]:
    return {"seal": place.seal, "seq": place.seq}


def _changed(
    connection: Connection, endpoint: EndpointView, values: dict[str, Any], fact: outbox.Fact, by: Actor
) -> EndpointView:
    where = {"workspace_id": endpoint.workspace_id, "endpoint_id": endpoint.id}
    change = update(Endpoint).where(Endpoint.workspace_id == endpoint.workspace_id, Endpoint.id == endpoint.id)
    together = outbox.together(connection, change.values(**values), fact, workspace_id=endpoint.workspace_id, by=by)
    connection.execute(together)
    after_commit(connection, nudge.teller(QUEUE))
    return by_id(connection, **where)


def rotate(
    connection: Connection, *, endpoint: EndpointView, overlap: timedelta, sealer: Sealer, by: Actor
) -> Registered:
    """Give an endpoint a new secret; those that it has sign beside it until the overlap ends.

    Args:
        connection: in a transaction.
        endpoint: held.
        overlap: how long.
        sealer: seals the secret.
        by: who does it.

    Raises:
        Invalid: the overlap is too long.
    """
    if not timedelta(0) <= overlap <= _LONGEST_OVERLAP:
        raise Invalid("Secrets overlap for seven days at the most.", field="overlap")
    where = {"workspace_id": endpoint.workspace_id, "endpoint_id": endpoint.id}
    endpoint_secrets.end(connection, overlap=overlap, **where)
    text = endpoint_secrets.give(connection, sealer=sealer, **where)
    seconds = int(overlap.total_seconds())
    fact = EndpointSecretRotated(endpoint_id=endpoint.id, origin=endpoint.origin, overlap_seconds=seconds)
    outbox.append(connection, fact, workspace_id=endpoint.workspace_id, by=by)
    return Registered(endpoint, text)


def remove(connection: Connection, *, endpoint: EndpointView, by: Actor) -> None:
    """Take an endpoint away, with its secrets.

    Args:
        connection: in a transaction.
        endpoint: held.
        by: who does it.
    """
    gone = delete(Endpoint).where(Endpoint.workspace_id == endpoint.workspace_id, Endpoint.id == endpoint.id)
    fact = EndpointRemoved(endpoint_id=endpoint.id, origin=endpoint.origin)
    connection.execute(outbox.together(connection, gone, fact, workspace_id=endpoint.workspace_id, by=by))
