"""Signing out: here and at the identity provider, from here (RP-initiated) and from there (back-channel)."""

from __future__ import annotations

import logging
from uuid import UUID

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.identities import logouts, providers
from provisioning.outbox import Actor
from provisioning.refusals import ProviderUnavailable, SignInRefusal
from provisioning.sessions import own, vouched
from provisioning.web import cookie
from provisioning.web.guard import actor, by_session, person, public, request_id
from provisioning.web.requests import refuse_other_sites
from provisioning.web.sign_in import addresses
from provisioning.web.sign_in.provider import Provider

blueprint = Blueprint("sign_out", __name__, url_prefix="/sign-in", template_folder="templates")
_log = logging.getLogger(__name__)


@blueprint.post("/out")
@by_session
def out() -> AnyResponse:
    """End this session, and offer to sign out at the provider through which it began."""
    refuse_other_sites()
    standing = person().standing
    with transaction() as database:
        own.sign_out(database, of=standing, session_id=standing.id, by=actor())
    there = _provider_exit(standing.id)
    response: AnyResponse = redirect("/sign-in", code=303)
    if there is not None:
        response = Response(render_template("sign_in/out.html", there=there), mimetype="text/html")
    cookie.take_away(response)
    return response


def _provider_exit(session_id: UUID) -> str | None:
    """Where the browser signs out at the provider (OpenID Connect RP-Initiated Logout 1.0, section 2), if it can."""
    with reading() as database:
        voucher = vouched.voucher(database, session_id=session_id)
        view = None if voucher is None else providers.find(database, voucher.connection_id)
    if voucher is None or view is None or voucher.id_token is None:
        return None
    try:
        return Provider(view).exit(
            id_token=context().credentials.open(voucher.id_token).decode(),
            back=addresses.of(view.connection_id)["post_logout_redirect_uri"],
        )
    except ProviderUnavailable:
        return None


@blueprint.post("/back-channel/<uuid:connection_id>")
@public
def back_channel(connection_id: UUID) -> Response:
    """A provider tells that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0, section 2.5)."""
    with reading() as database:
        view = providers.find(database, connection_id)
    if view is None:
        return _refused("Nobody signs in through this connection.")
    try:
        claims = Provider(view).logout_claims(request.form.get("logout_token", ""))
    except SignInRefusal as refusal:
        _log.warning("logout token refused (%s)", refusal.facts["cause"])
        return _refused(refusal.sentence)
    by = Actor("connection", str(connection_id), request_id())
    with transaction() as database:
        if not logouts.take(database, provider=view, jti=claims["jti"], expires=claims["exp"]):
            return _refused("This logout token was used before.")
        ended = vouched.end(
            database,
            connection_id=connection_id,
            provider_session=claims.get("sid") or None,
            user_id=logouts.person(database, provider=view, subject=claims.get("sub")),
            by=by,
        )
        logouts.record(database, provider=view, sessions=ended, by=by)
    return Response(status=200)


def _refused(sentence: str) -> Response:
    """Section 2.8 of the same."""
    response = jsonify(error="invalid_request", error_description=sentence)
    response.status_code = 400
    return response
