"""Signing in through the company's identity provider (OpenID Connect Core 1.0, the code flow with PKCE).

An address finds its provider; each connection has a redirection address of its own, so that one provider's answer is
never taken for another's. No form leads away from here: the page for the provider is a link, which the strict policy
on forms lets through.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access import admission, custom_roles
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, in_transaction, reading, transaction
from provisioning.directory import invitations
from provisioning.directory.roster import MemberView
from provisioning.identities import client_keys, domains, linking, providers
from provisioning.identities.linking import Assertion
from provisioning.identities.providers import ProviderView
from provisioning.outbox import Actor
from provisioning.refusals import NotAllowed, NotFound, ProviderUnavailable, PutOff, SignInRefusal
from provisioning.sessions import lifecycle
from provisioning.sessions.sign_in import SignIn
from provisioning.web import arrival
from provisioning.web.guard import PAUSE_SECONDS, public, request_id
from provisioning.web.requests import is_from_elsewhere, refuse_other_sites
from provisioning.web.sign_in import addresses, inviter
from provisioning.web.sign_in.entering import signed_in
from provisioning.web.sign_in.provider import UNASKED, Provider, credential_of

blueprint = Blueprint("sign_in_oidc", __name__, url_prefix="/sign-in", template_folder="templates")
_LONGEST_ADDRESS = 320
_HINT = "login_hint"
_log = logging.getLogger(__name__)


@blueprint.get("")
@public
def begin() -> str:
    """The page that asks for an address."""
    return render_template("sign_in/begin.html")


@blueprint.post("")
@public
def discover() -> str:
    """Which providers the address leads to: one is gone to by itself, several are asked about.

    Raises:
        NotFound: none; whether anybody has the address is not told, for it is not looked at.
    """
    refuse_other_sites()
    email = request.form.get("email", "").strip()[:_LONGEST_ADDRESS]
    with reading() as database:
        found = domains.providers_for(database, email)
    if not found:
        raise NotFound("No identity provider is set up here for addresses like this one.")
    session[_HINT] = {"email": email, "for": [str(view.connection_id) for view in found]}
    return render_template("sign_in/providers.html", providers=found, goes_on=len(found) == 1)


@blueprint.get("/with/<uuid:connection_id>")
@public
def send_off(connection_id: UUID) -> AnyResponse:
    """To the provider; also where its own tile leads to (OpenID Connect Core 1.0, section 4).

    From another site somebody has to press a button first: nobody is signed in elsewhere by opening a page.
    """
    view = _view(connection_id)
    if is_from_elsewhere():
        return Response(render_template("sign_in/providers.html", providers=[view], goes_on=False))
    hint = session.pop(_HINT, {})
    with _told(view):
        sent: AnyResponse = Provider(view).send_off(
            redirect_uri=addresses.of(connection_id)["redirect_uri"],
            login_hint=hint.get("email") if str(connection_id) in hint.get("for", ()) else None,
        )
    return sent


@blueprint.get("/back/<uuid:connection_id>")
@public
def come_back(connection_id: UUID) -> AnyResponse:
    """From the provider: who it says that this is, is signed in, or told why not."""
    view = _view(connection_id)
    with _told(view):
        claims, id_token = Provider(view).claims()
        said = _assertion(claims, view)
        secret = context().keyring.mint(Kind.SESSION)
        how = _how(claims, view, id_token)

        def enter(database: Connection) -> None:
            member = linking.member_of(database, provider=view, said=said, admit=partial(_admit, view), by=_by(view))
            lifecycle.begin(
                database,
                user_id=member.user_id,
                digest=secret.digest,
                policy=context().session_policy,
                by=Actor("person", str(member.user_id), request_id()),
                reach_id=view.workspace_id,
                how=how,
                replaces=arrival.former(),
            )

        in_transaction(enter)
    return signed_in(secret)


@blueprint.get("/with/<uuid:connection_id>/keys")
@public
def keys(connection_id: UUID) -> Response:
    """The public key that a provider knows us by, where we sign instead of telling a secret (RFC 7517, section 5)."""
    view = _view(connection_id)
    if view.auth_method != "private_key_jwt":
        return jsonify(keys=[])
    return jsonify(keys=[client_keys.public(credential_of(view))])


def _view(connection_id: UUID) -> ProviderView:
    with reading() as database:
        found = providers.find(database, connection_id)
    if found is None:
        raise NotFound("Nobody signs in through this connection.")
    if found.paused:
        raise PutOff("An admin has paused this connection: nobody signs in through it now.", retry_after=PAUSE_SECONDS)
    return found


def _admit(view: ProviderView, database: Connection, email: str) -> MemberView | None:
    """Whoever is invited by this address, let in: signing in accepts, as the letter's link does.

    An owner to be comes by the letter, or from a provider that the operator has named for the address.
    """
    found = invitations.pending_for(database, workspace_id=view.workspace_id, email=email)
    if found is None or not inviter.stands(database, found):
        return None
    if found.owner and not domains.is_own(database, provider=view, email=email):
        return None
    roles = custom_roles.of_workspace(database, workspace_id=view.workspace_id, catalogue=context().catalogue)
    try:
        return admission.accept(database, invitation=found, roles=roles, by=_by(view))
    except NotAllowed as refusal:
        raise SignInRefusal(refusal.sentence, reason="suspended") from None


def _by(view: ProviderView) -> Actor:
    return Actor("connection", str(view.connection_id), request_id())


@contextmanager
def _told(view: ProviderView) -> Iterator[None]:
    """Write down whom a provider vouched for in vain, and what it did wrong; what it sent is in no log."""
    try:
        yield
    except SignInRefusal as refusal:
        _log.warning("sign-in refused: %s (%s)", refusal.facts["reason"], refusal.facts.get("cause", "-"))
        # What no browser of ours asked for is nobody's doing here: anybody could fill the trail with it.
        if refusal.facts["reason"] != UNASKED:
            with transaction() as database:
                linking.record_refusal(database, provider=view, refusal=refusal, by=_by(view))
        raise
    except ProviderUnavailable as failure:
        _log.warning("an identity provider does not answer as it should (%s)", failure.facts["cause"])
        raise


def _assertion(claims: Mapping[str, Any], view: ProviderView) -> Assertion:
    verified = claims.get("email_verified")
    return Assertion(
        subject=claims["sub"],
        external_id=_text(claims, view.external_id_claim),
        email=_text(claims, "email"),
        email_verified=verified if verified is None else verified is True,
        name=_text(claims, "name"),
    )


def _how(claims: Mapping[str, Any], view: ProviderView, id_token: str) -> SignIn:
    """What the session remembers of the sign-in."""
    methods = claims.get("amr")
    said = SignIn(
        connection_id=view.connection_id,
        authenticated_at=claims.get("auth_time"),
        acr=_text(claims, "acr"),
        amr=tuple(str(method) for method in methods) if isinstance(methods, list) else (),
        provider_session=_text(claims, "sid"),
        id_token=context().credentials.seal(id_token.encode()),
    )
    return arrival.told(said)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    """A claim that is a text; what is of another type is not guessed at."""
    value = claims.get(name)
    return value if isinstance(value, str) and value else None
