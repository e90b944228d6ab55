"""`/api/mappings`: rules that give roles to whom the identity provider puts into a group, or says something of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from marshmallow import fields

from provisioning.access import dormant, mappings, proposals
from provisioning.access.drafts import Rule
from provisioning.access.mappings import MappingView
from provisioning.access.policies import Giver, Terms
from provisioning.database import Connection, reading
from provisioning.refusals import Invalid
from provisioning.web.admin import access_schemas, schemas, versions
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.admin.dry_run import changing, is_preview, previewable
from provisioning.web.admin.giving import giver
from provisioning.web.admin.paging import Pagination, ShortQuery, resume
from provisioning.web.admin.repeats import repeatable
from provisioning.web.admin.versions import versioned
from provisioning.web.guard import actor, by_token, token

blueprint = Blueprint("mappings", __name__, url_prefix="/api/mappings", description="Mappings from groups to roles.")
_ONE = schemas.data("Mapping", mapping=fields.Nested(access_schemas.Mapping))
_ALL = schemas.data("Mappings", mappings=fields.List(fields.Nested(access_schemas.Mapping)))
_SOME = schemas.data(
    "MappingsPage",
    mappings=fields.List(fields.Nested(access_schemas.Mapping)),
    pagination=fields.Nested(Pagination),
)
_RULES = ("group", "condition", "pattern")


@blueprint.get("")
@by_token("mapping.read")
@blueprint.arguments(ShortQuery, location="query")
@blueprint.response(200, _SOME)
def every(query: dict[str, Any]) -> Any:
    """The workspace's mappings in their order: all of them, unless pages are asked for."""
    with reading() as connection:
        every_one = mappings.every(connection, workspace_id=token().workspace_id)
        found = _told(connection, every_one)
    return resume(query).cut("mappings", found)


@blueprint.post("")
@by_token("mapping.create")
@repeatable
@blueprint.arguments(access_schemas.MappingInput)
@blueprint.response(201, _ONE)
@previewable(blueprint)
def create(sent: dict[str, Any]) -> Any:
    """Write a mapping; it counts at once. One that would give ownership is off, and waits for a second word."""
    with changing() as connection:
        rule = _rule(connection, sent)
        if rule is None:
            raise Invalid("Say whom it means: by a group, a condition or a pattern.", field="condition")
        by = giver(connection)
        made = proposals.create(
            connection,
            workspace_id=token().workspace_id,
            name=sent.get("name") or sent.get("group", ""),
            rule=rule,
            terms=_terms(sent) or [],
            giver=by,
        )
        _foresee(connection, made, by)
    return {"data": {"mapping": made}}


def _foresee(connection: Connection, mapping: MappingView, by: Giver) -> None:
    """A preview shows what a change would do once it is confirmed."""
    if is_preview():
        proposals.foresee(connection, workspace_id=token().workspace_id, mapping=mapping, giver=by)


def _told(connection: Connection, found: Sequence[MappingView]) -> list[MappingView]:
    """Mappings with what waits, and what those that are dormant have lost."""
    here = {"workspace_id": token().workspace_id}
    return dormant.told(connection, found=proposals.told(connection, found=found, **here), **here)


@blueprint.get("/<uuid:mapping_id>")
@by_token("mapping.read")
@blueprint.response(200, _ONE)
def read(mapping_id: UUID) -> Any:
    """One mapping."""
    with reading() as connection:
        one = mappings.by_id(connection, workspace_id=token().workspace_id, mapping_id=mapping_id)
        (found,) = _told(connection, [one])
    return _shown(found)


@blueprint.patch("/<uuid:mapping_id>")
@by_token("mapping.update")
@blueprint.arguments(access_schemas.MappingChange)
@blueprint.response(200, _ONE)
@blueprint.alt_response(202, schema=_ONE, description="It would give ownership, and waits for a second word.")
@previewable(blueprint)
@versioned
def change(sent: dict[str, Any], mapping_id: UUID) -> Any:
    """Change a mapping, or switch it on or off; what it gives follows at once.

    What would give ownership waits, all of it, and the mapping stays as it is: `waitingProposalId` names what waits.
    """
    with changing() as connection:
        _require_seen(connection, mapping_id)
        before = mappings.by_id(connection, workspace_id=token().workspace_id, mapping_id=mapping_id)
        by = giver(connection)
        changed = proposals.change(
            connection,
            workspace_id=token().workspace_id,
            mapping_id=mapping_id,
            name=sent.get("name"),
            rule=_rule(connection, sent, about=before.rule.resource_type),
            enabled=sent.get("enabled"),
            terms=_terms(sent),
            giver=by,
        )
        _foresee(connection, changed, by)
    return _written(changed)


