"""`/api/resources`: what access is given to, told by the products that own it, and the labels that it carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from marshmallow import fields

from provisioning.access import resources
from provisioning.access.resources import Narrowing, Registration
from provisioning.access.rules import Reference, Resource
from provisioning.access.scopes import parse_reference
from provisioning.database import reading
from provisioning.web.admin import access_schemas, schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing, previewable
from provisioning.web.admin.paging import PageQuery, Pagination, resume
from provisioning.web.admin.repeats import repeatable
from provisioning.web.guard import actor, by_token, by_token_somewhere, require, token

blueprint = Blueprint("resources", __name__, url_prefix="/api/resources", description="Resources and their labels.")
_LABELLED = schemas.data("ResourceLabels", resources=fields.List(fields.Nested(access_schemas.ResourceLabels)))


class _Query(PageQuery, access_schemas.ResourceQuery):
    pass


@blueprint.get("")
@by_token("resource.read")
@blueprint.arguments(_Query, location="query")
@blueprint.response(
    200,
    schemas.data(
        "Resources",
        resources=fields.List(fields.Nested(access_schemas.Resource)),
        pagination=fields.Nested(Pagination),
    ),
)
def some(query: dict[str, Any]) -> Any:
    """The workspace's resources, by type and id."""
    walk = resume(query)
    with reading() as connection:
        found = resources.page(
            connection,
            workspace_id=token().workspace_id,
            narrowing=Narrowing(query["type"]),
            window=walk.window(str),
        )
    return walk.paged("resources", found)


@blueprint.put("")
@by_token("resource.register")
@blueprint.arguments(access_schemas.ResourcesInput)
@blueprint.response(200, schemas.DONE)
@previewable(blueprint)
def register(sent: dict[str, Any]) -> Any:
    """Register resources, or bring what is known of them up to date: all of them, or none."""
    told = [
        Registration(r["type"], r["id"], r["name"], None if r["labels"] is None else tuple(r["labels"]))
        for r in sent["resources"]
    ]
    with changing() as connection:
        resources.register(connection, workspace_id=token().workspace_id, resources=told, by=actor())
    return schemas.SUCCESS


@blueprint.delete("")
@by_token("resource.remove")
@blueprint.arguments(access_schemas.ResourceIds)
@blueprint.response(200, schemas.DONE)
@previewable(blueprint)
def remove(sent: dict[str, Any]) -> Any:
    """Take resources away, all of them or none; policies that list them list them no more."""
    gone = [parse_reference(written) for written in sent["resources"]]
    with changing() as connection:
        resources.remove(connection, workspace_id=token().workspace_id, resources=gone, by=actor())
    return schemas.SUCCESS


@blueprint.put("/<string:resource_type>/<path:resource_id>/labels")
@by_token_somewhere("source.label")
@blueprint.arguments(access_schemas.LabelsInput)
@blueprint.response(200, _LABELLED)
@previewable(blueprint)
def set_labels(sent: dict[str, Any], resource_type: str, resource_id: str) -> Any:
    """Give a resource these labels and no others; whoever edits the resource's own labels may do so."""
    return _label(resources.set_labels, [f"{resource_type}:{resource_id}"], sent["labels"])


@blueprint.post("/labels")
@by_token_somewhere("source.label")
@repeatable
@blueprint.arguments(access_schemas.BulkLabelsInput)
@blueprint.response(200, _LABELLED)
@previewable(blueprint)
def add_labels(sent: dict[str, Any]) -> Any:
    """Give resources more labels, all of them or none."""
    return _label(resources.add_labels, sent["resources"], sent["labels"])


@blueprint.delete("/labels")
@by_token_somewhere("source.label")
@blueprint.arguments(access_schemas.BulkLabelsInput)
@blueprint.response(200, _LABELLED)
@previewable(blueprint)
def remove_labels(sent: dict[str, Any]) -> Any:
    """Take labels off resources."""
    return _label(resources.remove_labels, sent["resources"], sent["labels"])


def _label(verb: Callable[..., Any], written: Sequence[str], labels: Sequence[str]) -> Any:
    workspace_id = token().workspace_id
    references = sorted({parse_reference(one) for one in written})
    with changing() as connection:
        carried = resources.labels_of(connection, workspace_id=workspace_id, resources=references)
        for reference in references:
            require(_labelling(reference), Resource(reference, frozenset(carried[reference])))
        after = verb(connection, workspace_id=workspace_id, resources=references, labels=labels, by=actor())
    shown = [{"resource": str(reference), "labels": found} for reference, found in sorted(after.items())]
    return {"data": {"resources": shown}}


def _labelling(reference: Reference) -> str:
    return f"{reference.type}.label"
