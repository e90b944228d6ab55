"""What goes in and out of the admin API about people and groups, in the vendor's shapes."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from provisioning.web.admin.access_schemas import Permission
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
    """Members, by their addresses."""

    emails = fields.List(fields.String(), required=True, validate=validate.Length(max=_MOST))


class EmailsQuery(Schema):
    """Members, by their addresses."""

    emails = fields.List(_WRITTEN, required=True, validate=validate.Length(1, _MOST))
