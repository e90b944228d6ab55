"""Signing in by a one-time link.

The link's secret stands behind the `#` of the address, which no browser sends and no log keeps; the page moves it into
the form that the person sends off. So a mail scanner that follows links uses nothing up.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.refusals import Unauthenticated
from provisioning.sessions import links
from provisioning.web import arrival
from provisioning.web.guard import public
from provisioning.web.requests import refuse_other_sites
from provisioning.web.sign_in.entering import signed_in

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
def redeem() -> Response:
    """Use the link up; the person is signed in."""
    refuse_other_sites()
    keyring = context().keyring
    digest = keyring.recognise(request.form.get("secret", ""), Kind.SIGN_IN_LINK)
    if digest is None:
        raise Unauthenticated("This is no sign-in link: copy the whole of it.")
    session = keyring.mint(Kind.SESSION)
    with transaction() as database:
        links.redeem(
            database,
            link=digest,
            session=session.digest,
            policy=context().session_policy,
            how=arrival.told(),
            replaces=arrival.former(),
        )
    return signed_in(session)
