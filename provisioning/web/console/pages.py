"""The console's pages."""

from __future__ import annotations

from flask import Blueprint, render_template

from provisioning.database import reading
from provisioning.directory import overview
from provisioning.web.guard import by_session, person, public

blueprint = Blueprint(
    "console",
    __name__,
    url_prefix="/console",
    template_folder="templates",
    static_folder=None,
)


@blueprint.get("")
@by_session
def home() -> str:
    """The workspaces of whoever is signed in; owners see how many people and groups there are."""
    with reading() as database:
        found = overview.of_person(database, user_id=person().standing.user_id, reach_id=person().standing.reach_id)
    return render_template("console/home.html", workspaces=found, session=person())


@blueprint.get("/style.css")
@public
def style() -> tuple[str, dict[str, str]]:
    """How the pages look."""
    return render_template("console/style.css"), {"Content-Type": "text/css", "Cache-Control": "max-age=300"}
