"""API tokens: issue one, list, change, rotate, revoke.

What a token makes or renews never lives longer than itself, is used from nowhere else, and ends when it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Numeric, and_, cast, delete, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning import entropy, outbox
from provisioning.directory import roster
from provisioning.directory.models import Member
from provisioning.directory.paging import Page, Sorting, Window, fetch
from provisioning.outbox import Actor
from provisioning.refusals import Conflict, Invalid, NotAllowed, NotFound
from provisioning.tokens import ending, ranges
from provisioning.tokens.events import ApiTokenChanged, ApiTokenIssued, ApiTokenOverlapEnded, ApiTokenRotated
from provisioning.tokens.lifetimes import TokenLimits, end_of, warned_at_birth
from provisioning.tokens.models import ApiToken, ApiTokenSecret
from provisioning.tokens.standing import STANDS, VIEW, TokenView, view

OVERLAP, LONGEST_OVERLAP = timedelta(hours=24), timedelta(days=7)
_LONGEST_NAME = 200
_MOST_SECRETS = 10


def issue(
    connection: Connection,
    *,
    workspace_id: UUID,
    name: str,
    digest: bytes,
    by: Actor,
    lifetime: timedelta | None = None,
    limits: TokenLimits = TokenLimits(),  # noqa: B008 - frozen
    owner_id: UUID | None = None,
    address_ranges: Iterable[str] = (),
    asking: TokenView | None = None,
    to_owner: bool = True,
) -> TokenView:
    """Store a newly minted token. Its policies are given apart, in the same transaction.

    Args:
        connection: in a transaction.
        workspace_id: the workspace in which it acts.
        name: what it is for.
        digest: of its text.
        by: who made it.
        lifetime: how long it lives; None for the standard.
        limits: of the service.
        owner_id: the member whose token it is: it may do nothing that they may not, and ends with their membership.
        address_ranges: what it may be used from; none: from anywhere, or from where the token may be that asks.
        asking: the token that makes it, if one does.
        to_owner: where no token asks, whether the owner alone is shown the text.

    Raises:
        Invalid: the name, lifetime or a range can't be, or the owner is suspended.
        NotFound: the workspace has no such member.
        NotAllowed: it would have more than the token that asks.
    """
    _refuse_name(name)
    latest = None if asking is None else _hold(connection, workspace_id, asking.id).expires_at
    now, end = end_of(connection, workspace_id=workspace_id, lifetime=lifetime, limits=limits, latest=latest)
    token_id = entropy.new_id()
    row = connection.execute(
        insert(ApiToken)
        .values(
            id=token_id,
            workspace_id=workspace_id,
            name=name,
            **_owner(connection, workspace_id, owner_id),
            parent_id=None if asking is None else asking.id,
            ranges=_ranges(address_ranges, asking),
            expires_at=end,
            warned_days=warned_at_birth(end - now),
        )
        .returning(*VIEW.selected_columns)
    ).one()
    made = view(row)
    _add_secret(connection, made, digest, asking, to_owner=to_owner)
    fact = ApiTokenIssued(
        token_id=token_id,
        token_name=name,
        expires_at=end,
        member_id=owner_id,
        parent_id=made.parent_id,
        ranges=made.ranges,
    )
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return made


def _refuse_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or "\0" in name:
        raise Invalid(f"A name has 1 to {_LONGEST_NAME} characters.", field="name")


def _owner(connection: Connection, workspace_id: UUID, owner_id: UUID | None) -> dict[str, Any]:
    if owner_id is None:
        return {}
    owner = roster.lock(connection, workspace_id=workspace_id, member_id=owner_id)
    if not owner.active:
        raise Invalid("A suspended member owns no tokens.", field="ownerId")
    here = (Member.workspace_id == workspace_id, Member.id == owner_id)
    epoch = connection.execute(select(Member.active_since_epoch).where(*here)).scalar_one()
    return {"member_id": owner_id, "member_epoch": epoch, "user_id": owner.user_id}


def _ranges(written: Iterable[str], asking: TokenView | None) -> list[str]:
    """Ranges within those of the token that asks; its own where none are given."""
    found = list(ranges.read(written) or (() if asking is None else asking.ranges))
    _refuse_wider(found, asking)
    return found


def _refuse_wider(found: Sequence[str], asking: TokenView | None) -> None:
    if asking is not None and not ranges.within(found, asking.ranges):
        raise NotAllowed("A token lets nothing be used from where it may not be used itself.", action="token.widen")


def _add_secret(
    connection: Connection, token: TokenView, digest: bytes, asking: TokenView | None, *, to_owner: bool
) -> None:
    if asking is not None:
        to_owner = asking.in_person and asking.member_id == token.member_id
    new = insert(ApiTokenSecret).values(
        workspace_id=token.workspace_id,
        token_id=token.id,
        member_id=token.member_id,
        digest=digest,
        in_person=token.member_id is not None and to_owner,
    )
    connection.execute(new)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which of a workspace's tokens are wanted.

    Args:
        name: a part of what they are called.
        live: only those that live, or only those that don't; of either kind where nothing is said.
        sorting: by what they are sorted; None for the order in which they were made.
    """

    name: str = ""
    live: bool | None = None
    sorting: Sorting | None = None


