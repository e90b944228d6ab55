"""How a client proves who it is: by a secret in the header or the form, or by an assertion that its key has signed.

Whatever is wrong is one answer, 401 and `invalid_client`, so that nobody learns here which clients there are.
"""

from __future__ import annotations

from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError
from flask import request

from provisioning import clock
from provisioning.context import context
from provisioning.database import transaction
from provisioning.tokens import assertions
from provisioning.tokens.assertions import Refused
from provisioning.web import haste
from provisioning.web.oauth.client import Client, by_secret, with_keys

METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
_UNAUTHORIZED = 401
_SENTENCE = "The client is unknown, or did not prove who it is."


class Nobody(InvalidClientError):  # type: ignore[misc]
    """Nobody was made out; the text says why, and is fit to be told."""

    def __init__(self, sentence: str = _SENTENCE) -> None:
        super().__init__(description=sentence, status_code=_UNAUTHORIZED)


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server with our clients: each counts against its own measure once it has proved who it is."""

    def authenticate_client(self, asked: Any, methods: Any, endpoint: str = "token") -> Any:
        """The client that is asking.

        Raises:
            InvalidClientError: nobody was made out.
            InvalidRequestError: it tries two ways at once (RFC 6749, section 2.3).
            TooManyRequests: it asks more than is answered in a minute.
        """
        _refuse_two_ways()
        try:
            found = super().authenticate_client(asked, methods, endpoint)
        except Nobody:
            raise
        except InvalidClientError:
            raise Nobody from None
        haste.count_client(found.get_client_id())
        return found


def register(server: Server) -> None:
    """Teach a server our ways of proving it, instead of Authlib's, which tell who is unknown."""
    server.register_client_auth_method("client_secret_basic", _by_header)
    server.register_client_auth_method("client_secret_post", _by_form)
    server.register_client_auth_method("private_key_jwt", _by_assertion)


def _refuse_two_ways() -> None:
    ways = ("Authorization" in request.headers, "client_secret" in request.form, "client_assertion" in request.form)
    if sum(ways) > 1:
        raise InvalidRequestError(description="Prove who you are in one way, not in two.")


def _is_named_so(client: Client) -> bool:
    """Whether a `client_id` that is sent along is that of the client (RFC 7521, section 4.2)."""
    return request.form.get("client_id", str(client.id)) == str(client.id)


def _by_header(_query: Any, _asked: Any) -> Client | None:
    header = request.authorization
    if header is None or header.type != "basic":
        return None
    found = by_secret(header.username or "", header.password or "")
    return found if found is not None and _is_named_so(found) else None


def _by_form(_query: Any, _asked: Any) -> Client | None:
    if "client_secret" not in request.form:
        return None
    return by_secret(request.form.get("client_id", ""), request.form["client_secret"])


def _by_assertion(_query: Any, _asked: Any) -> Client | None:
    if request.form.get("client_assertion_type") != assertions.TYPE:
        return None
    try:
        return _proved(request.form.get("client_assertion", ""))
    except Refused as refusal:
        raise Nobody(str(refusal)) from None


def _proved(text: str) -> Client | None:
    unproved = assertions.take_apart(text)
    found = with_keys(unproved.client_id)
    if found is None:
        raise Refused(assertions.UNSIGNED)
    client, keys = found
    issuer = context().public_url
    assertion = assertions.judge(
        unproved,
        keys=keys,
        client_id=client.id,
        audiences={issuer, f"{issuer}/oauth/token", f"{issuer}{request.path}"},
        now=clock.now(),
    )
    if not _is_named_so(client):
        return None
    with transaction() as database:
        if not assertions.use(database, assertion, workspace_id=client.workspace_id):
            raise Refused("This assertion was used before, or is over.")
    return client.proved_by(assertion.kid)
