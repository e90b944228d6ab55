"""Bodies in and out of the SCIM door, and its media type (RFC 7644, sections 3.1 and 3.8)."""

from __future__ import annotations

import functools
from typing import Any

import orjson
from flask import Response, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable
from werkzeug.http import parse_accept_header

from provisioning.scim.errors import InvalidSyntax
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.web.requests import LARGEST_BODY, json_body
from provisioning.web.scim.operation import Written
from provisioning.web.scim.told import of_written

MEDIA_TYPE, PLAIN = "application/scim+json", "application/json"
_USUAL = 200


def require_acceptable() -> None:
    """Look at `Accept`: whether the client reads what is spoken here.

    Raises:
        NotAcceptable: it doesn't.
    """
    if media_type() is None:
        raise NotAcceptable(f"Answers are {MEDIA_TYPE} or {PLAIN}.")


def media_type() -> str | None:
    """SCIM's own media type, or plain JSON for who reads only that; None for who reads neither."""
    return best(request.headers.get("Accept", ""))


def best(accept: str) -> str | None:
    """The media type for who sends this `Accept`; None for who reads neither."""
    # Anybody may send one of 400,000 characters, and another one each time: those are not remembered.
    return _best(accept) if len(accept) <= _USUAL else _best.__wrapped__(accept)


@functools.lru_cache(maxsize=1024)
def _best(accept: str) -> str | None:
    wanted = parse_accept_header(accept, MIMEAccept)
    return wanted.best_match((MEDIA_TYPE, PLAIN)) if wanted else MEDIA_TYPE


def body(largest: int = LARGEST_BODY) -> dict[str, Any]:
    """The request's body: an object, as SCIM or plain JSON.

    Args:
        largest: how many bytes it may have.

    Raises:
        InvalidSyntax: it is JSON, but no object.
    """
    sent = json_body(MEDIA_TYPE, PLAIN, largest=largest)
    if not isinstance(sent, dict):
        raise InvalidSyntax("The body must be a JSON object.")
    return sent


def respond(document: Any, status: int = 200) -> Response:
    """A SCIM answer."""
    return Response(orjson.dumps(document), status=status, content_type=media_type() or MEDIA_TYPE)


def respond_written(written: Written | None, shown: Projection, status: int = 200) -> Response:
    """What an operation left; 204 where nothing is to be shown."""
    told = of_written(written, shown, status)
    if told.document is None:
        nothing = Response(status=told.status)
        del nothing.headers["Content-Type"]
        return nothing
    response = respond(told.document, told.status)
    response.headers.update(told.headers)
    return response


def not_modified(version: str) -> Response:
    """304: the client has this version."""
    return Response(status=304, headers={"ETag": f'W/"{version}"'})


def projection(resource_type: ResourceType) -> Projection:
    """What the request's `attributes` or `excludedAttributes` ask to be shown (RFC 7644, section 3.4.2.5)."""
    return Projection.parse(request.args.get("attributes"), request.args.get("excludedAttributes"), resource_type)
