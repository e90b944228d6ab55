"""How this door says no: `error` and `error_description` (RFC 6749, section 5.2; RFC 6750, section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Response, jsonify

from provisioning.refusals import NotAllowed, Unauthenticated
from provisioning.web.failure import Failure

_CODES: Mapping[str, str] = {Unauthenticated.code: "invalid_token", NotAllowed.code: "insufficient_scope"}
_LATER, _OURS = frozenset({429, 503}), 500
# What a description may hold: printable ASCII but for the quotation mark and the backslash.
_FORBIDDEN = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


def render(failure: Failure) -> Response:
    """The error document."""
    return jsonify(error=_code(failure), error_description=_FORBIDDEN.sub("'", failure.sentence))


def _code(failure: Failure) -> str:
    if failure.status in _LATER:
        return "temporarily_unavailable"
    if failure.status >= _OURS:
        return "server_error"
    return _CODES.get(failure.code, "invalid_request")
