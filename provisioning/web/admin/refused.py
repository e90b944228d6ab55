"""How the admin API says no: a list of errors, each with a type, a message, and the field that is wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from provisioning.refusals import Invalid
from provisioning.web.failure import Failure

_TOLD = frozenset({"action", "uses", "connection", "consumedPoints", "remainingPoints", "msBeforeNext"})


def render(failure: Failure) -> Response:
    """The `errors` document. A value that can't be is 422 here, as the vendor's SDKs expect it."""
    found: list[tuple[str | None, str]] = failure.facts.get("fields") or [(failure.field, failure.sentence)]
    response = jsonify(errors=[_error(failure, field, message) for field, message in found])
    is_value = failure.code == Invalid.code and failure.status == Invalid.status
    response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if is_value else failure.status
    return response


def _error(failure: Failure, field: str | None, message: str) -> dict[str, Any]:
    """One error; `data` has the facts of the refusal that programs can use, such as the missing action."""
    error: dict[str, Any] = {"type": failure.code, "message": message}
    if field is not None:
        error["field"] = field
    facts = {name: value for name, value in failure.facts.items() if name in _TOLD}
    return {**error, "data": facts} if facts else error
