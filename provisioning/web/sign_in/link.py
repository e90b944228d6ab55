"""Signing in by a one-time link, and signing out.

The link's secret stands behind the `#` of the address, which no browser sends and no log keeps; the page moves it into
the form that the person sends off. So a mail scanner that follows links uses nothing up.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.refusals import NotAllowed, Unauthenticated
from provisioning.sessions import lifecycle, links
from provisioning.web import arrival
from provisioning.web.guard import SESSION_COOKIE, actor, by_session, person, public

blueprint = Blueprint("sign_in", __name__, url_prefix="/sign-in", template_folder="templates")


@blueprint.get("/link")
@public
def link() -> str:
    """The page on which the person confirms."""
    return render_template("sign_in/link.html")


@blueprint.get("/link.js")
@public
def script() -> tuple[str, dict[str, str]]:
    """Moves the secret from the address into the form."""
    return render_template("sign_in/link.js"), {"Content-Type": "text/javascript"}


@blueprint.post("/link")
@public
def redeem() -> AnyResponse:
    """Use the link up; the person is signed in."""
    _refuse_other_sites()
    keyring = context().keyring
    digest = keyring.recognise(request.form.get("secret", ""), Kind.SIGN_IN_LINK)
    if digest is None:
        raise Unauthenticated("This is no sign-in link: copy the whole of it.")
    session = keyring.mint(Kind.SESSION)
    with transaction() as database:
        links.redeem(database, link=digest, session=session.digest, policy=context().session_policy, how=arrival.told())
    response = redirect("/console/", code=303)
    response.set_cookie(SESSION_COOKIE, session.text, secure=True, httponly=True, samesite="Lax", path="/")
    return response


@blueprint.post("/out")
@by_session
def out() -> AnyResponse:
    """End this session."""
    _refuse_other_sites()
    with transaction() as database:
        lifecycle.revoke(database, session_id=person().standing.id, workspace_id=None, by=actor())
    response: Response | AnyResponse = redirect("/sign-in/link", code=303)
    response.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="Lax", path="/")
    return response


def _refuse_other_sites() -> None:
    """Forms are taken from our own pages only: browsers tell where a form was sent from."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise NotAllowed("This form was sent from another site.")
