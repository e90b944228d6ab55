"""The console, put together: its pages, in the order in which the navigation has them."""

from __future__ import annotations

from flask import Blueprint, Flask

from provisioning.web.console import frame, home, shown
from provisioning.web.console.page import Page
from provisioning.web.console.pages import (
    access,
    audit,
    connections,
    groups,
    mappings,
    overview,
    people,
    resources,
    roles,
    sessions,
    settings,
    tokens,
)

# Another page is a module in `pages`, a folder in `templates/console`, and a line here.
PAGES: tuple[Page, ...] = (
    overview.PAGE,
    people.PAGE,
    groups.PAGE,
    mappings.PAGE,
    roles.PAGE,
    resources.PAGE,
    access.PAGE,
    sessions.PAGE,
    tokens.PAGE,
    connections.PAGE,
    audit.PAGE,
    settings.PAGE,
)


def init_app(app: Flask) -> None:
    """Open the console."""
    workspace = Blueprint("console", __name__, url_prefix="/console/<string:slug>", template_folder="templates")
    for page in PAGES:
        workspace.register_blueprint(page.blueprint, url_prefix=page.path or None)
    app.register_blueprint(home.blueprint)
    app.register_blueprint(workspace)
    frame.init_app(app, PAGES)
    shown.init_app(app)
