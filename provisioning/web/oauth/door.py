"""`/oauth/token` (RFC 6749, section 4.4) and what clients find out about it (RFC 8414)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, cast

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Blueprint, Flask, Response, current_app, jsonify

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import connections
from provisioning.outbox import Actor
from provisioning.web.guard import public
from provisioning.web.oauth.client import AUTH_METHODS, GRANT_TYPE, SCOPE, Client, find

LIFETIME = timedelta(hours=1)
_EXTENSION = "provisioning.oauth"

blueprint = Blueprint("oauth", __name__)


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials, by either way of sending a secret."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[list[str]] = list(AUTH_METHODS)


def init_app(app: Flask) -> None:
    """Give an application its authorization server."""
    server = AuthorizationServer()
    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = _mint
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {GRANT_TYPE: int(LIFETIME.total_seconds())}
    app.config["OAUTH2_SCOPES_SUPPORTED"] = [SCOPE]
    server.init_app(app, query_client=find, save_token=_save)
    server.register_grant(_Grant)
    app.extensions[_EXTENSION] = server
    app.register_blueprint(blueprint)


def _mint(*_args: Any, **_kwargs: Any) -> str:
    """A token like any other of a connection, so that the SCIM door takes it as one."""
    return context().keyring.mint(Kind.CONNECTION).text


def _save(token: dict[str, Any], request: Any) -> None:
    asking = cast("Client", request.client).connection
    digest = context().keyring.recognise(token["access_token"], Kind.CONNECTION)
    if digest is None:
        raise ValueError("the token is none of ours")
    by = Actor("connection", str(asking.id))
    with transaction() as database:
        connections.add_short_token(database, of=asking, digest=digest, lifetime=LIFETIME, by=by)


@blueprint.post("/oauth/token")
@public
def token() -> Response:
    """RFC 6749, section 4.4.2; errors are those of its section 5.2."""
    server: AuthorizationServer = current_app.extensions[_EXTENSION]
    return cast("Response", server.create_token_response())


@blueprint.get("/.well-known/oauth-authorization-server")
@public
def metadata() -> Response:
    """RFC 8414, section 3.2."""
    issuer = context().public_url
    return jsonify(
        issuer=issuer,
        token_endpoint=f"{issuer}/oauth/token",
        token_endpoint_auth_methods_supported=list(AUTH_METHODS),
        grant_types_supported=[GRANT_TYPE],
        response_types_supported=[],
        scopes_supported=[SCOPE],
    )
