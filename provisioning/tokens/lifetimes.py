"""How long a token lives: until when at the most, and of which nearness of its end somebody is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import func

from provisioning.directory.models import Workspace
from provisioning.refusals import Invalid, NotAllowed

WARNED_DAYS = (1, 3, 14)


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """What bounds a token's life in the whole service.

    Args:
        standard: how long one lives for which nothing is said.
        longest: how long one lives at the most; a workspace may have less.
    """

    standard: timedelta = timedelta(days=90)
    longest: timedelta = timedelta(days=366)


def end_of(
    connection: Connection,
    *,
    workspace_id: UUID,
    lifetime: timedelta | None,
    limits: TokenLimits,
    latest: datetime | None = None,
) -> tuple[datetime, datetime]:
    """The moment at which it is asked, by the database's clock, and the end of a life that begins then.

    Args:
        connection: in a transaction; the workspace's own maximum can't change before it ends.
        workspace_id: where.
        lifetime: what is asked for; None for the standard, or as much of it as there may be.
        limits: of the service.
        latest: when the token ends that asks, if one does: nothing that it makes lives longer.

    Raises:
        Invalid: it would be no time, or more than the workspace allows.
        NotAllowed: it would be more than the one who asks has.
    """
    held = select(Workspace.longest_token, func.clock_timestamp()).where(Workspace.id == workspace_id)
    own, now = connection.execute(held.with_for_update(read=True, key_share=True)).one()
    longest = limits.longest if own is None else min(own, limits.longest)
    if lifetime is None:
        end = now + min(limits.standard, longest)
        return now, end if latest is None else min(end, latest)
    if not timedelta(0) < lifetime <= longest:
        raise Invalid(f"A token lives for up to {spoken(longest)} in this workspace.", field="expiresIn")
    if latest is not None and now + lifetime > latest:
        raise NotAllowed("A token gives no longer life than it has left itself.", action="token.outlive")
    return now, now + lifetime


def spoken(length: timedelta) -> str:
    """A length of time for people: whole days where it is some."""
    days, rest = divmod(length, timedelta(days=1))
    return str(length) if rest else f"{days} days"


def warned_at_birth(lifetime: timedelta) -> int | None:
    """The nearness of its end that a life has from the start: nobody is told of it, or of a farther one."""
    return next((days for days in WARNED_DAYS if lifetime <= timedelta(days=days)), None)
