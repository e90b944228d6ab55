"""Cursors (RFC 9865): a walk's pages are all of one size, and tell how many there were when it began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from provisioning.directory.paging import Page, Place
from provisioning.scim.errors import ExpiredCursor, InvalidCount, InvalidCursor
from provisioning.scim.messages import list_response
from provisioning.sealing import Expired, Sealer
from provisioning.web import walks

# The parameters that must be the same on every page, along with the size.
_ASKED = ("filter", "sortBy", "sortOrder")


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through a list: what was asked, how large the pages are, and where it stands; at first nowhere."""

    question: str
    count: int
    place: Place | None = None
    # How many there were when the walk began.
    total: int = 0


def question(connection_id: UUID, path: str, given: Mapping[str, Any]) -> str:
    """Who asks what, as cursors name it.

    Args:
        connection_id: of who asks.
        path: of the list.
        given: the parameters.
    """
    return walks.digest((str(connection_id), path, *(str(given.get(name, "")) for name in _ASKED)))


def resume(text: str, question: str, *, count: int, sealer: Sealer | None = None) -> Walk:
    """The walk that a cursor goes on with; an empty cursor begins one.

    Args:
        text: as the client sent it.
        question: who asks what; it must be the same on every page.
        count: the size of the pages, which must be the same, too.
        sealer: of cursors, where no application is at work that has one.

    Raises:
        InvalidCursor: it was not given out here, or for another question.
        ExpiredCursor: it was given out too long ago.
        InvalidCount: the walk began with pages of another size.
    """
    if not text:
        return Walk(question, count)
    try:
        size, key, identifier, total = walks.take_back(text, question, sealer=sealer)
    except Expired:
        lifetime = walks.LIFETIME_SECONDS
        raise ExpiredCursor(f"Cursors are good for {lifetime} seconds: begin again with `cursor=`.") from None
    except walks.Foreign:
        raise InvalidCursor("This cursor was not given out for this question: begin again with `cursor=`.") from None
    if size != count:
        raise InvalidCount(f"This walk began with a count of {size}, and must go on with it.")
    return Walk(question, count, Place(key, UUID(identifier)), total)


def told(walk: Walk, page: Page[Any], resources: Sequence[Any], *, sealer: Sealer | None = None) -> dict[str, Any]:
    """The answer with a page of a walk: a ListResponse with the cursor of the next one, if there is one.

    Args:
        walk: as it was gone on with.
        page: that came.
        resources: what it holds.
        sealer: of cursors, where no application is at work that has one.
    """
    total = page.total if walk.place is None else walk.total
    following = None
    if page.next is not None:
        place = (page.next.key, str(page.next.id), total)
        following = walks.give_out(walk.question, walk.count, *place, sealer=sealer)
    return list_response(resources, total=total, next_cursor=following)
