"""`/oauth/...` put together: the token endpoint, introspection, revocation, and what clients find out about them."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Blueprint, Flask, Response, current_app, jsonify, request

from provisioning import signing_keys
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.refusals import Invalid, NotFound
from provisioning.tokens.public_keys import ALGORITHMS
from provisioning.web.guard import by_client, public
from provisioning.web.oauth import authentication
from provisioning.web.oauth.authentication import METHODS, Server
from provisioning.web.oauth.client import GRANT_TYPE, SCOPES, Client
from provisioning.web.oauth.introspection import Introspection

_LARGEST_FORM = 32 * 1024
FORM, INTROSPECTION = "application/x-www-form-urlencoded", "/oauth/introspect"
_EXTENSION = "provisioning.oauth"

blueprint = Blueprint("oauth", __name__)


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials, by each way of proving them."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[tuple[str, ...]] = METHODS

    def validate_requested_scope(self) -> None:
        """All that is asked for must be the client's to have (section 3.3): nothing is left out without a word.

        Raises:
            InvalidScopeError: some of it is not.
        """
        if self.client.get_allowed_scope(self.request.payload.scope) is None:
            raise InvalidScopeError(description=f"This client may ask for {' and '.join(self.client.scopes)}.")


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: a client ends its own access tokens; of any other token it learns and changes nothing."""

    CLIENT_AUTH_METHODS: ClassVar[tuple[str, ...]] = METHODS

    def authenticate_token(self, asked: Any, client: Client) -> bytes | None:  # noqa: ARG002 - Authlib's names
        """The digest of a token of the client's kind; a hint is not needed, and not looked at."""
        if not request.form.get("token"):
            raise InvalidRequestError(description="Send the token in question as token.")
        return context().keyring.recognise(request.form["token"], client.kind)

    def revoke_token(self, token: bytes, asked: Any) -> None:
        """End it, if it is this client's."""
        with transaction() as database:
            cast("Client", asked.client).end_token(database, digest=token)


def init_app(app: Flask) -> None:
    """Give an application its authorization server."""
    server = Server()
    server.init_app(app, query_client=lambda _client_id: None, save_token=_save)
    server.register_token_generator("default", BearerTokenGenerator(_mint, None, _seconds))
    authentication.register(server)
    server.register_grant(_Grant)
    server.register_endpoint(Introspection)
    server.register_endpoint(_Revocation)
    app.extensions[_EXTENSION] = server
    app.register_blueprint(blueprint)


def _mint(*, client: Client, **_more: Any) -> str:
    return context().keyring.mint(client.kind).text


def _seconds(client: Client, _grant_type: str) -> int:
    return int(client.lifetime.total_seconds())


def _save(token: dict[str, Any], asked: Any) -> None:
    client: Client = asked.client
    digest = context().keyring.recognise(token["access_token"], client.kind)
    if digest is None:
        raise ValueError("the token is none of ours")
    try:
        with transaction() as database:
            client.save(database, digest=digest, scope=token["scope"])
    except NotFound:
        raise authentication.Nobody from None


@blueprint.before_request
def _read_form() -> None:
    """Take forms alone (RFC 6749, appendix B), each parameter once (section 3.2), and none from the address.

    Raises:
        Invalid: it is something else.
    """
    if request.method != "POST":
        return
    request.max_content_length = request.max_form_memory_size = _LARGEST_FORM
    if request.mimetype != FORM:
        raise Invalid(f"Send a body of type {FORM}.")
    if request.args:
        raise Invalid("Send parameters in the body: addresses end up in logs.")
    if any(len(request.form.getlist(name)) > 1 for name in request.form):
        raise Invalid("Send each parameter once.")


def _server() -> Server:
    return cast("Server", current_app.extensions[_EXTENSION])


@blueprint.post("/oauth/token")
@by_client
def token() -> Response:
    """RFC 6749, section 4.4.2; errors are those of its section 5.2."""
    if not request.form.get("grant_type"):
        raise Invalid("Send a grant_type.")
    return cast("Response", _server().create_token_response())


@blueprint.post(INTROSPECTION)
@by_client
def introspect() -> Response:
    """RFC 7662, section 2."""
    return cast("Response", _server().create_endpoint_response(Introspection.ENDPOINT_NAME))


@blueprint.post("/oauth/revoke")
@by_client
def revoke() -> Response:
    """RFC 7009, section 2."""
    return cast("Response", _server().create_endpoint_response(_Revocation.ENDPOINT_NAME))


@blueprint.get("/.well-known/oauth-authorization-server")
@public
def metadata() -> Response:
    """RFC 8414, section 3.2."""
    issuer = context().public_url
    told: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": [GRANT_TYPE],
        # It must be there and must not be empty; there is no authorization endpoint, which this type comes closest to.
        "response_types_supported": ["none"],
        "scopes_supported": list(SCOPES),
        "service_documentation": f"{issuer}/docs",
    }
    endpoints = {"token": "token", "introspection": "introspect", "revocation": "revoke"}
    for name, path in endpoints.items():
        told[f"{name}_endpoint"] = f"{issuer}/oauth/{path}"
        told[f"{name}_endpoint_auth_methods_supported"] = list(METHODS)
        told[f"{name}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    told["introspection_endpoint_auth_methods_supported"].append("Bearer")
    return jsonify(told)


@blueprint.get("/.well-known/jwks.json")
@public
def jwks() -> Response:
    """The keys by which the service signs (RFC 7517, section 5): the next, the current and the former ones."""
    with reading() as database:
        found = signing_keys.published(database)
    if not found:
        with transaction() as database:
            signing_keys.current(database, sealer=context().signing)
            found = signing_keys.published(database)
    response = jsonify(keys=[key.jwk for key in found])
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
