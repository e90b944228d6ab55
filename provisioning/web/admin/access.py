"""`/api/roles`, `/api/labels`, `/api/policies` and `/api/access`: what access is made of, and who can do what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from provisioning.access import custom_roles, holders, labels, policies, resources
from provisioning.access.roles import Role
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.refusals import NotFound
from provisioning.web import exports
from provisioning.web.admin import access_schemas, schemas, versions
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing, previewable
from provisioning.web.admin.paging import PageQuery, Pagination, ShortQuery, resume
from provisioning.web.admin.recorded import recorded
from provisioning.web.admin.repeats import repeatable
from provisioning.web.admin.versions import versioned
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("access", __name__, url_prefix="/api", description="Roles, labels, policies, access.")
_ROLE = schemas.data("Role", role=fields.Nested(access_schemas.Role))
_LABEL = schemas.data("Label", label=fields.Nested(access_schemas.Label))


@blueprint.get("/roles")
@by_token("role.read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(
    200,
    schemas.data("Roles", roles=fields.List(fields.Nested(access_schemas.Role)), pagination=fields.Nested(Pagination)),
)
def roles(query: dict[str, Any]) -> Any:
    """The roles that there are: the built-in ones and the workspace's own."""
    with reading() as connection:
        found = custom_roles.of_workspace(connection, workspace_id=token().workspace_id, catalogue=context().catalogue)
    return resume(query).cut("roles", list(found))


@blueprint.get("/actions")
@by_token("role.read")
@blueprint.response(200, schemas.data("Actions", actions=fields.List(fields.String())))
def actions() -> Any:
    """The actions that a workspace's own roles can be composed of."""
    return {"data": {"actions": sorted(context().catalogue.composable)}}


@blueprint.post("/roles")
@by_token("role.create")
@repeatable
@blueprint.arguments(access_schemas.RoleInput)
@blueprint.response(201, _ROLE)
@previewable(blueprint)
def create_role(sent: dict[str, Any]) -> Any:
    """Add a role of the workspace's own."""
    with changing() as connection:
        made = custom_roles.create(
            connection, workspace_id=token().workspace_id, catalogue=context().catalogue, by=actor(), **sent
        )
    return {"data": {"role": made}}


@blueprint.get("/roles/<string:role_id>")
@by_token("role.read")
@blueprint.response(200, _ROLE)
def read_role(role_id: str) -> Any:
    """One role."""
    with reading() as connection:
        roles = custom_roles.of_workspace(connection, workspace_id=token().workspace_id, catalogue=context().catalogue)
    found = roles.get(role_id)
    if found is None:
        raise NotFound("There is no such role.")
    return _shown(found)


def _shown(role: Role) -> Any:
    return versions.with_tag({"data": {"role": role}}, versions.tag(role))


def _require_seen(connection: Connection, key: str) -> None:
    """Hold a role that is about to be changed, where the client says which version it has seen."""
    workspace_id, catalogue = token().workspace_id, context().catalogue
    versions.require_match(
        lambda: versions.tag(custom_roles.lock(connection, workspace_id=workspace_id, key=key, catalogue=catalogue))
    )


@blueprint.patch("/roles/<string:role_id>")
@by_token("role.update")
@blueprint.arguments(access_schemas.RoleChange)
@blueprint.response(200, _ROLE)
@previewable(blueprint)
@versioned
def change_role(sent: dict[str, Any], role_id: str) -> Any:
    """Change what a role of the workspace's own is called or allows; policies that give it follow at once."""
    with changing() as connection:
        _require_seen(connection, role_id)
        changed = custom_roles.change(
            connection,
            workspace_id=token().workspace_id,
            key=role_id,
            catalogue=context().catalogue,
            by=actor(),
            **sent,
        )
    return _shown(changed)


@blueprint.delete("/roles/<string:role_id>")
@by_token("role.delete")
@blueprint.response(200, schemas.DONE)
@versioned
def delete_role(role_id: str) -> Any:
    """Take a role of the workspace's own away that nobody has."""
    with changing() as connection:
        _require_seen(connection, role_id)
        custom_roles.remove(
            connection, workspace_id=token().workspace_id, key=role_id, catalogue=context().catalogue, by=actor()
        )
    return schemas.SUCCESS


