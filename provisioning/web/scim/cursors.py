"""Cursors (RFC 9865): a walk's pages are all of one size, and tell how many there were when it began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from provisioning.directory.paging import Place
from provisioning.scim.errors import ExpiredCursor, InvalidCount, InvalidCursor
from provisioning.sealing import Expired
from provisioning.web import walks


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through a list: what was asked, how large the pages are, and where it stands; at first nowhere."""

    question: str
    count: int
    place: Place | None = None
    # How many there were when the walk began.
    total: int = 0


def resume(text: str, question: Sequence[str], *, count: int) -> Walk:
    """The walk that a cursor goes on with; an empty cursor begins one.

    Args:
        text: as the client sent it.
        question: who asks what; it must be the same on every page.
        count: the size of the pages, which must be the same, too.

    Raises:
        InvalidCursor: it was not given out here, or for another question.
        ExpiredCursor: it was given out too long ago.
        InvalidCount: the walk began with pages of another size.
    """
    digest = walks.digest(question)
    if not text:
        return Walk(digest, count)
    try:
        size, key, identifier, total = walks.take_back(text, digest)
    except Expired:
        lifetime = walks.LIFETIME_SECONDS
        raise ExpiredCursor(f"Cursors are good for {lifetime} seconds: begin again with `cursor=`.") from None
    except walks.Foreign:
        raise InvalidCursor("This cursor was not given out for this question: begin again with `cursor=`.") from None
    if size != count:
        raise InvalidCount(f"This walk began with a count of {size}, and must go on with it.")
    return Walk(digest, count, Place(key, UUID(identifier)), total)


def give_out(walk: Walk, *, place: Place, total: int) -> str:
    """The cursor of the page that begins at a place."""
    return walks.give_out(walk.question, walk.count, place.key, str(place.id), total)
