"""How the pages say no."""

from __future__ import annotations

from flask import Response, render_template

from provisioning.web.failure import Failure

_WHY = {
    "revoked_hipaa_change": "Your access to a HIPAA-eligible workspace changed, which ends all sessions begun before.",
    "idle_hipaa": "As a member of a HIPAA-eligible workspace you are signed out after a time without activity.",
    "idle": "There was no activity for too long.",
    "absolute": "The session had lasted as long as a session may.",
    "suspended": "Your membership of a workspace was suspended.",
    "removed": "You are no longer a member of a workspace.",
    "revoked": "Somebody ended the session.",
}


def render(failure: Failure) -> Response:
    """A page that says what was refused, and for an ended session why, and which workspace causes it."""
    reason = _WHY.get(str(failure.facts.get("reason")))
    page = render_template(
        "console/refused.html", failure=failure, reason=reason, workspace=failure.facts.get("workspace")
    )
    return Response(page, content_type="text/html; charset=utf-8")