EVERYTHING = Narrowing()


def by_making(*, descending: bool) -> Sorting | None:
    """In the order in which they were made."""
    return Sorting(ApiToken.id.expression, descending=True, never_none=True) if descending else None


def by_name(*, descending: bool) -> Sorting:
    """Sorted by what they are called."""
    return Sorting(ApiToken.name.expression, descending, never_none=True)


def by_end(*, descending: bool) -> Sorting:
    """Sorted by when they end."""
    return Sorting(cast(func.extract("epoch", ApiToken.expires_at), Numeric), descending, never_none=True)


def some(
    connection: Connection, *, workspace_id: UUID, window: Window, narrowing: Narrowing = EVERYTHING
) -> Page[TokenView]:
    """Some of the workspace's tokens, oldest first unless told otherwise, the ended ones too."""
    wanted = VIEW.where(ApiToken.workspace_id == workspace_id)
    if narrowing.name:
        wanted = wanted.where(ApiToken.name.icontains(narrowing.name, autoescape=True))
    if narrowing.live is not None:
        wanted = wanted.where(STANDS if narrowing.live else ~STANDS)
    return fetch(connection, wanted, identifier=ApiToken.id, window=window, sorting=narrowing.sorting, read=view)


def every(connection: Connection, *, workspace_id: UUID) -> Sequence[TokenView]:
    """All of the workspace's tokens, oldest first, the ended ones too: for the operator."""
    wanted = VIEW.where(ApiToken.workspace_id == workspace_id).order_by(ApiToken.id)
    return [view(row) for row in connection.execute(wanted)]


