"""The routes of one type of resource: the same for all, on top of its verbs (RFC 7644, sections 3.3 to 3.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from provisioning.database import Connection, reading
from provisioning.directory.looks import Look
from provisioning.directory.paging import Page
from provisioning.scim.extensions import Kinds
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.web.guard import by_connection
from provisioning.web.scim import media, versions
from provisioning.web.scim.asking import Asking, of_request
from provisioning.web.scim.operation import Operation, Verbs, Write, Written, carry_out
from provisioning.web.scim.query import Query


def no_look(identifier: str) -> None:
    """What is read along with the credential: nothing."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a type of resource offers.

    Args:
        name: under which its resources stand.
        kind: its resource type, as a workspace has it.
        verbs: how its resources are written.
        look: what is read of one by its id along with the credential, to be shown; None for what is no id.
        held: what is read of one along with the credential that is to be changed, if anything is.
        find: the one that was read to be shown, with what is to be shown.
        listed: reads some, with what is to be shown, as the items of a page.
    """

    name: str
    kind: Callable[[Kinds], ResourceType]
    verbs: Verbs
    look: Callable[[str], Look | None]
    held: Callable[[str], Look | None]
    find: Callable[[Asking, str, Projection], Written]
    listed: Callable[[Connection, Asking, Query], tuple[Page[Any], list[Any]]]

    def blueprint(self) -> Blueprint:
        """Its routes."""
        made = Blueprint(self.name.lower(), __name__, url_prefix=f"/{self.name}")
        for path, view, method in (
            ("", by_connection(self._create), "POST"),
            ("", by_connection(self._page), "GET"),
            ("/.search", by_connection(self._search), "POST"),
            ("/<identifier>", by_connection(self._read, self.look), "GET"),
            ("/<identifier>", by_connection(self._replace, self.held), "PUT"),
            ("/<identifier>", by_connection(self._change, self.held), "PATCH"),
            ("/<identifier>", by_connection(self._delete), "DELETE"),
        ):
            made.add_url_rule(path, view.__name__.strip("_"), view, methods=[method])
        return made

    def _create(self) -> Response:
        asking = of_request()
        shown = self._shown(asking)
        return _carried_out(asking, self.verbs.create(asking, media.body(), shown), shown, 201)

    def _page(self) -> Response:
        asking = of_request()
        return self._found(asking, Query.of_address(asking))

    def _search(self) -> Response:
        """RFC 7644, section 3.4.3: the same query, kept out of the address."""
        asking = of_request()
        return self._found(asking, Query.of_body(asking))

    def _found(self, asking: Asking, query: Query) -> Response:
        with reading() as database:
            page, resources = self.listed(database, asking, query)
        return query.respond(page, resources)

    def _read(self, identifier: str) -> Response:
        asking = of_request()
        shown = self._shown(asking)
        found = self.find(asking, identifier, shown)
        if versions.is_known(found.version, request.if_none_match):
            return media.not_modified(found.version)
        return media.respond_written(found, shown)

    def _replace(self, identifier: str) -> Response:
        return self._written(self.verbs.replace, identifier)

    def _change(self, identifier: str) -> Response:
        return self._written(self.verbs.change, identifier)

    def _written(self, verb: Write, identifier: str) -> Response:
        asking = of_request()
        shown = self._shown(asking)
        return _carried_out(asking, verb(asking, identifier, media.body(), request.if_match, shown), shown)

    def _delete(self, identifier: str) -> Response:
        asking = of_request()
        return _carried_out(asking, self.verbs.delete(asking, identifier, request.if_match), self._shown(asking))

    def _shown(self, asking: Asking) -> Projection:
        return media.projection(self.kind(asking.viewer.kinds))


def _carried_out(asking: Asking, operation: Operation, shown: Projection, status: int = 200) -> Response:
    return media.respond_written(carry_out(asking, operation), shown, status)
