"""`/sign-in/sessions`: a person's own sessions, and their end."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.sessions import own
from provisioning.web import cookie
from provisioning.web.guard import actor, by_session, person
from provisioning.web.reasons import ENDINGS
from provisioning.web.requests import refuse_other_sites

blueprint = Blueprint("my_sessions", __name__, url_prefix="/sign-in/sessions", template_folder="templates")


@blueprint.get("")
@by_session
def mine() -> str:
    """The person's sessions that live: where each was begun, and when and why it ends."""
    standing = person().standing
    with reading() as database:
        found = own.alive(database, of=standing, policy=context().session_policy)
    return render_template("sign_in/sessions.html", sessions=found, this=standing.id, endings=ENDINGS)


@blueprint.post("/<uuid:session_id>/end")
@by_session
def end(session_id: UUID) -> Response:
    """End one of them."""
    refuse_other_sites()
    standing = person().standing
    with transaction() as database:
        own.sign_out(database, of=standing, session_id=session_id, by=actor())
    return _left() if session_id == standing.id else redirect("/sign-in/sessions", code=303)


@blueprint.post("/end-all")
@by_session
def end_all() -> Response:
    """End all of them, this one too."""
    refuse_other_sites()
    with transaction() as database:
        own.sign_out_everywhere(database, of=person().standing, by=actor())
    return _left()


def _left() -> Response:
    response = redirect("/sign-in", code=303)
    cookie.take_away(response)
    return response