def _written(mapping: MappingView) -> Any:
    answer, headers = _shown(mapping)
    return answer, 200 if mapping.waiting is None else 202, headers


def _shown(mapping: MappingView) -> Any:
    return versions.with_tag({"data": {"mapping": mapping}}, _tag(mapping))


def _tag(mapping: MappingView) -> str:
    ordered = tuple(sorted(mapping.policies, key=lambda policy: policy.id))
    return versions.tag(replace(mapping, lost=None, waiting=None, policies=ordered))


def _require_seen(connection: Connection, mapping_id: UUID) -> None:
    """Hold a mapping that is about to be changed, where the client says which version it has seen."""
    where = {"workspace_id": token().workspace_id, "mapping_id": mapping_id}
    versions.require_match(lambda: _tag(mappings.lock(connection, **where)))


@blueprint.delete("/<uuid:mapping_id>")
@by_token("mapping.delete")
@blueprint.response(200, schemas.DONE)
@previewable(blueprint)
@versioned
def delete(mapping_id: UUID) -> Any:
    """Take a mapping away; what it gave is gone at once."""
    with changing() as connection:
        _require_seen(connection, mapping_id)
        mappings.remove(connection, workspace_id=token().workspace_id, mapping_id=mapping_id, by=actor())
    return schemas.SUCCESS


@blueprint.post("/<uuid:mapping_id>/rebind")
@by_token("mapping.update")
@repeatable
@blueprint.response(200, _ONE)
@blueprint.alt_response(202, schema=_ONE, description="It would give ownership, and waits for a second word.")
@previewable(blueprint)
@versioned
def rebind(mapping_id: UUID) -> Any:
    """Bind a dormant mapping to the group that its connection pushes again under the same externalId."""
    with changing() as connection:
        _require_seen(connection, mapping_id)
        by = giver(connection)
        bound = dormant.rebind(connection, workspace_id=token().workspace_id, mapping_id=mapping_id, giver=by)
        _foresee(connection, bound, by)
    return _written(bound)


@blueprint.put("/order")
@by_token("mapping.update")
@blueprint.arguments(access_schemas.MappingOrder)
@blueprint.response(200, _ALL)
def order(sent: dict[str, Any]) -> Any:
    """Put the mappings into another order; access is the same in any."""
    workspace_id = token().workspace_id
    with changing() as connection:
        mappings.put_in_order(connection, workspace_id=workspace_id, ids=sent["mappings"], by=actor())
        return {"data": {"mappings": _told(connection, mappings.every(connection, workspace_id=workspace_id))}}


def _rule(connection: Connection, sent: dict[str, Any], *, about: str = "Group") -> Rule | None:
    """Whom the mapping is to mean; None where nothing is said of it.

    Args:
        connection: to look up a group with.
        sent: the request.
        about: what a condition is asked of where the request doesn't say.
    """
    named = [name for name in _RULES if name in sent]
    if len(named) > 1:
        raise Invalid("Give one of a group, a condition and a pattern.", field="condition")
    if not named and "about" in sent:
        raise Invalid("Give the condition along with what it is about.", field="about")
    if not named:
        return None
    if "group" in sent:
        workspace_id = token().workspace_id
        return Rule("Group", mappings.condition_for_group(connection, workspace_id=workspace_id, group=sent["group"]))
    if "pattern" in sent:
        return Rule(sent.get("about", "Group"), pattern=sent["pattern"])
    return Rule(sent.get("about", about), sent["condition"])


def _terms(sent: dict[str, Any]) -> list[Terms] | None:
    """The policies that the mapping is to give; None where nothing is said of them."""
    short: dict[str, Any] = {name: sent[name] for name in ("role", "labels", "resources") if name in sent}
    if short and ("policies" in sent or "role" not in sent):
        raise Invalid("Give either policies, or one role with labels or resources.", field="role")
    asked: list[dict[str, Any]] | None = [short] if short else sent.get("policies")
    if asked is None:
        return None
    return [
        Terms(
            one["role"],
            tuple(one.get("labels", ())),
            tuple(one.get("resources", ())),
            one.get("ends_at"),
            one.get("reason"),
        )
        for one in asked
    ]
