"""What goes in and out of the admin API about access: roles, labels, resources, permissions, policies, mappings."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from provisioning.web.admin.schemas import Strict

_LONGEST = 500
_LABELS = {"description": "`key:value` each; what carries all of them is covered."}
_RESOURCES = {"description": "`type:id` each; neither labels nor resources: all, later ones too."}


class Label(Schema):
    """A `key:value`."""

    key = fields.String()
    value = fields.String()
    description = fields.String(allow_none=True)


class LabelPart(Strict):
    """A label that is meant; the description is the label's own, and not looked at."""

    key = fields.String(required=True)
    value = fields.String(required=True)
    description = fields.String(allow_none=True, load_default=None, validate=validate.Length(max=_LONGEST))


class LabelInput(Strict):
    """A new label."""

    label = fields.Nested(LabelPart, required=True)


class LabelChange(Strict):
    """What a label is to be called; its resources and policies go along."""

    key = fields.String(required=True)
    value = fields.String(required=True)


class Role(Schema):
    """A role of the catalogue, or of the workspace's own."""

    id = fields.String(attribute="key")
    name = fields.String()
    description = fields.String()
    actions = fields.Function(lambda role: sorted(role.actions))
    resourceTypes = fields.Function(lambda role: sorted(role.resource_types))  # noqa: N815 - the API's case
    scopes = fields.Function(lambda role: sorted(role.scopes))
    builtIn = fields.Boolean(attribute="built_in")  # noqa: N815 - the API's case


class RoleInput(Strict):
    """A role of the workspace's own, composed of actions."""

    key = fields.String(data_key="id", required=True)
    name = fields.String(required=True)
    description = fields.String(load_default="")
    actions = fields.List(fields.String(), required=True, validate=validate.Length(1, 200))


class RoleChange(Strict):
    """What is to be changed of a role; what is left out stays as it is."""

    name = fields.String()
    description = fields.String()
    actions = fields.List(fields.String(), validate=validate.Length(1, 200))


class Resource(Schema):
    """A resource, with its labels as `key:value`."""

    type = fields.String()
    id = fields.String()
    name = fields.String()
    labels = fields.List(fields.String())


class ResourceInput(Strict):
    """A resource to register; labels replace those that it had, and are left alone where none are given."""

    type = fields.String(required=True)
    id = fields.String(required=True)
    name = fields.String(required=True)
    labels = fields.List(fields.String(), load_default=None, allow_none=True)


class ResourcesInput(Strict):
    """Resources to register, all of them or none."""

    resources = fields.List(fields.Nested(ResourceInput), required=True, validate=validate.Length(1, 1000))


class ResourceQuery(Schema):
    """Which resources are wanted."""

    type = fields.String(load_default=None)


class ResourceIds(Strict):
    """Resources that are meant, as `type:id`."""

    resources = fields.List(fields.String(), required=True, validate=validate.Length(1, 1000))


class LabelsInput(Strict):
    """Labels, as `key:value`."""

    labels = fields.List(fields.String(), required=True, validate=validate.Length(max=200))


class BulkLabelsInput(ResourceIds):
    """Labels for several resources."""

    labels = fields.List(fields.String(), required=True, validate=validate.Length(1, 200))


class ResourceLabels(Schema):
    """A resource as `type:id`, with the labels that it carries."""

    resource = fields.String()
    labels = fields.List(fields.String())


class PermissionResource(Schema):
    """What a permission is about; `WORKSPACE` means everything of the role's kinds, or what carries all the labels."""

    id = fields.String()
    type = fields.String()
    labels = fields.List(fields.Nested(Label))


class Permission(Schema):
    """A role that somebody has, on what, until when and why.

    `resources` names the types that the vendor's API knows; `moreResources` has those of others.
    """

    roleId = fields.String()  # noqa: N815 - the vendor's name
    roleName = fields.String()  # noqa: N815 - the vendor's name
    resources = fields.List(fields.Nested(PermissionResource))
    moreResources = fields.List(fields.Nested(PermissionResource))  # noqa: N815 - the API's case
    labels = fields.List(fields.Nested(Label))
    policyId = fields.String()  # noqa: N815 - the vendor's name
    subjectId = fields.String()  # noqa: N815 - the vendor's name
    subjectType = fields.String()  # noqa: N815 - the vendor's name
    endsAt = fields.AwareDateTime()  # noqa: N815 - the API's case
    reason = fields.String()


class PermissionResourceInput(Strict):
    """A resource; labels go with `WORKSPACE` alone."""

    id = fields.String(load_default="")
    type = fields.String(required=True)
    labels = fields.List(fields.Nested(LabelPart), load_default=list)


