"""`/openapi.json`, and `/docs` to read and try it; everything is served from here, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, render_template

from provisioning.web.assets import Shelf
from provisioning.web.guard import public

SPEC = "provisioning.openapi"
_HERE = Path(__file__).parent
_VENDORED = _HERE / "vendor" / "swagger-ui"
_FILES = Shelf(
    "/docs/files",
    _VENDORED / "swagger-ui.css",
    _VENDORED / "swagger-ui-bundle.js",
    _HERE / "static" / "start.js",
)

blueprint = Blueprint("documentation", __name__, template_folder="templates")


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return jsonify(current_app.extensions[SPEC].to_dict())


@blueprint.get("/docs")
@public
def page() -> str:
    """The documentation, with every operation to try."""
    return render_template("admin/docs.html", file=_FILES.address)


@blueprint.get("/docs/files/<string:name>")
@public
def file(name: str) -> Response:
    """The two files of Swagger UI that the page needs, and the script that starts it."""
    return _FILES.serve(name)
