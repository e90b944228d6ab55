"""Pages of the admin API: `pagination[count]` and `pagination[cursor]` in, `pagination` out.

A cursor is a place that only this service can read, good for an hour, for one workspace and for one question; what
comes or goes meanwhile shifts no page, and a deep one costs what the first does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import Schema, fields, validate

from provisioning.directory.paging import Page, Place, Window
from provisioning.refusals import Invalid
from provisioning.sealing import Expired
from provisioning.web import walks
from provisioning.web.admin.blueprint import plain
from provisioning.web.guard import token

_FIELD = "pagination[cursor]"
_AFTER, _BEFORE = "after", "before"


class Pagination(Schema):
    """Where a page stands in its list; `next` and `previous` are the cursors of its neighbours.

    The cursor of the first page is the empty one.
    """

    current = fields.String()
    next = fields.String()
    previous = fields.String()
    totalEntries = fields.Integer()  # noqa: N815 - the vendor's name


def _count(default: int | None) -> fields.Integer:
    return fields.Integer(
        data_key="pagination[count]",
        load_default=default,
        validate=validate.Range(1, 1000),
        metadata={"example": 100},
    )


class PageQuery(Schema):
    """Which page is wanted."""

    count = _count(100)
    cursor = fields.String(data_key=_FIELD, load_default="")


class ShortQuery(PageQuery):
    """Which page is wanted of a list that is short by nature, and told whole to who asks for none."""

    count = _count(None)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through a list, at the page that is asked for.

    Args:
        question: the digest of what is asked.
        count: how many a page has at the most; None: all.
        cursor: of the page; empty for the first.
        direction: whether the place is that behind which the page begins, or before which it ends.
        place: key and id; None for the first page.
        total: how many there were when the walk began.
    """

    question: str
    count: int | None
    cursor: str
    direction: str = _AFTER
    place: tuple[str | None, str] | None = None
    total: int = 0

    def window(self, of_id: Callable[[str], UUID | str] = UUID) -> Window:
        """The part of the list that the page is.

        Args:
            of_id: makes an id of its text.
        """
        there = None if self.place is None else Place(self.place[0], of_id(self.place[1]))
        count = self.count or 0
        return Window(count, before=there) if self.direction == _BEFORE else Window(count, after=there)

    @property
    def start(self) -> int:
        """How many come before the page, in a list that is at hand."""
        return 0 if self.place is None else int(self.place[1])

    def paged(self, name: str, page: Page[Any], shown: Sequence[Any] | None = None) -> dict[str, Any]:
        """The `data` of a page: the items, or how they are shown, and where the page stands in the list."""
        total = page.total if self.place is None else self.total
        items = page.items if shown is None else shown
        return {"data": {name: items, "pagination": self._pagination(total, page.previous, page.next)}}

    def cut(self, name: str, items: Sequence[Any]) -> dict[str, Any]:
        """The `data` of a page of a list that is at hand, and short by nature."""
        end = len(items) if self.count is None else self.start + self.count
        return {"data": {name: items[self.start : end], "pagination": self.places(len(items))}}

    def places(self, total: int) -> dict[str, Any]:
        """Where a page stands in a list of so many that is at hand."""
        count = total if self.count is None else self.count
        following = Place(None, str(self.start + count)) if self.start + count < total else None
        previous = Place(None, str(max(0, self.start - count))) if self.start else None
        return self._pagination(total, previous, following, back=_AFTER)

    def _pagination(
        self, total: int, previous: Place | None, following: Place | None, *, back: str = _BEFORE
    ) -> dict[str, Any]:
        pagination: dict[str, Any] = {"current": self.cursor, "totalEntries": total}
        for name, direction, place in (("next", _AFTER, following), ("previous", back, previous)):
            if place is not None:
                pagination[name] = walks.give_out(self.question, direction, place.key, str(place.id), total)
        return pagination


def resume(query: dict[str, Any]) -> Walk:
    """The walk that a query goes on with; without a cursor it begins one.

    Raises:
        Invalid: the cursor was not given out for this question, or too long ago.
    """
    asked = sorted((name, value) for name, value in plain(request.args).items(multi=True) if "[" not in name)
    body = "" if request.method == "GET" else hashlib.sha256(request.get_data()).hexdigest()
    asker = ("admin", str(token().workspace_id), request.method, request.path, body)
    question = walks.digest((*asker, *(part for pair in asked for part in pair)))
    count, cursor = query["count"], query["cursor"]
    if not cursor:
        return Walk(question, count, cursor)
    try:
        direction, key, identifier, total = walks.take_back(cursor, question)
    except Expired:
        raise Invalid(
            f"Cursors are good for {walks.LIFETIME_SECONDS} seconds: begin again without one.", field=_FIELD
        ) from None
    except walks.Foreign:
        raise Invalid("This cursor was not given out for this list: begin again without one.", field=_FIELD) from None
    return Walk(question, count, cursor, direction, (key, identifier), total)