class PermissionInput(Strict):
    """A role to give, and on what."""

    role = fields.String(data_key="roleId", required=True)
    resources = fields.List(
        fields.Nested(PermissionResourceInput), load_default=list, validate=validate.Length(max=200)
    )
    labels = fields.List(fields.Nested(LabelPart), load_default=list)
    ends_at = fields.AwareDateTime(data_key="endsAt", load_default=None, allow_none=True)
    reason = fields.String(load_default=None, allow_none=True)


class PermissionsInput(Strict):
    """Roles to give."""

    permissions = fields.List(fields.Nested(PermissionInput), required=True, validate=validate.Length(max=200))


class PolicyInput(Strict):
    """One role and what it covers, in this API's short form."""

    role = fields.String(required=True)
    labels = fields.List(fields.String(), load_default=list, metadata=_LABELS)
    resources = fields.List(fields.String(), load_default=list, metadata=_RESOURCES)
    ends_at = fields.AwareDateTime(data_key="endsAt", load_default=None, allow_none=True)
    reason = fields.String(load_default=None, allow_none=True)


class Policy(Schema):
    """One role and what it covers: `all`, listed `resources` (`type:id`) or what carries all `labels` (`key:value`)."""

    id = fields.UUID()
    role = fields.String()
    scope = fields.Function(lambda policy: policy.scope.as_json())
    subject = fields.Function(lambda policy: str(policy.subject))
    endsAt = fields.AwareDateTime(attribute="ends_at", allow_none=True)  # noqa: N815 - the API's case
    reason = fields.String(allow_none=True)
    origin = fields.String()


class Access(Schema):
    """One line of effective access: a role on a scope, and every path to it."""

    role = fields.String(attribute="role.key")
    roleName = fields.String(attribute="role.name")  # noqa: N815 - the API's case
    scope = fields.Function(lambda line: line.scope.as_json())
    paths = fields.Function(lambda line: [path.as_json() for path in line.paths])


class Holder(Schema):
    """Somebody who may do something, and every path that leads there."""

    id = fields.UUID()
    name = fields.String()
    email = fields.String()
    paths = fields.List(fields.Dict())


class LostGroup(Schema):
    """A group that was pushed once: what it was called, by which externalId its connection knew it."""

    id = fields.UUID()
    name = fields.String(attribute="display_name")
    externalId = fields.String(attribute="external_id", allow_none=True)  # noqa: N815 - the protocol's case
    connection = fields.String()


class Mapping(Schema):
    """A mapping: whoever its rule means has what its policies give."""

    id = fields.UUID()
    name = fields.String()
    about = fields.String(attribute="rule.resource_type")
    condition = fields.String(attribute="rule.condition", allow_none=True)
    pattern = fields.String(attribute="rule.pattern", allow_none=True)
    policies = fields.List(fields.Nested(Policy))
    enabled = fields.Boolean()
    position = fields.Integer()
    state = fields.String(metadata={"description": "`active`, `disabled`, or `dormant`: its group is lost."})
    dormantSince = fields.AwareDateTime(attribute="lost.lost_at")  # noqa: N815 - the API's case
    lostGroup = fields.Nested(LostGroup, attribute="lost")  # noqa: N815 - the API's case
    ownersConfirmed = fields.Boolean(  # noqa: N815 - the API's case
        attribute="owners_confirmed",
        metadata={"description": "Whether two have said that it gives ownership; else that part counts for nothing."},
    )
    waitingProposalId = fields.UUID(  # noqa: N815 - the API's case
        attribute="waiting",
        allow_none=True,
        metadata={"description": "The change of it that waits for a second owner: `/api/mapping-proposals/{id}`."},
    )


class MappingRule(Strict):
    """Whom a mapping means: one pushed `group`, a SCIM filter as `condition`, or a `pattern` of groups' names."""

    name = fields.String(validate=validate.Length(max=200))
    group = fields.String(validate=validate.Length(min=1, max=2000))
    condition = fields.String(validate=validate.Length(min=1, max=8192))
    pattern = fields.String(validate=validate.Length(min=1, max=256))
    about = fields.String(
        validate=validate.OneOf(["Group", "User"]),
        metadata={"description": "What a condition is asked of; a Group where a new mapping doesn't say."},
    )


class MappingInput(MappingRule):
    """A new mapping; one policy may stand in it directly, as `role`, `labels` and `resources`."""

    policies = fields.List(fields.Nested(PolicyInput), validate=validate.Length(max=200))
    role = fields.String()
    labels = fields.List(fields.String(), metadata=_LABELS)
    resources = fields.List(fields.String(), metadata=_RESOURCES)


class MappingChange(MappingInput):
    """What is to be changed of a mapping; what is left out stays as it is."""

    enabled = fields.Boolean()


class MappingOrder(Strict):
    """All of the workspace's mappings in the order that they are to have."""

    mappings = fields.List(fields.UUID(), required=True)
