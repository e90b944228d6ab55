"""How the pages say no."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, render_template, request

from provisioning.web.console import confirming
from provisioning.web.failure import Failure
from provisioning.web.reasons import ENDED

# What to do about it, where the sentence doesn't say so itself.
_ADVICE: Mapping[int, str] = {
    403: "An owner of the workspace can give you a role that allows it.",
    404: "It may have been removed, or the address is not complete.",
    409: "Nothing was changed. Go back, look at what is there now, and try again.",
    412: "Somebody else has changed it meanwhile, and nothing of yours was saved. Load the page again to see what is "
    "there now.",
    429: "Wait a moment, then load the page again.",
    500: "It has been logged. Try again; if it stays, tell the operator of this service when it happened.",
    503: "Wait a moment, then load the page again.",
}


def render(failure: Failure) -> Response:
    """A page that says what was refused, what to do about it, and for an ended session why and by which workspace.

    Numbers that a page asks for by itself are refused in their place.
    """
    asked_by_page = "HX-Request" in request.headers
    in_place = asked_by_page and confirming.is_counting()
    page = render_template(
        "console/uncounted.html" if in_place else "console/refused.html",
        failure=failure,
        reason=ENDED.get(str(failure.facts.get("reason"))),
        workspace=failure.facts.get("workspace"),
        advice=_ADVICE.get(failure.status),
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    if asked_by_page and not in_place:
        # Any other refusal is a page of its own: it is no part of the one that asked.
        response.headers["HX-Refresh"] = "true"
    return response
