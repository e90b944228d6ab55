"""What the door can do: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7644, section 4)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from provisioning.refusals import NotFound
from provisioning.scim import messages
from provisioning.scim.errors import Forbidden, NotImplementedHere
from provisioning.web import walks
from provisioning.web.guard import by_connection
from provisioning.web.scim import bulk, media, query
from provisioning.web.scim.asking import of_request

blueprint = Blueprint("discovery", __name__)

_CAPABILITIES = messages.Capabilities(
    default_page_size=query.DEFAULT_PAGE,
    max_page_size=query.LARGEST_PAGE,
    cursor_timeout_seconds=walks.LIFETIME_SECONDS,
    bulk_operations=bulk.MOST_OPERATIONS,
    bulk_bytes=bulk.MOST_BYTES,
)


def _refuse_filter() -> None:
    if "filter" in request.args:
        raise Forbidden("Discovery is not filtered: read the whole of it.")


def _listed(documents: list[dict[str, Any]]) -> Response:
    _refuse_filter()
    return media.respond(messages.list_response(documents, total=len(documents), start_index=1))


def _one(documents: list[dict[str, Any]], name: str) -> Response:
    _refuse_filter()
    for document in documents:
        if document["id"].lower() == name.lower():
            return media.respond(document)
    raise NotFound(f"There is no {name[:200]} here.")


@blueprint.route("/Me", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@by_connection
def me() -> Response:
    """RFC 7644, section 3.11: an identity provider's credential is nobody's own."""
    raise NotImplementedHere("The credential of a connection belongs to no person: address Users by their id.")


@blueprint.get("/ServiceProviderConfig")
@by_connection
def service_provider_config() -> Response:
    """RFC 7643, section 5."""
    _refuse_filter()
    return media.respond(messages.service_provider_config(of_request().viewer.base_url, _CAPABILITIES))


@blueprint.get("/ResourceTypes")
@by_connection
def resource_types() -> Response:
    """RFC 7643, section 6."""
    viewer = of_request().viewer
    return _listed(messages.resource_types(viewer.kinds, viewer.base_url))


@blueprint.get("/ResourceTypes/<name>")
@by_connection
def resource_type(name: str) -> Response:
    """One of them."""
    viewer = of_request().viewer
    return _one(messages.resource_types(viewer.kinds, viewer.base_url), name)


@blueprint.get("/Schemas")
@by_connection
def schemas() -> Response:
    """RFC 7643, section 7."""
    viewer = of_request().viewer
    return _listed(messages.schemas(viewer.kinds, viewer.base_url))


@blueprint.get("/Schemas/<name>")
@by_connection
def schema(name: str) -> Response:
    """One of them."""
    viewer = of_request().viewer
    return _one(messages.schemas(viewer.kinds, viewer.base_url), name)
