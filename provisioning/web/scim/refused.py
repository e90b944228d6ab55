"""How the SCIM door says no."""

from __future__ import annotations

from flask import Response

from provisioning.web.failure import Failure
from provisioning.web.scim import media, told


def render(failure: Failure) -> Response:
    """The document in SCIM's own media type, or in plain JSON for who reads only that."""
    return media.respond(told.of_failure(failure).document)
