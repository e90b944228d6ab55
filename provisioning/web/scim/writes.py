"""Plain writes: a resource that is new, another state or a change of one, as identity providers send them all day.

What becomes of one, a refusal too, is told from here: a view that began anew with it might do it a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask
from werkzeug.datastructures import ETags

from provisioning.context import Context
from provisioning.scim.projection import Projection
from provisioning.web import lanes
from provisioning.web.failure import failure_of
from provisioning.web.scim import groups, journal, told, users
from provisioning.web.scim.asking import Asking
from provisioning.web.scim.endpoint import Endpoint
from provisioning.web.scim.errands import DOOR, ID, Errand, Reader
from provisioning.web.scim.media import MEDIA_TYPE, PLAIN
from provisioning.web.scim.operation import STATUSES, carry_out
from provisioning.web.scim.told import Told

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import WSGIEnvironment

_ENDPOINTS: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in (users.ENDPOINT, groups.ENDPOINT)}
_MEDIA_TYPES = (MEDIA_TYPE, PLAIN, f"{MEDIA_TYPE}; charset=utf-8", f"{PLAIN}; charset=utf-8")
# A group with some ten thousand members.
_LARGEST = 1_000_000
_METHODS = ("POST", "PUT", "PATCH")


def readers(app: Flask) -> Mapping[str, Reader]:
    """What makes out the plain writes of an application, by their methods."""

    def errand(environ: WSGIEnvironment, _means: Context) -> Errand | None:
        endpoint, identifier = _addressed(environ)
        if endpoint is None:
            return None

        def run(asking: Asking) -> Told | None:
            body = _sent(environ)
            return None if body is None else _carried_out(app, asking, endpoint, identifier, body, environ)

        return Errand(endpoint.held(identifier) if identifier else None, run)

    return dict.fromkeys(_METHODS, errand)


def _addressed(environ: WSGIEnvironment) -> tuple[Endpoint | None, str]:
    """What a write is about; no endpoint where that is not plain."""
    name, _, identifier = environ["PATH_INFO"][len(DOOR) :].partition("/")
    if environ.get("QUERY_STRING") or "HTTP_IF_MATCH" in environ:
        return None, ""
    is_plain = not identifier if environ["REQUEST_METHOD"] == "POST" else ID.fullmatch(identifier)
    return (_ENDPOINTS.get(name) if is_plain else None), identifier


def _sent(environ: WSGIEnvironment) -> dict[str, Any] | None:
    data = lanes.body(environ, *_MEDIA_TYPES, largest=_LARGEST)
    try:
        body = None if data is None else orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _carried_out(
    app: Flask, asking: Asking, endpoint: Endpoint, identifier: str, body: dict[str, Any], environ: WSGIEnvironment
) -> Told:
    method = environ["REQUEST_METHOD"]
    shown = Projection(endpoint.kind(asking.viewer.kinds))
    # What follows a commit asks which application is at work.
    with app.app_context():
        try:
            operation = endpoint.verbs.prepare(method, asking, identifier, body, ETags(), shown)
            answer = told.of_written(carry_out(asking, operation), shown, STATUSES[method])
        except Exception as error:  # noqa: BLE001 - each has its answer
            answer = told.of_failure(failure_of(error))
        journal.learn(asking, environ.get("HTTP_USER_AGENT", ""))
    return answer
