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


# What begins with none of the others is plain JSON: AuthZEN leaves the body of an error to whoever answers.
DOORS: Mapping[str, Callable[[Failure], Response]] = {
    "/scim/": as_scim,
    "/api/": as_admin,
    "/oauth/": as_oauth,
    "/console/": as_page,
    "/sign-in/": as_page,
    "/": _plain,
}


def init_app(app: Flask) -> None:
    """Give every failure of an application the shape of its door."""
    app.register_error_handler(Exception, _respond)
    # The admin API's library brings a handler of its own for these; every door's shape is ours.
    app.register_error_handler(HTTPException, _respond)


def door_of(path: str) -> str:
    """The door that a path leads to: the key of its line in `DOORS`."""
    called = path.rstrip("/") + "/"
    return next(door for door in DOORS if called.startswith(door))


def rendered(failure: Failure, path: str) -> Response:
    """What the door of a path says of a failure; there is a request, by which doors judge what its client reads."""
    response = DOORS[door_of(path)](failure)
    if response.status_code == HTTPStatus.OK:
        response.status_code = failure.status
    response.headers.update(failure.headers)
    return response


def _respond(error: Exception) -> Response:
    return rendered(failure_of(error), request.path)
