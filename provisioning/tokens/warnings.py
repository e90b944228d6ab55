"""Tells of tokens whose end is near: 14, 3 and 1 days before, once each, however late or often this runs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.outbox import Actor
from provisioning.tokens import recipients
from provisioning.tokens.events import ApiTokenExpiring
from provisioning.tokens.lifetimes import WARNED_DAYS
from provisioning.tokens.models import ApiToken
from provisioning.tokens.standing import STANDS

_LEFT = ApiToken.expires_at - func.clock_timestamp()
_NEAR = case(*((timedelta(days=days) >= _LEFT, days) for days in WARNED_DAYS))


def warn(connection: Connection, *, most: int, by: Actor) -> int:
    """Write a fact for each token that has come nearer to its end than was told so far.

    Where ticks were missed, only the nearest of the days is told. A new end begins anew.

    Args:
        connection: in a transaction of its own.
        most: how many at once, so that no lock is held for long.
        by: who does it.

    Returns:
        How many facts were written; fewer than `most` when none are left.
    """
    near = (
        select(ApiToken.workspace_id, ApiToken.id, _NEAR.label("days"))
        .where(STANDS, or_(ApiToken.warned_days.is_(None), ApiToken.warned_days > _NEAR))
        .where(ApiToken.expires_at <= func.clock_timestamp() + timedelta(days=max(WARNED_DAYS)))
        .order_by(ApiToken.expires_at)
        .limit(most)
        .with_for_update(skip_locked=True, of=ApiToken)
        .cte("near")
    )
    rows = connection.execute(
        update(ApiToken)
        .where(ApiToken.workspace_id == near.c.workspace_id, ApiToken.id == near.c.id)
        .values(warned_days=near.c.days)
        .returning(
            ApiToken.workspace_id,
            ApiToken.id,
            ApiToken.name,
            ApiToken.member_id,
            ApiToken.expires_at,
            ApiToken.warned_days,
        )
    ).all()
    for row in rows:
        to = recipients.of(connection, workspace_id=row.workspace_id, member_id=row.member_id)
        fact = ApiTokenExpiring(
            token_id=row.id, token_name=row.name, days=row.warned_days, expires_at=row.expires_at, to=to
        )
        outbox.append(connection, fact, workspace_id=row.workspace_id, by=by)
    return len(rows)
