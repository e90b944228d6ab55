"""What goes in and out of the admin API about OAuth clients, their secrets and their keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from provisioning.web.admin.access_schemas import Permission, PermissionInput
from provisioning.web.admin.schemas import Strict


class Secret(Schema):
    """A secret: that it is there; `secret` has its text where it has just been made, this once."""

    id = fields.UUID()
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    secret = fields.String()


class PublicKey(Schema):
    """A public key, as a JWK (RFC 7517)."""

    id = fields.UUID()
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    jwk = fields.Dict()


class KeyField(fields.Field[Any]):
    """A public key as it was sent: PEM as a text, or a JWK as an object."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, str | dict):
            raise ValidationError("A key is a PEM text or a JWK.")
        return value


class KeyInput(Strict):
    """A public key to register."""

    key = KeyField(required=True, metadata={"description": "A public key: PEM as a text, or a JWK as an object."})


class Client(Schema):
    """An OAuth client; one whose owner is suspended, or was, is not active and opens nothing."""

    id = fields.UUID(attribute="view.id")
    name = fields.String(attribute="view.name")
    active = fields.Boolean(attribute="view.stands")
    ownerId = fields.UUID(attribute="view.member_id", allow_none=True)  # noqa: N815 - the API's case
    tokenLifetime = fields.Function(  # noqa: N815 - the API's case
        lambda shown: _seconds(shown["view"].token_lifetime),
        metadata={"description": "How many seconds access tokens live; null for the service's setting."},
    )
    createdAt = fields.AwareDateTime(attribute="view.created_at")  # noqa: N815 - the API's case
    secrets = fields.List(fields.Nested(Secret))
    keys = fields.List(fields.Nested(PublicKey))
    permissions = fields.List(fields.Nested(Permission))


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


class ClientSummary(Schema):
    """An OAuth client in a list."""

    id = fields.UUID()
    name = fields.String()
    active = fields.Boolean(attribute="stands")
    ownerId = fields.UUID(attribute="member_id", allow_none=True)  # noqa: N815 - the API's case
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case


class ClientInput(Strict):
    """A new client. With a public key it gets no secret; without one it gets one, shown this once."""

    name = fields.String(required=True)
    owner_id = fields.UUID(data_key="ownerId", load_default=None, allow_none=True)
    token_lifetime = fields.Integer(
        data_key="tokenLifetime",
        load_default=None,
        allow_none=True,
        validate=validate.Range(60, 30 * 86400),
        metadata={"description": "How many seconds its access tokens live."},
    )
    permissions = fields.List(fields.Nested(PermissionInput), load_default=list, validate=validate.Length(max=200))
    key = KeyField(load_default=None, metadata={"description": "A public key: PEM as a text, or a JWK as an object."})
