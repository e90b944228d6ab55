"""What a browser carries for us while it is at the identity provider: sealed, for ten minutes, in a cookie of its own.

It is what Flask calls the session, and Authlib keeps `state`, `nonce` and the code verifier in it: so an answer is only
taken from the browser that asked (RFC 9700, section 2.1). Who is signed in has nothing to do with it.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin

from provisioning.context import of
from provisioning.sealing import Unsealable

COOKIE = "__Host-sign-in"
_LIFETIME_SECONDS = 600
_PATH = "/sign-in"


class SealedState(SessionInterface):
    """Opens and seals the cookie, for the pages of signing in alone."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        """What the browser carries; nothing where it was tampered with, or is too old."""
        if not request.path.startswith(_PATH):
            return None
        try:
            sealed = request.cookies.get(COOKIE, "")
            carried: Any = orjson.loads(of(app).sign_in_state.open(sealed, lifetime_seconds=_LIFETIME_SECONDS))
        except (Unsealable, ValueError):
            carried = {}
        return SecureCookieSession(carried)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Have the browser carry what has changed."""
        if not session.modified:
            return
        flags: Any = {"secure": True, "httponly": True, "samesite": "Lax", "path": "/"}
        if session:
            sealed = of(app).sign_in_state.seal(orjson.dumps(dict(session)))
            response.set_cookie(COOKIE, sealed, max_age=_LIFETIME_SECONDS, **flags)
        else:
            response.delete_cookie(COOKIE, **flags)
