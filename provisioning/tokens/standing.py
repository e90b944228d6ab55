"""Judges a token by committed state and the database's clock, in one statement, and notes that it was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, false, or_, select, text, true, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased
from sqlalchemy.sql import func

from provisioning.directory.models import Member, Workspace
from provisioning.prepared import Prepared
from provisioning.tokens.models import ApiToken, ApiTokenSecret, OAuthClient

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


# The owner is the same person, and has been an active member ever since the token was made.
OWNER_STANDS = or_(
    ApiToken.member_id.is_(None),
    select(1)
    .where(
        Member.workspace_id == ApiToken.workspace_id,
        Member.id == ApiToken.member_id,
        Member.user_id == ApiToken.user_id,
        Member.active,
        Member.active_since_epoch == ApiToken.member_epoch,
    )
    .exists(),
)
STANDS = and_(ApiToken.ended_at.is_(None), ApiToken.expires_at > _NOW, OWNER_STANDS)

# The token that made an OAuth client, the one that made that ...: none of them has ended. Of a client that no token has
# made, there is none to look at.
_MAKER = select(ApiToken.workspace_id, ApiToken.parent_id, STANDS.label("stands"))
_nearest = (
    _MAKER.where(ApiToken.workspace_id == OAuthClient.workspace_id, ApiToken.id == OAuthClient.parent_id)
    .correlate(OAuthClient)
    .cte("maker", recursive=True, nesting=True)
)
_MAKERS = _nearest.union_all(
    _MAKER.join(_nearest, and_(ApiToken.workspace_id == _nearest.c.workspace_id, ApiToken.id == _nearest.c.parent_id))
)
CLIENTS_MAKERS_STAND = ~select(1).select_from(_MAKERS).where(~_MAKERS.c.stands).exists()

# The token of a secret, the one that made it, the one that made that ...: all of them have to stand.
_KEY = (ApiToken.workspace_id, ApiToken.id, ApiToken.parent_id)
_UNNOTED = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < _NOW - _NOTED_EVERY)
_ASKED: Select[*tuple[Any, ...]] = select(*_KEY, STANDS.label("stands"), true().label("asked"))
_IN_PERSON = "in_person"


def _judged(asked: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The token that is asked about, if it and its whole line stand."""
    first = asked.cte("line", recursive=True)
    line = first.union_all(
        select(*_KEY, STANDS.label("stands"), false().label("asked"), false().label(_IN_PERSON)).join(
            first, and_(ApiToken.workspace_id == first.c.workspace_id, ApiToken.id == first.c.parent_id)
        )
    )
    return (
        VIEW.add_columns(_UNNOTED.label("use_is_news"), line.c.in_person)
        .join(line, and_(ApiToken.workspace_id == line.c.workspace_id, ApiToken.id == line.c.id))
        .where(
            line.c.asked,
            select(func.bool_and(line.c.stands)).scalar_subquery(),
            select(1).where(Workspace.id == ApiToken.workspace_id, Workspace.deleted_at.is_(None)).exists(),
        )
    )


# The token of a secret, if it lives at this moment, and all those that it descends from.
BY_SECRET = _judged(
    _ASKED.add_columns(ApiTokenSecret.in_person.label(_IN_PERSON))
    .join(
        ApiTokenSecret,
        and_(ApiTokenSecret.workspace_id == ApiToken.workspace_id, ApiTokenSecret.token_id == ApiToken.id),
    )
    .where(
        ApiTokenSecret.digest == bindparam("digest"),
        or_(ApiTokenSecret.expires_at.is_(None), ApiTokenSecret.expires_at > _NOW),
    )
)
_BY_SECRET = Prepared(BY_SECRET)
_JUDGE_BY_ID = _judged(
    _ASKED.add_columns(false().label(_IN_PERSON)).where(
        ApiToken.workspace_id == bindparam("workspace"), ApiToken.id == bindparam("token")
    )
)


def live(connection: Connection, digest: bytes) -> TokenView | None:
    """The token of this secret if it lives at this moment, and all those that it descends from.

    One statement, which goes by indexes alone; what it costs depends on how many made each other.
    """
    row = _BY_SECRET.one_or_none(connection, {"digest": digest})
    return None if row is None else view(row)


def live_by_id(connection: Connection, *, workspace_id: UUID, token_id: UUID) -> TokenView | None:
    """The workspace's token of this id if it lives at this moment, and all those that it descends from."""
    row = connection.execute(_JUDGE_BY_ID, {"workspace": workspace_id, "token": token_id}).one_or_none()
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
