"""`/access/v1/...`: evaluations (sections 6 and 7), searches (section 8), and the metadata (section 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from provisioning.access import custom_roles, holders, resources, rules
from provisioning.access.scopes import parse_reference
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.directory.paging import Place, Window
from provisioning.refusals import Invalid
from provisioning.web.authzen import entities, judging
from provisioning.web.authzen.judging import USER, Where
from provisioning.web.authzen.pages import Walk, walk
from provisioning.web.guard import by_token, public, token

READ, EVALUATION = "access.read", "/access/v1/evaluation"
_MOST = 1000
_STOPS: Mapping[str, bool | None] = {
    "execute_all": None,
    "deny_on_first_deny": False,
    "permit_on_first_permit": True,
}
_PARTS = ("subject", "action", "resource", "context")
_SEARCHES = ("subject", "resource", "action")

blueprint = Blueprint("authzen", __name__)


@blueprint.after_request
def _echo(response: Response) -> Response:
    """Give the request's id back (section 10.1.3)."""
    given = request.headers.get("X-Request-ID")
    if given is not None:
        response.headers["X-Request-ID"] = given
    return response


@blueprint.get("/.well-known/authzen-configuration")
@public
def configuration() -> Response:
    """Where everything is (section 9)."""
    base = context().public_url.rstrip("/")
    at = f"{base}/access/v1"
    searches = {f"search_{name}_endpoint": f"{at}/search/{name}" for name in _SEARCHES}
    return jsonify(
        policy_decision_point=base,
        access_evaluation_endpoint=f"{at}/evaluation",
        access_evaluations_endpoint=f"{at}/evaluations",
        **searches,
    )


@blueprint.post(EVALUATION)
@by_token(READ)
def evaluation() -> Response:
    """One question."""
    with reading() as connection:
        return jsonify(decision=_decide(connection, entities.body()))


@blueprint.post("/access/v1/evaluations")
@by_token(READ)
def evaluations() -> Response:
    """Many questions in one request; without any it is as `evaluation`."""
    sent = entities.body()
    items, stop = sent.get("evaluations"), _stop(sent)
    if items is None or items == []:
        with reading() as connection:
            return jsonify(decision=_decide(connection, sent))
    if not isinstance(items, list) or len(items) > _MOST:
        raise Invalid(f"evaluations is a list of up to {_MOST} questions.", field="evaluations")
    defaults = {name: sent[name] for name in _PARTS if name in sent}
    told = []
    with reading() as connection:
        for item in items:
            told.append(_item(connection, defaults, item))
            if told[-1]["decision"] is stop:
                break
    return jsonify(evaluations=told)


def _stop(sent: Mapping[str, Any]) -> bool | None:
    """The decision at which the rest is left unanswered (section 7.1.2.1)."""
    options = sent.get("options") or {}
    semantic = options.get("evaluations_semantic", "execute_all") if isinstance(options, dict) else None
    if not isinstance(semantic, str) or semantic not in _STOPS:
        raise Invalid(f"evaluations_semantic is one of {', '.join(_STOPS)}.", field="options.evaluations_semantic")
    return _STOPS[semantic]


def _item(connection: Connection, defaults: Mapping[str, Any], item: Any) -> dict[str, Any]:
    """One question of many; what is wrong with it is told in its place (section 7.2.1)."""
    try:
        return {"decision": _decide(connection, {**defaults, **_object(item)})}
    except Invalid as error:
        return {"decision": False, "context": {"error": {"status": error.status, "message": error.sentence}}}


def _object(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise Invalid("An evaluation is an object.", field="evaluations")
    return item


def _decide(connection: Connection, sent: Mapping[str, Any]) -> bool:
    return judging.allowed(connection, _where(), *entities.question(sent))


def _where() -> Where:
    return Where(token().workspace_id, context().catalogue)


@blueprint.post("/access/v1/search/subject")
@by_token(READ)
def search_subject() -> Response:
    """Who may do something on a resource."""
    sent = entities.body()
    kind, resource = entities.type_of(sent, "subject"), entities.entity(sent, "resource")
    action = entities.action(sent, resource.type)
    way = walk(sent, "subject", kind, action, resource.type, resource.id)
    with reading() as connection:
        is_there, on = judging.target(connection, _where(), resource)
        if kind != USER or not is_there:
            return _results(way, [], None)
        place = None if way.after is None else Place(None, UUID(way.after))
        found = holders.who_can(
            connection,
            workspace_id=token().workspace_id,
            action=action,
            resource=on,
            catalogue=context().catalogue,
            window=Window(way.limit, after=place),
        )
    people = [{"type": kind, "id": str(holder.id)} for holder in found.items]
    return _results(way, people, None if found.next is None else str(found.next.id))


@blueprint.post("/access/v1/search/resource")
@by_token(READ)
def search_resource() -> Response:
    """On what somebody may do something."""
    sent = entities.body()
    subject, kind = entities.entity(sent, "subject"), entities.type_of(sent, "resource")
    action = entities.action(sent, kind)
    way = walk(sent, "resource", subject.type, subject.id, action, kind)
    with reading() as connection:
        held = judging.case(connection, _where(), subject).facts
        found = resources.some(
            connection,
            workspace_id=token().workspace_id,
            count=way.limit + 1,
            after=None if way.after is None else parse_reference(way.after),
            within=rules.reach(held, action, kind),
            types=[kind],
        )
    shown = [{"type": one.type, "id": one.id} for one in found[: way.limit]]
    return _results(way, shown, str(found[way.limit - 1].reference) if len(found) > way.limit else None)


@blueprint.post("/access/v1/search/action")
@by_token(READ)
def search_action() -> Response:
    """What somebody may do on a resource."""
    sent = entities.body()
    subject, resource = entities.entity(sent, "subject"), entities.entity(sent, "resource")
    way = walk(sent, "action", subject.type, subject.id, resource.type, resource.id)
    with reading() as connection:
        is_there, on = judging.target(connection, _where(), resource)
        held = judging.case(connection, _where(), subject).facts if is_there else rules.Facts()
        roles = custom_roles.of_workspace(connection, workspace_id=token().workspace_id, catalogue=context().catalogue)
    known = roles.composable.items()
    able = sorted(name for name, types in known if resource.type in types and rules.decide(held, name, on).allowed)
    rest = [name for name in able if way.after is None or name > way.after]
    shown = [{"name": name} for name in rest[: way.limit]]
    return _results(way, shown, rest[way.limit - 1] if len(rest) > way.limit else None)


def _results(way: Walk, found: list[dict[str, str]], last: str | None) -> Response:
    return jsonify(page={"next_token": way.token(last)}, results=found)
