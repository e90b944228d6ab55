"""What goes in and out of the admin API about people and groups, in the vendor's shapes."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from provisioning.web.admin.access_schemas import Permission, PermissionInput
from provisioning.web.admin.schemas import Strict

_MOST = 1000
_WRITTEN = fields.String(validate=validate.Length(min=1))


class User(Schema):
    """A team member, with their own permissions: not those that groups and mappings give."""

    id = fields.UUID()
    name = fields.String()
    email = fields.String()
    permissions = fields.List(fields.Nested(Permission))
    active = fields.Boolean()
    owner = fields.Boolean()
    protected = fields.Boolean()
    origin = fields.String()


class UserChange(Strict):
    """What is to be set of a member; `protected` puts them out of the identity providers' reach."""

    protected = fields.Boolean(required=True)


class UserIds(Schema):
    """Which members are meant."""

    userIds = fields.List(_WRITTEN, required=True, validate=validate.Length(1, 200))  # noqa: N815 - the vendor's


class MinimalUser(Schema):
    """A member of a group."""

    id = fields.UUID()
    name = fields.String(attribute="display_name")
    email = fields.String()


class MinimalGroup(Schema):
    """A group that somebody is in."""

    id = fields.UUID()
    name = fields.String(attribute="display_name")


class Group(Schema):
    """A user group; a linked one is pushed by an identity provider."""

    id = fields.UUID()
    name = fields.String()
    memberCount = fields.Integer()  # noqa: N815 - the vendor's name
    permissions = fields.List(fields.Nested(Permission))
    linked = fields.Boolean()


class GroupInput(Strict):
    """What a local group is to be called."""

    name = fields.String(required=True)


class Emails(Strict):
    """Members and people who are invited, by their addresses."""

    emails = fields.List(fields.String(), required=True, validate=validate.Length(max=_MOST))


class EmailsQuery(Schema):
    """Members and people who are invited, by their addresses."""

    emails = fields.List(_WRITTEN, required=True, validate=validate.Length(1, _MOST))


class InviteInput(Strict):
    """Somebody to invite, with the permissions and local groups (by id) that they are going to have."""

    email = fields.String(required=True)
    permissions = fields.List(
        fields.Nested(PermissionInput), load_default=None, allow_none=True, validate=validate.Length(max=200)
    )
    groups = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=200))


class InvitesInput(Strict):
    """People to invite."""

    invites = fields.List(fields.Nested(InviteInput), required=True, validate=validate.Length(1, 200))


class Invitation(Schema):
    """Somebody who is invited: what they are going to have, who invited them, and what became of the letter.

    `state` is `pending` or `expired`; `delivery` is `waiting`, `sent`, or `refused` by the mail server for good.
    """

    id = fields.UUID(attribute="invitation.id")
    email = fields.String(attribute="invitation.email")
    state = fields.String(attribute="invitation.state")
    owner = fields.Boolean(attribute="invitation.owner")
    permissions = fields.List(fields.Nested(Permission))
    groups = fields.List(fields.Nested(MinimalGroup), attribute="invitation.groups")
    inviter = fields.String(attribute="invitation.inviter")
    delivery = fields.String(attribute="invitation.delivery")
    sentAt = fields.AwareDateTime(attribute="invitation.sent_at", allow_none=True)  # noqa: N815 - the API's case
    createdAt = fields.AwareDateTime(attribute="invitation.created_at")  # noqa: N815 - the API's case
    expiresAt = fields.AwareDateTime(attribute="invitation.expires_at")  # noqa: N815 - the API's case
