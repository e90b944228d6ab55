"""The secrets of an endpoint: sealed, shown once, and two at a time while one takes the other's place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import entropy
from provisioning.forwarding import messages
from provisioning.forwarding.models import EndpointSecret
from provisioning.sealing import Sealer


def give(connection: Connection, *, workspace_id: UUID, endpoint_id: UUID, sealer: Sealer) -> str:
    """Give an endpoint a secret, and return its text, which is seen this once."""
    text = messages.secret(entropy.random_bytes(messages.SECRET_BYTES))
    connection.execute(
        insert(EndpointSecret).values(
            workspace_id=workspace_id, endpoint_id=endpoint_id, id=entropy.new_id(), sealed=sealer.seal(text.encode())
        )
    )
    return text


def end(connection: Connection, *, workspace_id: UUID, endpoint_id: UUID, overlap: timedelta) -> None:
    """Have the secrets that an endpoint has end after a while; those that have ended go."""
    mine, now = _of(workspace_id, endpoint_id), func.clock_timestamp()
    connection.execute(delete(EndpointSecret).where(mine, EndpointSecret.expires_at <= now))
    ends = func.least(func.coalesce(EndpointSecret.expires_at, now + overlap), now + overlap)
    connection.execute(update(EndpointSecret).where(mine).values(expires_at=ends))


def live(connection: Connection, *, workspace_id: UUID, endpoint_id: UUID, sealer: Sealer) -> Sequence[str]:
    """The texts of the secrets that sign, newest first.

    Raises:
        Unsealable: they were sealed under another secret key of the service.
    """
    is_live = EndpointSecret.expires_at.is_(None) | (EndpointSecret.expires_at > func.clock_timestamp())
    wanted = select(EndpointSecret.sealed).where(_of(workspace_id, endpoint_id), is_live)
    rows = connection.execute(wanted.order_by(EndpointSecret.id.desc())).scalars()
    return [sealer.open(sealed).decode() for sealed in rows]


def _of(workspace_id: UUID, endpoint_id: UUID) -> ColumnElement[bool]:
    return (EndpointSecret.workspace_id == workspace_id) & (EndpointSecret.endpoint_id == endpoint_id)
