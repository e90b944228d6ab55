"""How the pages say no."""

from __future__ import annotations

from flask import Response, render_template

from provisioning.web.failure import Failure
from provisioning.web.reasons import ENDED


def render(failure: Failure) -> Response:
    """A page that says what was refused, and for an ended session why, and which workspace causes it."""
    reason = ENDED.get(str(failure.facts.get("reason")))
    page = render_template(
        "console/refused.html", failure=failure, reason=reason, workspace=failure.facts.get("workspace")
    )
    return Response(page, content_type="text/html; charset=utf-8")
