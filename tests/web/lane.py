"""Asks doors in this process, and tells whether a view answered, or a lane in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from flask import Flask, request_started


class Answer(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]
    by_a_view: bool


@contextmanager
def views_begun(app: Flask) -> Iterator[list[Any]]:
    """Has an element for each view that was begun."""
    begun: list[Any] = []
    with request_started.connected_to(lambda *_args, **_more: begun.append(1), app):
        yield begun


def ask(app: Flask, path: str, *, method: str, data: bytes | None = None, headers: dict[str, str]) -> Answer:
    """One request to the SCIM door; the headers come without the length, for how JSON is spaced may differ."""
    with views_begun(app) as begun:
        got = app.test_client().open(f"/scim/v2{path}", method=method, data=data, headers=headers)
    told = dict(got.headers)
    assert int(told.pop("Content-Length", 0)) == len(got.data) or method == "HEAD"
    return Answer(got.status_code, got.get_json(silent=True), told, bool(begun))
