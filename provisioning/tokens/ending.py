"""Ends tokens, each with those that it has made, and marks for the record what every check refuses already."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, delete, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning import outbox
from provisioning.directory.models import Member
from provisioning.outbox import Actor
from provisioning.tokens import recipients
from provisioning.tokens.events import (
    ApiTokenExpired,
    ApiTokenForgotten,
    ApiTokenLeaked,
    ApiTokenRevoked,
    ApiTokenShortened,
)
from provisioning.tokens.models import ApiToken, ApiTokenSecret
from provisioning.tokens.standing import owner_stands

_END = text(
    """
    WITH RECURSIVE gone AS (
        SELECT workspace_id, id, CAST(:reason AS text) AS reason FROM api_token
        WHERE workspace_id = :workspace AND id = :token
        UNION ALL
        SELECT made.workspace_id, made.id, 'parent_ended'
        FROM gone JOIN api_token made ON made.workspace_id = gone.workspace_id AND made.parent_id = gone.id
    )
    UPDATE api_token SET ended_at = clock_timestamp(), ended_reason = gone.reason
    FROM gone WHERE api_token.workspace_id = gone.workspace_id AND api_token.id = gone.id AND ended_at IS NULL
    RETURNING api_token.id, ended_reason
    """
)


def end(connection: Connection, *, workspace_id: UUID, token_id: UUID, reason: str, by: Actor) -> int:
    """End a token, and all that it and those have made.

    Returns:
        How many ended; those that had ended before stay as they are.
    """
    rows = connection.execute(_END, {"workspace": workspace_id, "token": token_id, "reason": reason}).all()
    facts = [ApiTokenRevoked(token_id=row.id, reason=row.ended_reason) for row in rows]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    return len(rows)


def report_leaked(
    connection: Connection, *, digest: bytes, found_at: str | None, source: str | None, by: Actor
) -> bool:
    """End the token of a secret that somebody has found, and those that it has made.

    Returns:
        Whether there is such a token, ended before or not.
    """
    mine = (ApiToken.workspace_id == ApiTokenSecret.workspace_id) & (ApiToken.id == ApiTokenSecret.token_id)
    wanted = (
        select(ApiToken.workspace_id, ApiToken.id, ApiToken.name, ApiToken.member_id)
        .join(ApiTokenSecret, mine)
        .where(ApiTokenSecret.digest == digest)
    )
    found = connection.execute(wanted).one_or_none()
    if found is None:
        return False
    if end(connection, workspace_id=found.workspace_id, token_id=found.id, reason="leaked", by=by):
        to = recipients.of(connection, workspace_id=found.workspace_id, member_id=found.member_id)
        fact = ApiTokenLeaked(token_id=found.id, token_name=found.name, found_at=found_at, source=source, to=to)
        outbox.append(connection, fact, workspace_id=found.workspace_id, by=by)
    return True


def shorten(connection: Connection, *, workspace_id: UUID, longest: timedelta, by: Actor) -> int:
    """Have the workspace's tokens end within a length of time from now.

    Returns:
        How many end earlier than they were going to.
    """
    at_the_latest = func.clock_timestamp() + longest
    rows = connection.execute(
        update(ApiToken)
        .where(ApiToken.workspace_id == workspace_id, ApiToken.ended_at.is_(None), ApiToken.expires_at > at_the_latest)
        .values(expires_at=at_the_latest)
        .returning(ApiToken.id, ApiToken.name, ApiToken.expires_at)
    ).all()
    facts = [ApiTokenShortened(token_id=row.id, token_name=row.name, expires_at=row.expires_at) for row in rows]
    outbox.append(connection, *facts, workspace_id=workspace_id, by=by)
    return len(rows)


def mark_expired(connection: Connection, *, most: int, by: Actor) -> int:
    """Mark tokens whose time is over as ended. No check waits for this.

    Args:
        connection: in a transaction of its own.
        most: how many at once, so that no lock is held for long.
        by: who does it.

    Returns:
        How many were marked; fewer than `most` when none are left.
    """
    over = (
        select(ApiToken.workspace_id, ApiToken.id)
        .where(ApiToken.ended_at.is_(None), ApiToken.expires_at <= func.clock_timestamp())
        .order_by(ApiToken.expires_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("over")
    )
    rows = connection.execute(
        update(ApiToken)
        .where(ApiToken.workspace_id == over.c.workspace_id, ApiToken.id == over.c.id)
        .values(ended_at=ApiToken.expires_at, ended_reason="expired")
        .returning(ApiToken.workspace_id, ApiToken.id)
    ).all()
    told = [(row.workspace_id, ApiTokenExpired(token_id=row.id)) for row in rows]
    outbox.append_each(connection, told, by=by)
    return len(rows)


def mark_abandoned(connection: Connection, *, most: int, by: Actor) -> int:
    """Mark tokens whose maker has ended while they were being made. They never lived.

    Returns:
        How many were marked; fewer than `most` when none are left.
    """
    maker = aliased(ApiToken)
    gone = (maker.workspace_id == ApiToken.workspace_id) & (maker.id == ApiToken.parent_id)
    orphans = (
        select(ApiToken.workspace_id, ApiToken.id)
        .join(maker, gone)
        .where(ApiToken.parent_id.is_not(None), ApiToken.ended_at.is_(None), maker.ended_at.is_not(None))
    )
    rows = connection.execute(orphans.order_by(ApiToken.id).limit(most)).all()
    for row in rows:
        end(connection, workspace_id=row.workspace_id, token_id=row.id, reason="parent_ended", by=by)
    return len(rows)


_OWNERS_ROW = (Member.workspace_id == ApiToken.workspace_id, Member.id == ApiToken.member_id)
_WHY = case(
    (~select(1).where(*_OWNERS_ROW).exists(), "owner_removed"),
    (select(1).where(*_OWNERS_ROW, Member.user_id != ApiToken.user_id).exists(), "owner_is_another"),
    else_="owner_suspended",
)


def revoke_orphans(connection: Connection, *, user_id: UUID, by: Actor) -> int:
    """Mark the tokens of a person whose membership is not the one under which they were made. They are dead already.

    Returns:
        How many were marked, with those that they have made.
    """
    orphans = select(ApiToken.workspace_id, ApiToken.id, _WHY.label("why")).where(
        ApiToken.user_id == user_id, ApiToken.ended_at.is_(None), ~owner_stands(ApiToken)
    )
    rows = connection.execute(orphans.order_by(ApiToken.id)).all()
    return sum(end(connection, workspace_id=row.workspace_id, token_id=row.id, reason=row.why, by=by) for row in rows)


def forget(connection: Connection, *, older_than: timedelta, most: int, by: Actor) -> int:
    """Delete tokens that ended longer ago than this; the audit trail keeps what became of them.

    Returns:
        How many were deleted; fewer than `most` when none are left.
    """
    old = (
        select(ApiToken.workspace_id, ApiToken.id)
        .where(ApiToken.ended_at < func.clock_timestamp() - older_than)
        .order_by(ApiToken.ended_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    rows = connection.execute(
        delete(ApiToken)
        .where(ApiToken.workspace_id == old.c.workspace_id, ApiToken.id == old.c.id)
        .returning(ApiToken.workspace_id, ApiToken.id, ApiToken.name)
    ).all()
    forgotten = [(row.workspace_id, ApiTokenForgotten(token_id=row.id, token_name=row.name)) for row in rows]
    outbox.append_each(connection, forgotten, by=by)
    return len(rows)
