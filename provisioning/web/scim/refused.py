"""How the SCIM door says no: RFC 7644, section 3.12."""

from __future__ import annotations

import orjson
from flask import Response

from provisioning.scim.errors import ScimError
from provisioning.scim.messages import error_body
from provisioning.web.failure import Failure


def render(failure: Failure) -> Response:
    """An error document in SCIM's own media type."""
    error = ScimError(failure.sentence, status=failure.status, scim_type=failure.scim_type)
    return Response(orjson.dumps(error_body(error)), content_type="application/scim+json")
