"""How many of a workspace's tokens live, and which of them end soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from provisioning.tokens.models import ApiToken
from provisioning.tokens.standing import STANDS, VIEW, TokenView, view

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The tokens of a workspace at a glance: how many live, and those that end next, soonest first."""

    live: int
    ending: Sequence[TokenView]


def of_workspace(connection: Connection, *, workspace_id: UUID, most: int) -> Outlook:
    """Look at a workspace's tokens, in two statements.

    Args:
        connection: to read with.
        workspace_id: whose tokens.
        most: how many of those are told that end within `SOON`.
    """
    live = (ApiToken.workspace_id == workspace_id, STANDS)
    count = connection.execute(select(func.count()).select_from(ApiToken).where(*live)).scalar_one()
    soon = VIEW.where(*live, ApiToken.expires_at < func.clock_timestamp() + SOON)
    rows = connection.execute(soon.order_by(ApiToken.expires_at, ApiToken.id).limit(most))
    return Outlook(count, [view(row) for row in rows])
