"""Bodies in and out of the SCIM door: its media type (RFC 7644, section 3.1), parameters, and locations."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request

from provisioning.context import context
from provisioning.scim.errors import InvalidSyntax, InvalidValue
from provisioning.scim.filter import Filter, parse_filter
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.web.requests import json_body

MEDIA_TYPE = "application/scim+json"
DEFAULT_PAGE, LARGEST_PAGE = 100, 1000


def base_url() -> str:
    """What clients call the door."""
    return f"{context().public_url}/scim/v2"


def body() -> dict[str, Any]:
    """The request's body: an object, as SCIM or plain JSON.

    Raises:
        InvalidSyntax: it is JSON, but no object.
    """
    sent = json_body(MEDIA_TYPE, "application/json")
    if not isinstance(sent, dict):
        raise InvalidSyntax("The body must be a JSON object.")
    return sent


def respond(document: dict[str, Any], status: int = 200) -> Response:
    """A SCIM answer; a resource that was just created tells its location in the header, too."""
    response = Response(orjson.dumps(document), status=status, content_type=MEDIA_TYPE)
    if status == 201:  # noqa: PLR2004 - RFC 9110's Created
        response.headers["Location"] = document["meta"]["location"]
    return response


def nothing() -> Response:
    """204: done, and there is nothing to show."""
    return Response(status=204)


def projection(resource_type: ResourceType) -> Projection:
    """What the request's `attributes` or `excludedAttributes` ask to be shown (RFC 7644, section 3.4.2.5)."""
    return Projection.parse(request.args.get("attributes"), request.args.get("excludedAttributes"), resource_type)


def condition() -> Filter | None:
    """The request's `filter`."""
    text = request.args.get("filter", "").strip()
    return parse_filter(text) if text else None


def page_wanted() -> tuple[int, int]:
    """`startIndex` and `count` as RFC 7644, section 3.4.2.4 reads them.

    Returns:
        The place of the first result wanted, from 1, and how many at the most.
    """
    start = _number("startIndex", 1)
    count = _number("count", DEFAULT_PAGE)
    return max(start, 1), min(max(count, 0), LARGEST_PAGE)


def _number(name: str, default: int) -> int:
    text = request.args.get(name, "").strip()
    if not text:
        return default
    try:
        return max(min(int(text[:20]), 2**31 - 1), -1)
    except ValueError:
        raise InvalidValue(f"{name} must be a whole number, not {text[:20]!r}.") from None
