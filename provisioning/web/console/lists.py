"""Lists as their addresses ask for them: words, filters, an order, and a page that a sealed cursor leads to.

The address says it all, so that it can be shared; a cursor is good for one list of one workspace and for an hour, and
an address with an older one shows the list from its beginning and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, stream_with_context

from provisioning import spreadsheet
from provisioning.directory.paging import Page, Place, Window
from provisioning.sealing import Unsealable
from provisioning.web import walks
from provisioning.web.console.guard import here

T = TypeVar("T")

COUNT = 50
_EXPORTED_AT_ONCE = 500
_LONGEST_WORDS = 200
_CURSOR, _WORDS, _SORT = "page", "q", "sort"
_AFTER, _BEFORE = "after", "before"


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked of a list.

    Args:
        words: to search for; empty for everything.
        filters: what is chosen of each filter; only those that narrow the list.
        sort: by what it is sorted, of what the list offers.
        descending: whether the greatest comes first.
        question: the digest of all that.
        window: which part of it.
        total: how many there were when the walk began; None on its first page.
        is_outdated: whether the cursor led nowhere any more.
    """

    words: str
    filters: Mapping[str, str]
    sort: str
    descending: bool
    question: str
    window: Window
    total: int | None = None
    is_outdated: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.words or self.filters)

    def paging(self, page: Page[Any]) -> Paging:
        """Where a page stands in this list."""
        total = page.total if self.total is None else self.total
        return Paging(total, self._to(_BEFORE, page.previous, total), self._to(_AFTER, page.next, total))

    def _to(self, direction: str, place: Place | None, total: int) -> str | None:
        if place is None:
            return None
        return address(**{_CURSOR: walks.give_out(self.question, direction, place.key, str(place.id), total)})


@dataclass(frozen=True, slots=True)
class Paging:
    """How many there are, and the addresses of the neighbouring pages."""

    total: int
    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a list can be asked for.

    Args:
        sorts: by what it can be sorted; the first is how it is unless asked, and `-` before a name turns it round.
        filters: the values that each filter takes.
        texts: filters that take any text.
        of_id: makes an id of its text.
    """

    sorts: Sequence[str]
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Sequence[str] = ()
    of_id: Callable[[str], UUID | str] = UUID


def asked(offer: Offer) -> Listing:
    """What the address asks of a list; what the list doesn't offer is left out of account."""
    words = asked_text(_WORDS)
    chosen = {name: request.args.get(name, "") for name in offer.filters}
    filters = {name: value for name, value in chosen.items() if value in offer.filters[name]}
    filters |= {name: text for name in offer.texts if (text := asked_text(name))}
    wanted = request.args.get(_SORT, "")
    sort = wanted if wanted.removeprefix("-") in offer.sorts else offer.sorts[0]
    pairs = (part for pair in sorted(filters.items()) for part in pair)
    question = walks.digest(["console", str(here().workspace_id), request.path, words, sort, *pairs])
    about = (words, filters, sort.removeprefix("-"), sort.startswith("-"), question)
    cursor = request.args.get(_CURSOR, "")
    if not cursor:
        return Listing(*about, Window(COUNT))
    try:
        direction, key, identifier, total = walks.take_back(cursor, question)
    except (walks.Foreign, Unsealable):
        return Listing(*about, Window(COUNT), is_outdated=True)
    place = Place(key, offer.of_id(identifier))
    window = Window(COUNT, before=place) if direction == _BEFORE else Window(COUNT, after=place)
    return Listing(*about, window, total)


def asked_text(name: str) -> str:
    """A text that the address asks with, without blanks around it; empty where there is none."""
    return request.args.get(name, "").strip().replace("\0", "")[:_LONGEST_WORDS]


def address(**changes: str | None) -> str:
    """The address of this page with something else asked; a list begins anew then."""
    return _address(request.path, changes)


def export_address() -> str:
    """Where the list of this page is told whole, as a table, with the same asked."""
    return _address(f"{request.path}/export.csv", {})


def _address(path: str, changes: Mapping[str, str | None]) -> str:
    asked_for = {**request.args.to_dict(), _CURSOR: None, **changes}
    query = urlencode({name: value for name, value in asked_for.items() if value})
    return f"{request.script_root}{path}" + (f"?{query}" if query else "")


def as_csv(name: str, columns: Sequence[str], pages: Iterator[Sequence[Sequence[Any]]]) -> Response:
    """A whole list as a table in CSV (RFC 4180), read a page at a time while it is sent."""

    def lines() -> Iterator[str]:
        yield spreadsheet.written([columns])
        for rows in pages:
            yield spreadsheet.written(rows)

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def every_page(read: Callable[[Window], Page[T]]) -> Iterator[Sequence[T]]:
    """All pages of a list, one after the other: each is true at its own moment, and none is kept.

    Args:
        read: reads the part of the list that it is given.
    """
    window = Window(_EXPORTED_AT_ONCE)
    while True:
        page = read(window)
        yield page.items
        if page.next is None:
            return
        window = Window(_EXPORTED_AT_ONCE, after=page.next)


def cut(found: Sequence[T], window: Window, identified: Callable[[T], UUID | str]) -> Page[T]:
    """A page of a list that is all there: what is kept short is read whole, searched and sorted without a statement.

    Args:
        found: the whole list in its order.
        window: which part of it.
        identified: tells an item's id, by which its place is found again.
    """
    ids = [str(identified(item)) for item in found]
    start, end = 0, window.count
    if window.after is not None:
        start = _behind(ids, window.after)
        end = start + window.count
    elif window.before is not None:
        end = max(_behind(ids, window.before) - 1, 0)
        start = max(end - window.count, 0)
    shown = tuple(found[start:end])
    following = Place(None, ids[end - 1]) if shown and end < len(ids) else None
    return Page(shown, len(ids), following, Place(None, ids[start]) if shown and start else None)


def _behind(ids: Sequence[str], place: Place) -> int:
    """Behind which an item stands; one that has gone leads to the beginning."""
    return ids.index(str(place.id)) + 1 if str(place.id) in ids else 0
