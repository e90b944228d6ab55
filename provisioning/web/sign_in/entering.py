"""What every way of signing in ends with."""

from __future__ import annotations

from flask import redirect
from werkzeug.wrappers import Response

from provisioning.credentials import Secret
from provisioning.web import cookie


def signed_in(session: Secret) -> Response:
    """The answer to somebody whose session has begun: its cookie, and the way to the console."""
    response = redirect("/console/", code=303)
    cookie.give(response, session.text)
    return response
