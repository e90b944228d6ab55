"""`/api/connections/{id}/sign-in`: how people sign in through a connection's identity provider."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.identities import domains, providers, setting_up
from provisioning.identities.models import AUTH_METHODS
from provisioning.identities.providers import ProviderView
from provisioning.web.admin import schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.schemas import Strict
from provisioning.web.guard import actor, by_token, token
from provisioning.web.sign_in import addresses

blueprint = Blueprint(
    "sign_in_providers", __name__, url_prefix="/api/connections", description="Signing in by OpenID Connect."
)
_MOST_SECRET = 4096


class _Provider(Schema):
    issuer = fields.String()
    clientId = fields.String(attribute="client_id")  # noqa: N815 - the API's case
    authMethod = fields.String(attribute="auth_method")  # noqa: N815 - the API's case
    externalIdClaim = fields.String(attribute="external_id_claim")  # noqa: N815 - the API's case
    createsMembers = fields.Boolean(attribute="creates_members")  # noqa: N815 - the API's case
    maxAge = fields.Integer(attribute="max_age", allow_none=True)  # noqa: N815 - the API's case
    domains = fields.List(fields.String())
    redirectUri = fields.String(attribute="redirect_uri")  # noqa: N815 - the API's case
    initiateLoginUri = fields.String(attribute="initiate_login_uri")  # noqa: N815 - the API's case
    backChannelLogoutUri = fields.String(attribute="backchannel_logout_uri")  # noqa: N815 - the API's case
    postLogoutRedirectUri = fields.String(attribute="post_logout_redirect_uri")  # noqa: N815 - the API's case
    jwksUri = fields.String(attribute="jwks_uri")  # noqa: N815 - the API's case


class _ProviderInput(Strict):
    """What is to hold; without a client's secret a private key is made, whose public half stands at `jwksUri`."""

    issuer = fields.String(required=True)
    client_id = fields.String(required=True, data_key="clientId")
    client_secret = fields.String(
        data_key="clientSecret", load_default=None, validate=validate.Length(1, _MOST_SECRET), load_only=True
    )
    auth_method = fields.String(data_key="authMethod", load_default=None, validate=validate.OneOf(AUTH_METHODS))
    external_id_claim = fields.String(data_key="externalIdClaim", load_default="sub")
    creates_members = fields.Boolean(data_key="createsMembers", load_default=False)
    max_age = fields.Integer(data_key="maxAge", load_default=None, allow_none=True)


_ONE = schemas.data("SignInProvider", signIn=fields.Nested(_Provider))


@blueprint.get("/<uuid:connection_id>/sign-in")
@by_token("connection.read")
@blueprint.response(200, _ONE)
def read(connection_id: UUID) -> Any:
    """How people sign in through the connection, and what its provider has to be told."""
    with reading() as database:
        found = providers.of(database, workspace_id=token().workspace_id, connection_id=connection_id)
        return _shown(database, found)


@blueprint.put("/<uuid:connection_id>/sign-in")
@by_token("connection.update")
@blueprint.arguments(_ProviderInput)
@blueprint.response(200, _ONE)
def replace(sent: dict[str, Any], connection_id: UUID) -> Any:
    """Have people sign in through the connection; another issuer or client ends the sessions that began so."""
    secret = sent.pop("client_secret")
    terms = setting_up.terms(**sent, secret=secret, outbound=context().outbound, sealer=context().credentials)
    with transaction() as database:
        where = {"workspace_id": token().workspace_id, "connection_id": connection_id}
        return _shown(database, providers.set_(database, terms=terms, by=actor(), **where))


@blueprint.delete("/<uuid:connection_id>/sign-in")
@by_token("connection.update")
@blueprint.response(200, schemas.DONE)
def remove(connection_id: UUID) -> Any:
    """Have nobody sign in through the connection any more; the sessions that began so end."""
    with transaction() as database:
        providers.remove(database, workspace_id=token().workspace_id, connection_id=connection_id, by=actor())
    return schemas.SUCCESS


def _shown(database: Connection, found: ProviderView) -> Any:
    where = {"workspace_id": found.workspace_id, "connection_id": found.connection_id}
    shown = {name: getattr(found, name) for name in ProviderView.__dataclass_fields__ if name != "credential"}
    return {
        "data": {"signIn": {**shown, **addresses.of(found.connection_id), "domains": domains.of(database, **where)}}
    }
