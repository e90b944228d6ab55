"""Pages of the admin API: `pagination[count]` and `pagination[cursor]` in, `pagination` out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields, validate

from provisioning.directory.paging import Page, Window


class Pagination(Schema):
    """Where a page stands in its list; `next` and `previous` are the cursors of its neighbours."""

    current = fields.String()
    next = fields.String()
    previous = fields.String()
    totalEntries = fields.Integer()  # noqa: N815 - the vendor's name


class PageQuery(Schema):
    """Which page is wanted."""

    count = fields.Integer(
        data_key="pagination[count]", load_default=100, validate=validate.Range(1, 1000), metadata={"example": 100}
    )
    cursor = fields.Integer(data_key="pagination[cursor]", load_default=1, validate=validate.Range(1, 2**31 - 1))


def window(query: dict[str, Any]) -> Window:
    """The part of a list that a query asks for."""
    return Window(query["count"], query["cursor"])


def place(total: int, *, cursor: int, count: int) -> dict[str, Any]:
    """Where a page stands in a list of so many."""
    pagination: dict[str, Any] = {"current": str(cursor), "totalEntries": total}
    if cursor + count <= total:
        pagination["next"] = str(cursor + count)
    if cursor > 1:
        pagination["previous"] = str(max(1, cursor - count))
    return pagination


def paged(name: str, page: Page[Any], query: dict[str, Any]) -> dict[str, Any]:
    """The `data` of a page: the items under their name, and where the page stands in the list."""
    return {"data": {name: page.items, "pagination": place(page.total, cursor=query["cursor"], count=query["count"])}}


def cut(name: str, items: Sequence[Any], query: dict[str, Any]) -> dict[str, Any]:
    """The `data` of a page of a list that is at hand, and short by nature."""
    start = query["cursor"] - 1
    return paged(name, Page(tuple(items[start : start + query["count"]]), len(items)), query)
