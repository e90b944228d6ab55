"""Cursors (RFC 9865): the place where the next page begins, sealed, so that the server remembers nothing.

A cursor holds no more than a place and what was asked; it opens nothing by itself, for every page is asked for with a
credential again. It is good for the connection and the question that it was given out for, and for nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from provisioning.context import context
from provisioning.directory.paging import Place
from provisioning.scim.errors import ExpiredCursor, InvalidCount, InvalidCursor
from provisioning.sealing import Expired, Unsealable

LIFETIME_SECONDS = 3600
_LONGEST = 16_384


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
    digest = hashlib.sha256(orjson.dumps(question)).hexdigest()
    if not text:
        return Walk(digest, count)
    if len(text) > _LONGEST:
        raise InvalidCursor(_FOREIGN)
    try:
        opened = orjson.loads(context().cursors.open(text, lifetime_seconds=LIFETIME_SECONDS))
    except Expired:
        raise ExpiredCursor(f"Cursors are good for {LIFETIME_SECONDS} seconds: begin again with `cursor=`.") from None
    except Unsealable:
        raise InvalidCursor(_FOREIGN) from None
    if opened[0] != digest:
        # Of another question, or of another door's pages.
        raise InvalidCursor(_FOREIGN)
    _, size, key, identifier, total = opened
    if size != count:
        raise InvalidCount(f"This walk began with a count of {size}, and must go on with it.")
    return Walk(digest, count, Place(key, UUID(identifier)), total)


_FOREIGN = "This cursor was not given out for this question: begin again with `cursor=`."


def give_out(walk: Walk, *, place: Place, total: int) -> str:
    """The cursor of the page that begins at a place."""
    return context().cursors.seal(orjson.dumps([walk.question, walk.count, place.key, str(place.id), total]))
