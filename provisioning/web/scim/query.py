"""What a list is asked for (RFC 7644, sections 3.4.2 and 3.4.3; RFC 9865): in the address, or in a SearchRequest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request

from provisioning.dialects import normalise_filter
from provisioning.directory.filters import Order
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Page, Window
from provisioning.scim.errors import InvalidCount, InvalidFilter, InvalidSyntax, InvalidValue
from provisioning.scim.filter import Filter, parse_filter
from provisioning.scim.messages import list_response
from provisioning.scim.path import match_attribute
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.web.scim import cursors, media
from provisioning.web.scim.asking import Asking
from provisioning.web.scim.cursors import Walk
from provisioning.web.scim.noted import Noted

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
_SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:searchrequest"
_PARAMETERS = (
    *("filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"),
    *("attributes", "excludedAttributes"),
)


@dataclass(frozen=True, slots=True)
class Query:
    """Which resources, from where, how many, and what is shown of each."""

    selection: Selection
    attributes: str | None
    excluded: str | None
    # The walk that a cursor belongs to; None where pages are asked for by their place.
    walk: Walk | None

    @classmethod
    def of_address(cls, asking: Asking) -> Query:
        """The query in the address."""
        return cls._read(asking, {name: request.args.get(name) for name in _PARAMETERS if name in request.args})

    @classmethod
    def of_body(cls, asking: Asking) -> Query:
        """The query in a SearchRequest.

        Raises:
            InvalidSyntax: the body is none.
        """
        sent = {name.lower(): value for name, value in media.body().items()}
        schemas = sent.get("schemas")
        if not isinstance(schemas, list) or _SEARCH_URN not in {str(urn).lower() for urn in schemas}:
            raise InvalidSyntax(f"`schemas` must hold {_SEARCH_URN}.")
        given = {name: sent.get(name.lower()) for name in _PARAMETERS}
        for name in ("attributes", "excludedAttributes"):
            listed = given[name]
            given[name] = ",".join(map(str, listed)) if isinstance(listed, list) else listed
            if not isinstance(given[name], str | None):
                raise InvalidValue(f"{name} must be a list of attributes.")
        return cls._read(asking, {name: value for name, value in given.items() if value is not None})

    @classmethod
    def _read(cls, asking: Asking, given: Mapping[str, Any]) -> Query:
        condition, order = _condition(given), _order(given)
        count = min(max(_number("count", given, DEFAULT_PAGE), 0), LARGEST_PAGE)
        walk = None
        window = Window(count, max(_number("startIndex", given, 1), 1))
        if "cursor" in given:
            if "startIndex" in given:
                raise InvalidValue("Give either `cursor` or `startIndex`, not both.")
            question = cursors.question(asking.connection.id, request.path, given)
            walk = cursors.resume(str(given["cursor"]), question, count=count)
            window = Window(count, after=walk.place)
        selection = Selection(window, condition, order, asking.viewer)
        return cls(selection, given.get("attributes"), given.get("excludedAttributes"), walk)

    def of(self, kind: ResourceType, noted: Noted) -> Selection:
        """Which resources of one type, with what deviates in the filter put right and noted."""
        if self.selection.condition is None:
            return self.selection
        normalised = normalise_filter(self.selection.condition, kind)
        noted.note(*normalised.quirks)
        return replace(self.selection, condition=normalised.condition)

    def shown(self, kind: ResourceType) -> Projection:
        """What is shown of each resource of a type."""
        return Projection.parse(self.attributes, self.excluded, kind)

    def respond(self, page: Page[Any], resources: list[Any]) -> Response:
        """The answer: a ListResponse with what the page holds."""
        if self.walk is None:
            start = self.selection.window.start_index
            return media.respond(list_response(resources, total=page.total, start_index=start))
        return media.respond(cursors.told(self.walk, page, resources))


def _condition(given: Mapping[str, Any]) -> Filter | None:
    text = given.get("filter", "")
    if not isinstance(text, str):
        raise InvalidFilter("The filter must be a string.")
    return parse_filter(text) if text.strip() else None


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
        wrong = InvalidCount if name == "count" and "cursor" in given else InvalidValue
        raise wrong(f"{name} must be a whole number, not {text[:20]!r}.") from None
