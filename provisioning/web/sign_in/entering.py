"""What every way of signing in has in common: a form of our own, and a cookie in the end."""

from __future__ import annotations

from flask import redirect, request
from werkzeug.wrappers import Response

from provisioning.credentials import Secret
from provisioning.refusals import NotAllowed
from provisioning.web.guard import SESSION_COOKIE


def refuse_other_sites() -> None:
    """Forms are taken from our own pages only: browsers tell where a form was sent from.

    Raises:
        NotAllowed: this one was sent from another site.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise NotAllowed("This form was sent from another site.")


def signed_in(session: Secret) -> Response:
    """The answer to somebody whose session has begun: its cookie, and the way to the console."""
    response = redirect("/console/", code=303)
    response.set_cookie(SESSION_COOKIE, session.text, secure=True, httponly=True, samesite="Lax", path="/")
    return response
