"""API tokens: issue one, judge one, list, revoke, and mark what has expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory.models import Member, Workspace
from provisioning.outbox import Actor
from provisioning.refusals import Invalid, NotFound
from provisioning.tokens.events import ApiTokenExpired, ApiTokenIssued, ApiTokenRevoked
from provisioning.tokens.models import ApiToken

LONGEST = timedelta(days=366)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token as it is shown: everything but its text."""

    id: UUID
    workspace_id: UUID
    name: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_reason: str | None


_VIEW = select(
    ApiToken.id,
    ApiToken.workspace_id,
    ApiToken.name,
    ApiToken.created_at,
    ApiToken.expires_at,
    ApiToken.ended_at,
    ApiToken.ended_reason,
)


def issue(
    connection: Connection, *, workspace_id: UUID, name: str, digest: bytes, lifetime: timedelta, by: Actor
) -> TokenView:
    """Store a newly minted token. Its policies are given apart, in the same transaction.

    Args:
        connection: in a transaction.
        workspace_id: the workspace in which it acts.
        name: what it is for.
        digest: of its text.
        lifetime: how long it lives, a year at most.
        by: who made it.

    Raises:
        Invalid: the name or lifetime can't be.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or "\0" in name:
        raise Invalid(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")
    if not timedelta(0) < lifetime <= LONGEST:
        raise Invalid(f"A token lives for up to {LONGEST.days} days.", field="expiresIn")
    row = connection.execute(
        insert(ApiToken)
        .values(
            id=entropy.new_id(),
            workspace_id=workspace_id,
            name=name,
            digest=digest,
            expires_at=func.clock_timestamp() + lifetime,
        )
        .returning(*_VIEW.selected_columns)
    ).one()
    outbox.append(connection, ApiTokenIssued(token_id=row.id, token_name=name), workspace_id=workspace_id, by=by)
    return TokenView(*row)


_OWNER_STANDS = or_(
    ApiToken.member_id.is_(None),
    select(1)
    .where(
        Member.workspace_id == ApiToken.workspace_id,
        Member.id == ApiToken.member_id,
        Member.active,
        Member.active_since_epoch == ApiToken.member_epoch,
    )
    .exists(),
)
_JUDGE = _VIEW.where(
    ApiToken.digest == bindparam("digest"),
    ApiToken.ended_at.is_(None),
    ApiToken.expires_at > func.clock_timestamp(),
    _OWNER_STANDS,
    select(1).where(Workspace.id == ApiToken.workspace_id, Workspace.deleted_at.is_(None)).exists(),
)


def live(connection: Connection, digest: bytes) -> TokenView | None:
    """The token of this digest if it lives at this moment, by the database's clock and committed state."""
    row = connection.execute(_JUDGE, {"digest": digest}).one_or_none()
    return None if row is None else TokenView(*row)


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[TokenView]:
    """The workspace's tokens, oldest first, the ended ones too."""
    wanted = _VIEW.where(ApiToken.workspace_id == workspace_id).order_by(ApiToken.id)
    return [TokenView(*row) for row in connection.execute(wanted)]


def revoke(connection: Connection, *, workspace_id: UUID, token_id: UUID, by: Actor) -> None:
    """End a token before its time; one that has ended already stays as it is.

    Raises:
        NotFound: the workspace has none of this id.
    """
    of_workspace = (ApiToken.workspace_id == workspace_id, ApiToken.id == token_id)
    ended = (
        update(ApiToken)
        .where(*of_workspace, ApiToken.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), ended_reason="revoked")
    )
    if connection.execute(ended).rowcount:
        fact = ApiTokenRevoked(token_id=token_id, reason="revoked")
        outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    elif connection.execute(select(ApiToken.id).where(*of_workspace)).one_or_none() is None:
        raise NotFound("There is no such token in this workspace.")


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
    for row in rows:
        outbox.append(connection, ApiTokenExpired(token_id=row.id), workspace_id=row.workspace_id, by=by)
    return len(rows)


def revoke_orphans(connection: Connection, *, user_id: UUID, by: Actor) -> int:
    """Mark the tokens of a person whose membership is not the one under which they were made. They are dead already.

    Returns:
        How many were marked.
    """
    of_person = select(1).where(
        Member.workspace_id == ApiToken.workspace_id, Member.id == ApiToken.member_id, Member.user_id == user_id
    )
    rows = connection.execute(
        update(ApiToken)
        .where(ApiToken.ended_at.is_(None), of_person.exists(), ~_OWNER_STANDS)
        .values(ended_at=func.clock_timestamp(), ended_reason="owner_suspended")
        .returning(ApiToken.workspace_id, ApiToken.id)
    ).all()
    for row in rows:
        fact = ApiTokenRevoked(token_id=row.id, reason="owner_suspended")
        outbox.append(connection, fact, workspace_id=row.workspace_id, by=by)
    return len(rows)
