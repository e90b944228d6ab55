"""Judges a token by committed state and the database's clock, in one statement, and notes that it was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, or_, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning.directory.models import Member, Workspace
from provisioning.prepared import Prepared
from provisioning.tokens.models import ApiToken, ApiTokenSecret

# Use is written at most this often: what is shown lags so much behind, and is never ahead.
_NOTED_EVERY: Any = text("INTERVAL '1 minute'")
_NOW = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token as it is shown: everything but its secrets."""

    id: UUID
    workspace_id: UUID
    name: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_reason: str | None
    member_id: UUID | None = None
    parent_id: UUID | None = None
    ranges: tuple[str, ...] = ()
    last_used_at: datetime | None = None
    last_used_from: str | None = None
    # Whether this use of it is to be written down; told to who asks with it.
    use_is_news: bool = False
    # Whether its owner alone has the text that was sent; told to who asks with it.
    in_person: bool = False


VIEW: Select[*tuple[Any, ...]] = select(
    ApiToken.id,
    ApiToken.workspace_id,
    ApiToken.name,
    ApiToken.created_at,
    ApiToken.expires_at,
    ApiToken.ended_at,
    ApiToken.ended_reason,
    ApiToken.member_id,
    ApiToken.parent_id,
    ApiToken.ranges,
    ApiToken.last_used_at,
    ApiToken.last_used_from,
)
_RANGES = 9


def view(row: Sequence[Any]) -> TokenView:
    """A row of `VIEW` as a value."""
    columns = list(row)
    columns[_RANGES] = tuple(columns[_RANGES])
    return TokenView(*columns)


def owner_stands(of: Any) -> ColumnElement[bool]:
    """The owner of a token or an OAuth client is the same person, and an active member ever since it was made.

    What has no owner needs none.
    """
    return or_(
        of.member_id.is_(None),
        select(1)
        .where(
            Member.workspace_id == of.workspace_id,
            Member.id == of.member_id,
            Member.user_id == of.user_id,
            Member.active,
            Member.active_since_epoch == of.member_epoch,
        )
        .exists(),
    )


def _stands(token: Any) -> ColumnElement[bool]:
    return and_(token.ended_at.is_(None), token.expires_at > _NOW, owner_stands(token))


def makers_stand(of: Any) -> ColumnElement[bool]:
    """The token that made a token or an OAuth client, the one that made that ...: all of them stand themselves.

    What no token has made, as most are, has none to look at.
    """
    maker = aliased(ApiToken)
    made_by = select(maker.workspace_id, maker.parent_id, _stands(maker).label("stands"))
    nearest = (
        made_by.where(maker.workspace_id == of.workspace_id, maker.id == of.parent_id)
        .correlate(of)
        .cte("maker", recursive=True, nesting=True)
    )
    line = nearest.union_all(
        made_by.join(nearest, and_(maker.workspace_id == nearest.c.workspace_id, maker.id == nearest.c.parent_id))
    )
    return or_(of.parent_id.is_(None), ~select(1).select_from(line).where(~line.c.stands).exists())


STANDS = _stands(ApiToken)
_LIVES = and_(
    STANDS,
    makers_stand(ApiToken),
    select(1).where(Workspace.id == ApiToken.workspace_id, Workspace.deleted_at.is_(None)).exists(),
)
_UNNOTED = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < _NOW - _NOTED_EVERY)
_ASKING = VIEW.add_columns(_UNNOTED.label("use_is_news"))
# The token of a secret, if it lives at this moment, and all those that it descends from.
BY_SECRET = (
    _ASKING.add_columns(ApiTokenSecret.in_person)
    .join(
        ApiTokenSecret,
        and_(ApiTokenSecret.workspace_id == ApiToken.workspace_id, ApiTokenSecret.token_id == ApiToken.id),
    )
    .where(
        ApiTokenSecret.digest == bindparam("digest"),
        or_(ApiTokenSecret.expires_at.is_(None), ApiTokenSecret.expires_at > _NOW),
        _LIVES,
    )
)
# Of so many of its columns `view` makes the token; what follows was read along.
COLUMNS = len(BY_SECRET.selected_columns)
_BY_SECRET = Prepared(BY_SECRET)
_BY_ID = _ASKING.add_columns(false()).where(
    ApiToken.workspace_id == bindparam("workspace"), ApiToken.id == bindparam("token"), _LIVES
)


def live(connection: Connection, digest: bytes) -> TokenView | None:
    """The token of this secret if it lives at this moment, and all those that it descends from.

    One statement, which goes by indexes alone; what it costs depends on how many made each other.
    """
    row = _BY_SECRET.one_or_none(connection, {"digest": digest})
    return None if row is None else view(row)


def live_by_id(connection: Connection, *, workspace_id: UUID, token_id: UUID) -> TokenView | None:
    """The workspace's token of this id if it lives at this moment, and all those that it descends from."""
    row = connection.execute(_BY_ID, {"workspace": workspace_id, "token": token_id}).one_or_none()
    return None if row is None else view(row)


_free = aliased(ApiToken)
_FREE = (
    select(_free.id)
    .where(
        _free.workspace_id == bindparam("workspace"),
        _free.id == bindparam("token"),
        or_(_free.last_used_at.is_(None), _free.last_used_at < _NOW - _NOTED_EVERY),
    )
    .with_for_update(skip_locked=True, key_share=True)
    .scalar_subquery()
)
_NOTE = (
    update(ApiToken)
    .where(ApiToken.workspace_id == bindparam("workspace"), ApiToken.id == _FREE)
    .values(last_used_at=_NOW, last_used_from=bindparam("address"))
)


def note_use(connection: Connection, *, token: TokenView, address: str | None) -> None:
    """Write down that a token was used; where another writes the same thing just now, that is enough.

    Args:
        connection: on which the statement stands alone. It waits for nobody.
        token: as `live` told it.
        address: from where it was used.
    """
    if token.use_is_news:
        connection.execute(_NOTE, {"workspace": token.workspace_id, "token": token.id, "address": address})
