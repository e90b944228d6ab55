"""The session's cookie: `__Host-` binds it to this host, to HTTPS and to every path."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

SESSION_COOKIE = "__Host-session"


def brought() -> str:
    """What the browser has sent as its session, unchecked; nothing where it sent none."""
    return request.cookies.get(SESSION_COOKIE, "")


def give(response: Response, text: str) -> None:
    """Have the browser keep a session's text until it is closed; no script can read it."""
    response.set_cookie(SESSION_COOKIE, text, secure=True, httponly=True, samesite="Lax", path="/")


def take_away(response: Response) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="Lax", path="/")


def is_set(response: Response) -> bool:
    """Whether an answer gives a session or takes one away already."""
    return any(line.startswith(f"{SESSION_COOKIE}=") for line in response.headers.getlist("Set-Cookie"))
