"""What goes in and out of the admin API about API tokens. Lengths of time are whole seconds."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

from provisioning.web.admin.access_schemas import Permission, PermissionInput
from provisioning.web.admin.schemas import Strict

_MOST_PERMISSIONS, _MOST_RANGES, _LONGEST_TEXT = 200, 100, 4096
_SECONDS = validate.Range(0, 2**31 - 1)
_LIFETIME = {"description": "How many seconds it lives from now on.", "example": 7_776_000}
_RANGES = {"description": "CIDR blocks that it may be used from; none: from anywhere.", "example": ["192.0.2.0/24"]}


class ApiToken(Schema):
    """An API token: everything but its secrets."""

    id = fields.UUID()
    name = fields.String()
    ownerId = fields.UUID(attribute="member_id", allow_none=True)  # noqa: N815 - the API's case
    parentId = fields.UUID(attribute="parent_id", allow_none=True)  # noqa: N815 - the API's case
    permissions = fields.List(fields.Nested(Permission))
    addressRanges = fields.List(fields.String(), attribute="ranges", metadata=_RANGES)  # noqa: N815 - the API's case
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    expiresAt = fields.AwareDateTime(attribute="expires_at")  # noqa: N815 - the API's case
    lastUsedAt = fields.AwareDateTime(attribute="last_used_at", allow_none=True)  # noqa: N815 - the API's case
    lastUsedFrom = fields.String(attribute="last_used_from", allow_none=True)  # noqa: N815 - the API's case
    endedAt = fields.AwareDateTime(attribute="ended_at", allow_none=True)  # noqa: N815 - the API's case
    endedReason = fields.String(attribute="ended_reason", allow_none=True)  # noqa: N815 - the API's case


class NewApiToken(ApiToken):
    """A token with its new secret, which is shown this once."""

    secret = fields.String()


class _Changeable(Strict):
    permissions = fields.List(fields.Nested(PermissionInput), validate=validate.Length(max=_MOST_PERMISSIONS))
    address_ranges = fields.List(
        fields.String(), data_key="addressRanges", validate=validate.Length(max=_MOST_RANGES), metadata=_RANGES
    )


class ApiTokenInput(_Changeable):
    """A token to make."""

    name = fields.String(required=True, metadata={"description": "What it is for."})
    expires_in = fields.Integer(data_key="expiresIn", strict=True, validate=_SECONDS, metadata=_LIFETIME)
    owner_id = fields.UUID(
        data_key="ownerId", metadata={"description": "The member who answers for it; else whoever makes it."}
    )


class ApiTokenChange(_Changeable):
    """What is to be changed of a token; what is left out stays as it is."""

    name = fields.String()


class Rotation(Strict):
    """How a token is to get its new secret."""

    overlap = fields.Integer(
        strict=True,
        validate=_SECONDS,
        metadata={"description": "How many seconds the secrets in use stay valid: a day if not said, a week at most."},
    )
    expires_in = fields.Integer(data_key="expiresIn", strict=True, validate=_SECONDS, metadata=_LIFETIME)


class TokenLimits(Schema):
    """How long tokens live: for which nothing is said, at the most in this workspace, and at the most anywhere."""

    standardLifetime = fields.Integer(attribute="standard")  # noqa: N815 - the API's case
    longestLifetime = fields.Integer(attribute="own", allow_none=True)  # noqa: N815 - the API's case
    longestOfService = fields.Integer(attribute="longest")  # noqa: N815 - the API's case


class TokenLimitsInput(Strict):
    """How long tokens may live in this workspace; null: as long as the service allows."""

    longest = fields.Integer(data_key="longestLifetime", strict=True, required=True, allow_none=True, validate=_SECONDS)


class Leak(Schema):
    """Something that looks like a secret and was found somewhere, as secret scanners report it."""

    class Meta:
        """What else a scanner tells is not looked at."""

        unknown = EXCLUDE

    token = fields.String(required=True, validate=validate.Length(1, 512))
    type = fields.String(load_default="", validate=validate.Length(max=200))
    url = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=_LONGEST_TEXT))
    source = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


class LeakAnswer(Schema):
    """What became of one report: `true_positive` where it was a secret of ours. The secret is named by its hash."""

    token_hash = fields.String(metadata={"description": "SHA-256 of the text, in base64."})
    token_type = fields.String()
    label = fields.String(validate=validate.OneOf(["true_positive", "false_positive"]))
