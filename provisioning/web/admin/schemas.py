"""What goes in and out of the admin API. Input is refused where it holds anything unknown."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate


class Strict(Schema):
    """Input: what is not named here is refused."""

    class Meta:
        """Marshmallow's switch for it."""

        unknown = RAISE


def data(name: str, **members: fields.Field[Any]) -> Schema:
    """An answer: what was asked for, in the envelope `data`. The name is what the OpenAPI document calls it."""
    inside = Schema.from_dict(members, name=f"{name}Data")
    return Schema.from_dict({"data": fields.Nested(inside)}, name=f"{name}Answer")()


DONE = data("Done", status=fields.String())
SUCCESS = {"data": {"status": "SUCCESS"}}


class Workspace(Schema):
    """A workspace."""

    id = fields.UUID()
    slug = fields.String()
    name = fields.String()
    hipaaEligible = fields.Boolean(attribute="hipaa_eligible")  # noqa: N815 - the API's case


class Credential(Schema):
    """A bearer credential of a connection: everything but its text."""

    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    expiresAt = fields.AwareDateTime(attribute="expires_at", allow_none=True)  # noqa: N815 - the API's case
    lastUsedAt = fields.AwareDateTime(attribute="last_used_at", allow_none=True)  # noqa: N815 - the API's case
    lastUsedFrom = fields.String(attribute="last_used_from", allow_none=True)  # noqa: N815 - the API's case


class Connection(Schema):
    """One identity provider's link to the workspace."""

    id = fields.UUID()
    name = fields.String()
    dialect = fields.String()
    learnedDialect = fields.String(attribute="learned_dialect")  # noqa: N815 - the API's case
    paused = fields.Function(lambda connection: connection.paused_at is not None)
    dryRun = fields.Boolean(attribute="dry_run")  # noqa: N815 - the API's case
    awaitsMembers = fields.Boolean(attribute="awaits_members")  # noqa: N815 - the API's case
    requestsPerMinute = fields.Integer(attribute="requests_per_minute")  # noqa: N815 - the API's case
    alarmPercent = fields.Integer(attribute="alarm_percent")  # noqa: N815 - the API's case
    holdsMassChanges = fields.Boolean(attribute="holds_mass_changes")  # noqa: N815 - the API's case
    createdAt = fields.DateTime(attribute="created_at")  # noqa: N815 - the API's case


class ConnectionInput(Strict):
    """A new link to an identity provider."""

    name = fields.String(required=True)
    dialect = fields.String(required=True)


class CredentialRotation(Strict):
    """How a connection is to get its new token."""

    overlap = fields.Integer(
        strict=True,
        load_default=86_400,
        validate=validate.Range(0, 7 * 86_400),
        metadata={"description": "How many seconds the tokens in use stay valid: a day if not said, a week at most."},
    )


class ConnectionSettings(Strict):
    """What is to be set of a connection; what is left out stays as it is."""

    dialect = fields.String()
    paused = fields.Boolean()
    dry_run = fields.Boolean(data_key="dryRun")
    awaits_members = fields.Boolean(data_key="awaitsMembers")
    requests_per_minute = fields.Integer(data_key="requestsPerMinute")
    alarm_percent = fields.Integer(data_key="alarmPercent")
    holds_mass_changes = fields.Boolean(data_key="holdsMassChanges")


class HeldChange(Schema):
    """Something that waits for somebody to look at it: `suspend` or `remove` a user, or `take_out` of a group."""

    id = fields.UUID()
    kind = fields.String()
    userId = fields.UUID(attribute="member_id")  # noqa: N815 - the API's case
    groupId = fields.UUID(attribute="group_id")  # noqa: N815 - the API's case
    createdAt = fields.DateTime(attribute="created_at")  # noqa: N815 - the API's case


class Confirmation(Strict):
    """Whether what waits is to be done, or dropped."""

    confirmed = fields.Boolean(required=True)


class Denial(Strict):
    """Why not."""

    reason = fields.String(load_default=None, allow_none=True)


class ConnectionCheck(Schema):
    """How far a connection has come; what has not happened yet is null."""

    credentialSeen = fields.DateTime(attribute="credential_seen")  # noqa: N815 - the API's case
    firstUser = fields.DateTime(attribute="first_user")  # noqa: N815 - the API's case
    firstGroup = fields.DateTime(attribute="first_group")  # noqa: N815 - the API's case
    lastActivity = fields.DateTime(attribute="last_activity")  # noqa: N815 - the API's case
    requestsInADay = fields.Integer(attribute="requests_in_a_day")  # noqa: N815 - the API's case
    errorsInADay = fields.Integer(attribute="errors_in_a_day")  # noqa: N815 - the API's case
    lastError = fields.String(attribute="last_error")  # noqa: N815 - the API's case
    advice = fields.List(fields.String())


