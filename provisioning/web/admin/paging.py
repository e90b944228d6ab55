"""Pages of the admin API: `pagination[count]` and `pagination[cursor]` in, `pagination` out."""

from __future__ import annotations

from typing import Any

from provisioning.directory.paging import Page


def paged(name: str, page: Page[Any], *, cursor: int, count: int) -> dict[str, Any]:
    """The `data` of a page: the items under their name, and where the page stands in the list."""
    pagination: dict[str, Any] = {"current": str(cursor), "totalEntries": page.total}
    if cursor + count <= page.total:
        pagination["next"] = str(cursor + count)
    return {"data": {name: page.items, "pagination": pagination}}
