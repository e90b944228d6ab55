"""Bodies in and out of the SCIM door: its media type (RFC 7644, section 3.1), parameters, and locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, request

from provisioning.context import context
from provisioning.directory.filters import Order
from provisioning.scim.errors import InvalidFilter, InvalidSyntax, InvalidValue
from provisioning.scim.filter import Filter, parse_filter
from provisioning.scim.path import match_attribute
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.web.requests import json_body

MEDIA_TYPE = "application/scim+json"
DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
_SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:searchrequest"
_PARAMETERS = ("filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes")


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
    """A SCIM answer."""
    return Response(orjson.dumps(document), status=status, content_type=MEDIA_TYPE)


def respond_resource(resource: dict[str, Any], shown: Projection, status: int = 200) -> Response:
    """One resource, with its version in the header; one that was just created has its location there, too."""
    response = respond(shown.apply(resource), status)
    response.headers["ETag"] = resource["meta"]["version"]
    if status == 201:  # noqa: PLR2004 - RFC 9110's Created
        response.headers["Location"] = resource["meta"]["location"]
    return response


def not_modified(version: str) -> Response:
    """304: the client has this version."""
    return Response(status=304, headers={"ETag": f'W/"{version}"'})


def nothing() -> Response:
    """204: done, and there is nothing to show."""
    return Response(status=204)


def projection(resource_type: ResourceType) -> Projection:
    """What the request's `attributes` or `excludedAttributes` ask to be shown (RFC 7644, section 3.4.2.5)."""
    return Projection.parse(request.args.get("attributes"), request.args.get("excludedAttributes"), resource_type)


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is asked for (RFC 7644, section 3.4.2): which, from where, how many, and what is shown of each."""

    condition: Filter | None
    order: Order | None
    start_index: int
    count: int
    shown: Projection

    @classmethod
    def of_address(cls, resource_type: ResourceType) -> Query:
        """The query in the address."""
        return cls._read(request.args.to_dict(), resource_type)

    @classmethod
    def of_body(cls, resource_type: ResourceType) -> Query:
        """The query in a SearchRequest (RFC 7644, section 3.4.3).

        Raises:
            InvalidSyntax: the body is none.
        """
        sent = {name.lower(): value for name, value in body().items()}
        if _SEARCH_URN not in {str(urn).lower() for urn in sent.get("schemas") or ()}:
            raise InvalidSyntax(f"`schemas` must hold {_SEARCH_URN}.")
        given = {name: sent.get(name.lower()) for name in _PARAMETERS}
        for name in ("attributes", "excludedAttributes"):
            listed = given[name]
            given[name] = ",".join(map(str, listed)) if isinstance(listed, list) else listed
        return cls._read({name: value for name, value in given.items() if value is not None}, resource_type)

    @classmethod
    def _read(cls, given: Mapping[str, Any], resource_type: ResourceType) -> Query:
        text = given.get("filter", "")
        if not isinstance(text, str):
            raise InvalidFilter("The filter must be a string.")
        return cls(
            condition=parse_filter(text) if text.strip() else None,
            order=_order(given),
            start_index=max(_number("startIndex", given, 1), 1),
            count=min(max(_number("count", given, DEFAULT_PAGE), 0), LARGEST_PAGE),
            shown=Projection.parse(given.get("attributes"), given.get("excludedAttributes"), resource_type),
        )


def _order(given: Mapping[str, Any]) -> Order | None:
    """`sortBy` and `sortOrder` (RFC 7644, section 3.4.2.3)."""
    by, direction = str(given.get("sortBy", "")).strip(), str(given.get("sortOrder", "ascending")).lower()
    if direction not in {"ascending", "descending"}:
        raise InvalidValue("sortOrder must be ascending or descending.")
    if not by:
        return None
    path = match_attribute(by)
    if path is None:
        raise InvalidValue(f"sortBy must name an attribute, which {by[:200]!r} is not.")
    return Order(path, descending=direction == "descending")


def _number(name: str, given: Mapping[str, Any], default: int) -> int:
    text = str(given.get(name, "")).strip()
    if not text:
        return default
    try:
        return max(min(int(text[:20]), 2**31 - 1), -1)
    except ValueError:
        raise InvalidValue(f"{name} must be a whole number, not {text[:20]!r}.") from None