class LogQuery(Strict):
    """Which entries of a connection's log are wanted."""

    errors = fields.Boolean(load_default=False)
    words = fields.String(data_key="search", load_default=None, validate=validate.Length(max=200))
    before = fields.UUID(load_default=None)
    count = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class LogEntry(Schema):
    """One request of a connection; `changes` holds what each attribute was and is."""

    id = fields.UUID()
    at = fields.DateTime()
    method = fields.String()
    path = fields.String()
    filter = fields.String()
    status = fields.Integer()
    scimType = fields.String(attribute="scim_type")  # noqa: N815 - the protocol's case
    detail = fields.String()
    resourceType = fields.String(attribute="resource_type")  # noqa: N815 - the protocol's case
    resourceId = fields.String(attribute="resource_id")  # noqa: N815 - the protocol's case
    changes = fields.Dict()
    notes = fields.List(fields.String())
    milliseconds = fields.Integer()
    requestId = fields.String(attribute="request_id")  # noqa: N815 - the API's case


class SchemaExtension(Schema):
    """A schema extension of the workspace's own; `definition` is a Schema as in RFC 7643, section 7."""

    resourceType = fields.String(attribute="resource_type")  # noqa: N815 - the protocol's case
    definition = fields.Dict()


class SchemaExtensionInput(Strict):
    """A new extension."""

    resource_type = fields.String(
        data_key="resourceType", load_default="User", validate=validate.OneOf(["User", "Group"])
    )
    definition = fields.Dict(required=True)


class SchemaExtensionChange(Strict):
    """A new definition of an extension."""

    definition = fields.Dict(required=True)


class Session(Schema):
    """A session as it is judged at this moment."""

    id = fields.UUID()
    email = fields.String(allow_none=True)
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    lastSeenAt = fields.AwareDateTime(attribute="last_seen_at")  # noqa: N815 - the API's case
    active = fields.Boolean(attribute="verdict.active")
    reason = fields.String(attribute="verdict.reason", allow_none=True)
    policy = fields.String(attribute="verdict.policy")
    expiresAt = fields.AwareDateTime(attribute="verdict.expires_at")  # noqa: N815 - the API's case
    workspace = fields.String(attribute="verdict.workspace", allow_none=True)
    address = fields.String(attribute="sign_in.address", allow_none=True)
    userAgent = fields.String(attribute="sign_in.user_agent", allow_none=True)  # noqa: N815 - the API's case
    authenticatedAt = fields.AwareDateTime(attribute="sign_in.authenticated_at")  # noqa: N815 - the API's case
    connectionId = fields.UUID(attribute="sign_in.connection_id", allow_none=True)  # noqa: N815 - the API's case
    acr = fields.String(attribute="sign_in.acr", allow_none=True)
    amr = fields.List(fields.String(), attribute="sign_in.amr")


class SessionLimits(Schema):
    """How long sessions of the workspace's members may live, in seconds; null stands for the service's limit."""

    idleSeconds = fields.Integer(attribute="idle", allow_none=True)  # noqa: N815 - the API's case
    absoluteSeconds = fields.Integer(attribute="absolute", allow_none=True)  # noqa: N815 - the API's case


_SECONDS = validate.Range(1, 10**9)


class SessionLimitsInput(Strict):
    """The new limits, both of them."""

    idle = fields.Integer(data_key="idleSeconds", required=True, allow_none=True, strict=True, validate=_SECONDS)
    absolute = fields.Integer(
        data_key="absoluteSeconds", required=True, allow_none=True, strict=True, validate=_SECONDS
    )


class SessionInput(Strict):
    """Whose session is to begin, and where the person is, if the application knows."""

    email = fields.String(required=True, validate=validate.Length(max=320))
    address = fields.IP(load_default=None)
    userAgent = fields.String(load_default=None, validate=validate.Length(max=512))  # noqa: N815 - the API's case


class NewSession(Schema):
    """A session that has just begun; its token is shown this once."""

    id = fields.UUID()
    token = fields.String()
    policy = fields.String()
    createdAt = fields.AwareDateTime(attribute="created_at")  # noqa: N815 - the API's case
    expiresAt = fields.AwareDateTime(attribute="expires_at")  # noqa: N815 - the API's case


class TokenInput(Strict):
    """The token of the session in question."""

    token = fields.String(required=True, validate=validate.Length(max=500))


class Verdict(Schema):
    """Whether a session lives, until when if nothing happens, and if not, why."""

    active = fields.Boolean()
    reason = fields.String(allow_none=True)
    policy = fields.String(allow_none=True)
    expiresAt = fields.AwareDateTime(attribute="expires_at", allow_none=True)  # noqa: N815 - the API's case
    workspace = fields.String(allow_none=True)
