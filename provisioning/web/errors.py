"""How the doors say no: the door that the path leads to renders what went wrong.

The handlers sit on the application, not on blueprints, which never see an address that matches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from provisioning.web.admin.refused import render as as_admin
from provisioning.web.console.refused import render as as_page
from provisioning.web.failure import Failure, failure_of
from provisioning.web.oauth.refused import render as as_oauth
from provisioning.web.scim.refused import render as as_scim


def _plain(failure: Failure) -> Response:
    return jsonify(error=failure.code, message=failure.sentence)


_DOORS: Mapping[str, Callable[[Failure], Response]] = {
    "/scim/": as_scim,
    "/api/": as_admin,
    "/oauth/": as_oauth,
    "/console/": as_page,
    "/sign-in/": as_page,
}


def init_app(app: Flask) -> None:
    """Give every failure of an application the shape of its door."""
    app.register_error_handler(Exception, _respond)
    # The admin API's library brings a handler of its own for these; every door's shape is ours.
    app.register_error_handler(HTTPException, _respond)


def _respond(error: Exception) -> Response:
    failure = failure_of(error)
    path = request.path.rstrip("/") + "/"
    render = next((door for prefix, door in _DOORS.items() if path.startswith(prefix)), _plain)
    response = render(failure)
    if response.status_code == HTTPStatus.OK:
        response.status_code = failure.status
    response.headers.update(failure.headers)
    return response
