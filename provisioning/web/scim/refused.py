"""How the SCIM door says no: RFC 7644, section 3.12."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from provisioning.scim.errors import ScimError
from provisioning.scim.messages import error_body
from provisioning.web.failure import Failure
from provisioning.web.scim import media


def error_document(failure: Failure) -> dict[str, Any]:
    """The document of a failure."""
    return error_body(ScimError(failure.sentence, status=failure.status, scim_type=failure.scim_type))


def render(failure: Failure) -> Response:
    """The document in SCIM's own media type, or in plain JSON for who reads only that."""
    return Response(orjson.dumps(error_document(failure)), content_type=media.media_type() or media.MEDIA_TYPE)