def by_id(connection: Connection, *, workspace_id: UUID, token_id: UUID) -> TokenView:
    """The workspace's token of this id, an ended one too.

    Raises:
        NotFound: the workspace has none.
    """
    wanted = VIEW.where(ApiToken.workspace_id == workspace_id, ApiToken.id == token_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("There is no such token in this workspace.")
    return view(row)


def _hold(connection: Connection, workspace_id: UUID, token_id: UUID) -> TokenView:
    """A live token, held against every other change until the transaction ends.

    Raises:
        NotFound: the workspace has none of this id.
        Conflict: it has ended.
    """
    wanted = VIEW.add_columns(STANDS).where(ApiToken.workspace_id == workspace_id, ApiToken.id == token_id)
    row = connection.execute(wanted.with_for_update(key_share=True, of=ApiToken)).one_or_none()
    if row is None:
        raise NotFound("There is no such token in this workspace.")
    *columns, stands = row
    if not stands:
        raise Conflict("This token has ended, for good: make another one.")
    return view(columns)


def change(
    connection: Connection,
    *,
    workspace_id: UUID,
    token_id: UUID,
    by: Actor,
    name: str | None = None,
    address_ranges: Iterable[str] | None = None,
    asking: TokenView | None = None,
) -> TokenView:
    """Call a token otherwise, or let it be used from elsewhere; None leaves a part as it is.

    A token that is bound to addresses changes nothing that may be used from others afterwards: whoever is there would
    have what the same request gives it.

    Raises:
        NotFound: the workspace has no such token.
        Conflict: it has ended.
        Invalid: the name or a range can't be.
        NotAllowed: it could be used from where the token may not be used that asks.
    """
    before = _hold(connection, workspace_id, token_id)
    values: dict[str, Any] = {}
    if name is not None:
        _refuse_name(name)
        values["name"] = name
    values["ranges"] = _ranges(address_ranges, asking) if address_ranges is not None else list(before.ranges)
    _refuse_wider(values["ranges"], asking)
    if (values.get("name", before.name), tuple(values["ranges"])) == (before.name, before.ranges):
        return before
    here = (ApiToken.workspace_id == workspace_id, ApiToken.id == token_id)
    row = connection.execute(update(ApiToken).where(*here).values(**values).returning(*VIEW.selected_columns)).one()
    changed = view(row)
    fact = ApiTokenChanged(token_id=token_id, token_name=changed.name, ranges=changed.ranges)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return changed


def rotate(
    connection: Connection,
    *,
    workspace_id: UUID,
    token_id: UUID,
    digest: bytes,
    by: Actor,
    overlap: timedelta = OVERLAP,
    lifetime: timedelta | None = None,
    limits: TokenLimits = TokenLimits(),  # noqa: B008 - frozen
    asking: TokenView | None = None,
    to_owner: bool = True,
) -> TokenView:
    """Give a token a new secret; those that it has end after the overlap, and never later than they were going to.

    Args:
        connection: in a transaction.
        workspace_id: the token's.
        token_id: which.
        digest: of the new secret's text.
        by: who does it.
        overlap: how long the secrets in use stay valid beside the new one; none at all ends them now.
        lifetime: how long the token lives from now on; None leaves its end where it is.
        limits: of the service.
        asking: the token that does it, if one does: it gets a secret of nothing that outlives it, or that may be used
            from where it may not.
        to_owner: where no token asks, whether the owner alone is shown the text.

    Raises:
        NotFound: the workspace has no such token.
        Conflict: it has ended, or has been rotated too often lately.
        Invalid: the overlap or lifetime can't be.
        NotAllowed: the token would outlive the one that asks, or may be used from elsewhere.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"An overlap lasts for up to {LONGEST_OVERLAP.days} days.", field="overlap")
    before = _hold(connection, workspace_id, token_id)
    _refuse_wider(before.ranges, asking)
    latest = _latest(connection, before, asking)
    now, end = end_of(connection, workspace_id=workspace_id, lifetime=lifetime, limits=limits, latest=latest)
    end = before.expires_at if lifetime is None else end
    if latest is not None and end > latest:
        raise NotAllowed("A token rotates nothing that outlives it.", action="token.outlive")
    until = min(now + overlap, before.expires_at)
    _retire(connection, before, until)
    _add_secret(connection, before, digest, asking, to_owner=to_owner)
    renewed = {} if end == before.expires_at else {"expires_at": end, "warned_days": warned_at_birth(end - now)}
    here = (ApiToken.workspace_id == workspace_id, ApiToken.id == token_id)
    changed = update(ApiToken).where(*here).values(name=ApiToken.name, **renewed).returning(*VIEW.selected_columns)
    rotated = view(connection.execute(changed).one())
    fact = ApiTokenRotated(token_id=token_id, token_name=rotated.name, expires_at=end, overlap_ends_at=until)
    outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return rotated


def _latest(connection: Connection, token: TokenView, asking: TokenView | None) -> datetime | None:
    """When the token's life ends at the latest: with the one that made it, and with the one that asks."""
    bounds = [] if asking is None else [asking.expires_at]
    if token.parent_id is not None:
        bounds.append(_hold(connection, token.workspace_id, token.parent_id).expires_at)
    return min(bounds, default=None)


def _retire(connection: Connection, token: TokenView, until: datetime) -> None:
    of_token = (ApiTokenSecret.workspace_id == token.workspace_id, ApiTokenSecret.token_id == token.id)
    later = or_(ApiTokenSecret.expires_at.is_(None), ApiTokenSecret.expires_at > until)
    connection.execute(update(ApiTokenSecret).where(*of_token, later).values(expires_at=until))
    over = ApiTokenSecret.expires_at <= func.clock_timestamp()
    connection.execute(delete(ApiTokenSecret).where(*of_token, over))
    count = select(func.count()).select_from(ApiTokenSecret).where(*of_token)
    if connection.execute(count).scalar_one() >= _MOST_SECRETS:
        raise Conflict(f"A token has at most {_MOST_SECRETS} secrets at once: end the overlap of the older ones first.")


def end_overlap(connection: Connection, *, workspace_id: UUID, token_id: UUID, by: Actor) -> TokenView:
    """End the secrets of a token now that a newer one replaces.

    Raises:
        NotFound: the workspace has no such token.
        Conflict: it has ended.
    """
    found = _hold(connection, workspace_id, token_id)
    replaced = and_(
        ApiTokenSecret.workspace_id == workspace_id,
        ApiTokenSecret.token_id == token_id,
        ApiTokenSecret.expires_at.is_not(None),
    )
    if connection.execute(delete(ApiTokenSecret).where(replaced)).rowcount:
        fact = ApiTokenOverlapEnded(token_id=token_id, token_name=found.name)
        outbox.append(connection, fact, workspace_id=workspace_id, by=by)
    return found


def revoke(connection: Connection, *, workspace_id: UUID, token_id: UUID, by: Actor) -> int:
    """End a token before its time, and those that it has made; one that has ended already stays as it is.

    Returns:
        How many ended.

    Raises:
        NotFound: the workspace has none of this id.
    """
    by_id(connection, workspace_id=workspace_id, token_id=token_id)
    return ending.end(connection, workspace_id=workspace_id, token_id=token_id, reason="revoked", by=by)
