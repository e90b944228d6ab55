"""What is said once, on the page after the one that did something.

It travels in a cookie that only this host can set, and is taken for text: whoever plants one says something to
themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from flask import after_this_request, redirect, request
from werkzeug.wrappers import Response

_COOKIE = "__Host-said"
_LONGEST = 1000
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Flash:
    """One sentence."""

    text: str


def done(sentence: str, address: str) -> Response:
    """Go to a page of ours and say there what has been done."""
    response = redirect(address, code=303)
    said = quote(sentence[:_LONGEST])
    response.set_cookie(_COOKIE, said, max_age=_SECONDS, secure=True, httponly=True, samesite="Lax", path="/")
    return response


def take() -> list[Flash]:
    """What is to be said on this page; it isn't said again."""
    said = unquote(request.cookies.get(_COOKIE, ""))[:_LONGEST]
    if not said:
        return []

    @after_this_request
    def forget(response: Response) -> Response:
        response.delete_cookie(_COOKIE, secure=True, httponly=True, samesite="Lax", path="/")
        return response

    return [Flash(said)]