@blueprint.get("/labels")
@by_token("label.read")
@blueprint.arguments(ShortQuery, location="query")
@blueprint.response(
    200,
    schemas.data(
        "Labels", labels=fields.List(fields.Nested(access_schemas.Label)), pagination=fields.Nested(Pagination)
    ),
)
def list_labels(query: dict[str, Any]) -> Any:
    """The workspace's labels: all of them, unless pages are asked for."""
    with reading() as connection:
        found = labels.every(connection, workspace_id=token().workspace_id)
    return resume(query).cut("labels", found)


@blueprint.post("/labels")
@by_token("label.create")
@repeatable
@blueprint.arguments(access_schemas.LabelInput)
@blueprint.response(201, _LABEL)
def create_label(sent: dict[str, Any]) -> Any:
    """Add a label."""
    wanted = sent["label"]
    with changing() as connection:
        made = labels.create(
            connection,
            workspace_id=token().workspace_id,
            label=f"{wanted['key']}:{wanted['value']}",
            description=wanted["description"],
            by=actor(),
        )
    return {"data": {"label": made}}


@blueprint.patch("/labels/<string:key>/<string:value>")
@by_token("label.update")
@blueprint.arguments(access_schemas.LabelChange)
@blueprint.response(200, _LABEL)
@previewable(blueprint)
def rename_label(sent: dict[str, str], key: str, value: str) -> Any:
    """Call a label otherwise; the resources that carry it and the policies that ask for it go along."""
    with changing() as connection:
        renamed = labels.rename(
            connection,
            workspace_id=token().workspace_id,
            label=f"{key}:{value}",
            to=f"{sent['key']}:{sent['value']}",
            by=actor(),
        )
    return {"data": {"label": renamed}}


@blueprint.delete("/labels/<string:key>/<string:value>")
@by_token("label.delete")
@blueprint.response(200, schemas.DONE)
def delete_label(key: str, value: str) -> Any:
    """Take a label away that nothing uses."""
    with changing() as connection:
        labels.remove(connection, workspace_id=token().workspace_id, label=f"{key}:{value}", by=actor())
    return schemas.SUCCESS


@blueprint.get("/policies/<uuid:policy_id>")
@by_token("policy.read")
@blueprint.response(200, schemas.data("Policy", policy=fields.Nested(access_schemas.Policy)))
def read_policy(policy_id: UUID) -> Any:
    """One policy."""
    with reading() as connection:
        found = policies.by_id(connection, workspace_id=token().workspace_id, policy_id=policy_id)
    return {"data": {"policy": found}}


@blueprint.delete("/policies/<uuid:policy_id>")
@by_token("policy.delete")
@blueprint.response(200, schemas.DONE)
@previewable(blueprint)
def delete_policy(policy_id: UUID) -> Any:
    """Take one policy away, whoever has it."""
    with changing() as connection:
        policies.remove(connection, workspace_id=token().workspace_id, policy_id=policy_id, by=actor())
    return schemas.SUCCESS


@blueprint.get("/access/export")
@by_token("access.read")
@recorded("access")
@blueprint.response(200, {"type": "string"}, content_type="text/csv")
def export_access() -> Response:
    """Everybody's roles with every path to each, as a table in CSV: a line a path."""
    return exports.access(token().workspace_id)


class _Question(PageQuery):
    action = fields.String(required=True)
    resource = fields.String(load_default=None, metadata={"description": "`type:id`; none: the workspace itself."})


@blueprint.get("/access/who-can")
@by_token("access.read")
@recorded("access")
@blueprint.arguments(_Question, location="query")
@blueprint.response(
    200,
    schemas.data(
        "Holders",
        users=fields.List(fields.Nested(access_schemas.Holder)),
        pagination=fields.Nested(Pagination),
    ),
)
def who_can(query: dict[str, Any]) -> Any:
    """Who may do something on a resource, and by which paths."""
    workspace_id, walk = token().workspace_id, resume(query)
    with reading() as connection:
        on = resources.asked_about(connection, workspace_id=workspace_id, written=query["resource"])
        found = holders.who_can(
            connection,
            workspace_id=workspace_id,
            action=query["action"],
            resource=on,
            catalogue=context().catalogue,
            window=walk.window(),
        )
    return walk.paged("users", found)
