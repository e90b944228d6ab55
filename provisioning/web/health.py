"""For load balancers and operators: does the process live, and can it serve?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from provisioning import revision
from provisioning.database import DatabaseFailure, reading
from provisioning.web.guard import public

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
@public
def live() -> Response:
    """The process answers."""
    return jsonify(status="live")


@blueprint.get("/ready")
@public
def ready() -> tuple[Response, int]:
    """The database answers, and its tables are those that this version needs."""
    try:
        with reading() as database:
            current = revision.is_current(database)
    except DatabaseFailure:
        return jsonify(status="waiting", reason="the database does not answer"), 503
    if not current:
        return jsonify(status="waiting", reason="migrations have to be applied: run `provisioning migrate`"), 503
    return jsonify(status="ready"), 200
