"""What the console shows to anybody who is signed in: their workspaces; and how pages look and keep a session."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from provisioning.database import reading
from provisioning.directory import overview
from provisioning.web.console import assets, theme
from provisioning.web.guard import by_session, by_session_watching, person, public
from provisioning.web.requests import refuse_other_sites

blueprint = Blueprint("console_home", __name__, url_prefix="/console", template_folder="templates")


@blueprint.get("")
@by_session
def home() -> str:
    """The workspaces of whoever is signed in."""
    with reading() as database:
        found = overview.of_person(database, user_id=person().standing.user_id, reach_id=person().standing.reach_id)
    return render_template("console/home.html", places=found, session=person())


@blueprint.get("/-/files/<string:name>")
@public
def file(name: str) -> Response:
    """What the pages need."""
    return assets.SHELF.serve(name)


@blueprint.post("/-/theme")
@public
def choose_theme() -> AnyResponse:
    """Light, dark, or as the system has it; back to the page on which that was chosen."""
    refuse_other_sites()
    response = redirect(_back(request.form.get("back", "")), code=303)
    theme.keep(response, request.form.get("theme", ""))
    return response


def _back(asked: str) -> str:
    """An address of the console: nobody is led elsewhere by a form."""
    is_ours = asked.startswith("/console") and "\\" not in asked and asked.isprintable()
    return asked if is_ours else "/console"


@blueprint.get("/-/session")
@by_session_watching
def watch() -> Response:
    """How long the session still lives: asked by pages, which is no activity."""
    return _left()


@blueprint.post("/-/session")
@by_session
def stay() -> Response:
    """Be active without doing anything else."""
    refuse_other_sites()
    return _left()


def _left() -> Response:
    standing, verdict = person().standing, person().verdict
    ends = verdict.expires_at or standing.now
    return jsonify(seconds=int((ends - standing.now).total_seconds()))
