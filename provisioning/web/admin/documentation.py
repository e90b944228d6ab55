"""`/openapi.json`, and `/docs` to read and try it; everything is served from here, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, render_template, send_from_directory

from provisioning.web.guard import public

SPEC = "provisioning.openapi"
_VENDORED = Path(__file__).parent / "vendor" / "swagger-ui"

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
    return render_template("admin/docs.html")


@blueprint.get("/docs/start.js")
@public
def script() -> tuple[str, dict[str, str]]:
    """Starts the documentation page."""
    return render_template("admin/start.js"), {"Content-Type": "text/javascript"}


@blueprint.get("/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js'):name>")
@public
def vendored(name: str) -> Response:
    """The two files of Swagger UI that the page needs."""
    response = send_from_directory(_VENDORED, name)
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
