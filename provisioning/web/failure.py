"""Whatever is raised, as one value: status, code, sentence and facts, before any door has given it a shape."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException

from provisioning.database import DatabaseFailure, Trouble, trouble_of
from provisioning.refusals import Conflict, Invalid, ProtectedMember, Refusal, Unauthenticated
from provisioning.scim.errors import ScimError

_log = logging.getLogger(__name__)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="provisioning"'}
_RETRY = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong."""

    status: int
    code: str
    sentence: str
    field: str | None = None
    scim_type: str | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


# The detail error keywords of RFC 7644, table 9, for what the house refuses.
_SCIM_TYPES: Mapping[type[Refusal], str] = {
    Conflict: "uniqueness",
    Invalid: "invalidValue",
    ProtectedMember: "mutability",
}


def failure_of(error: Exception) -> Failure:
    """Say what an exception means to the one who asked; what we didn't foresee is logged and tells nothing."""
    if isinstance(error, Refusal):
        return _of_refusal(error)
    if isinstance(error, ScimError):
        after = getattr(error, "retry_after", None)
        headers = {} if after is None else {"Retry-After": str(after)}
        return Failure(error.status, error.scim_type or "refused", error.detail, None, error.scim_type, {}, headers)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, DatabaseFailure):
        return _of_database(error)
    return _unforeseen(error)


def _of_refusal(error: Refusal) -> Failure:
    headers = _CHALLENGE if isinstance(error, Unauthenticated) else {}
    if "retry_after" in error.facts:
        headers = {"Retry-After": str(error.facts["retry_after"])}
    scim_type = _SCIM_TYPES.get(type(error))
    return Failure(error.status, error.code, error.sentence, error.field, scim_type, error.facts, headers)


def _of_http(error: HTTPException) -> Failure:
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    code = error.name.lower().replace(" ", "_")
    scim_type = "invalidSyntax" if status == 400 else None  # noqa: PLR2004 - Bad Request
    fields = _fields(getattr(error, "data", {}).get("messages", {}))
    facts = {"fields": fields} if fields else {}
    return Failure(status, code, error.description or error.name, None, scim_type, facts, headers)


def _fields(messages: Any, place: str = "") -> list[tuple[str | None, str]]:
    """What marshmallow found wrong, as (field, message) pairs; the outermost name is where the value was sent."""
    if isinstance(messages, Mapping):
        parts = [(f"{place}.{name}" if place else str(name), below) for name, below in messages.items()]
        return [pair for name, below in parts for pair in _fields(below, name)]
    if isinstance(messages, list):
        field = place.partition(".")[2]
        return [(None if field in {"", "_schema"} else field, str(message)) for message in messages]
    return []


_TROUBLES: Mapping[Trouble, Failure] = {
    Trouble.UNSTORABLE: Failure(400, "invalid", "A value holds what can't be stored.", None, "invalidValue"),
    Trouble.CONTENDED: Failure(503, "busy", "Others changed the same thing at once: try again.", headers=_RETRY),
    Trouble.AWAY: Failure(503, "unavailable", "The database does not answer: try again.", headers=_RETRY),
    Trouble.LACKING: Failure(503, "unavailable", "Migrations have to be applied first.", headers=_RETRY),
}


def _of_database(error: DatabaseFailure) -> Failure:
    trouble = trouble_of(error)
    if trouble not in _TROUBLES:
        return _unforeseen(error)
    if trouble is not Trouble.UNSTORABLE:
        _log.warning("%s (%s)", trouble.value, type(error).__name__)
    return _TROUBLES[trouble]


def _unforeseen(error: Exception) -> Failure:
    _log.error("unforeseen %s", type(error).__name__, exc_info=error)
    return Failure(500, "internal", "Something went wrong here; it has been logged.")
