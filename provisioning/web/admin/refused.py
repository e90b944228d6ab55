"""How the admin API says no: a list of errors, each with a type, a message, and the field that is wrong."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from provisioning.web.failure import Failure


def render(failure: Failure) -> Response:
    """The `errors` document."""
    found: list[tuple[str | None, str]] = failure.facts.get("fields") or [(failure.field, failure.sentence)]
    return jsonify(errors=[_error(failure.code, field, message) for field, message in found])


def _error(code: str, field: str | None, message: str) -> dict[str, Any]:
    error = {"type": code, "message": message}
    return error if field is None else {**error, "field": field}
