"""Light or dark: as the system has it, unless the person has chosen; the server knows it before anything is drawn."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

THEMES = ("system", "light", "dark")
_COOKIE = "__Host-theme"
_A_YEAR = 31_536_000


def chosen() -> str:
    """The theme that the browser has been told to keep."""
    kept = request.cookies.get(_COOKIE, "")
    return kept if kept in THEMES else THEMES[0]


def keep(response: Response, theme: str) -> None:
    """Have the browser keep a theme; one that there is not is the system's."""
    wanted = theme if theme in THEMES else THEMES[0]
    response.set_cookie(_COOKIE, wanted, max_age=_A_YEAR, secure=True, httponly=True, samesite="Lax", path="/")
