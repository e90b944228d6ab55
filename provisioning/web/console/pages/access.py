"""The access explorer: what somebody can do, who can do something, and why somebody can or can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template

from provisioning.access import custom_roles, explaining, facts, holders, resources, rules, scopes
from provisioning.access.explaining import Answer
from provisioning.access.holders import Holder
from provisioning.access.roles import Catalogue
from provisioning.access.rules import ALL, Facts, Resource, Scope
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.directory import listing, roster
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Page as Some
from provisioning.directory.paging import Window
from provisioning.directory.roster import MemberView
from provisioning.refusals import Invalid, NotFound
from provisioning.scim.filter import Comparison, Or
from provisioning.scim.path import AttributePath
from provisioning.web import exports
from provisioning.web.console import graph, lists, paths
from provisioning.web.console.guard import by_member, by_member_watching, here, insider
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.page import Page
from provisioning.web.console.recorded import recorded

blueprint = Blueprint("access", __name__)
PAGE = Page("Access", "access.read", blueprint, "/access")

_NAMED = (AttributePath(None, "displayName"), AttributePath(None, "userName"))
_PICKED_FROM = 20
_DRAWN_RESOURCES = 200
_OFFERED = 50
_COLUMNS = ("role", "role_name", "scope", "via", "group", "mapping", "condition", "policy_id", "ends_at")


@blueprint.get("")
@by_member("access.read")
def index() -> str:
    """Pick a person by how a name or user name begins."""
    asked, found = lists.asked(Offer(("name",))), None
    if asked.words and insider().may("member.read"):
        condition = Or(tuple(Comparison(named, "sw", asked.words) for named in _NAMED))
        with reading() as database:
            selection = Selection(Window(_PICKED_FROM), condition)
            found = listing.of_members(database, workspace_id=here().workspace_id, selection=selection)
    return render_template("console/access/index.html", asked=asked, found=found)


@blueprint.get("/export.csv")
@by_member("access.read")
@recorded("access")
def export() -> Response:
    """Everybody's roles with every path to each."""
    return exports.access(here().workspace_id)


@dataclass(frozen=True, slots=True)
class _Question:
    """What the address asks: an action, and on which resource as it was written."""

    action: str
    resource: str

    @property
    def is_asked(self) -> bool:
        return bool(self.action)


def _asked() -> _Question:
    return _Question(lists.asked_text("action"), lists.asked_text("resource"))


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is to tell of a person."""

    member: MemberView
    facts: Facts
    roles: Catalogue
    resource: Resource | None = None
    error: str | None = None


def _look_up(database: Connection, member_id: UUID, question: _Question) -> _Found:
    of = {"workspace_id": here().workspace_id}
    member = roster.by_id(database, member_id=member_id, **of)
    on, error = None, None
    if question.resource:
        try:
            on = scopes.parse_reference(question.resource)
        except Invalid as refusal:
            error = refusal.sentence
    roles = custom_roles.of_workspace(database, catalogue=context().catalogue, **of)
    case = facts.of_member(database, member_id=member_id, catalogue=context().catalogue, on=on, **of)
    if on is not None and case.resource is None:
        error = f"There is no resource {on} in this workspace."
    return _Found(member, case.facts, roles, case.resource, error)


@blueprint.get("/people/<uuid:member_id>")
@by_member("access.read")
@recorded("access")
def one(member_id: UUID) -> str | tuple[str, int]:
    """What a person can do and by which paths; and, where that is asked, why they can or can't do one thing."""
    question = _asked()
    with reading() as database:
        found = _look_up(database, member_id, question)
        answer = _answer(found, question)
        known = () if answer else _covered(database, found.facts)
    name = found.member.display_name
    if answer is None:
        ways = paths.of_grants(name, found.facts.grants, known)
    else:
        ways = paths.of_answer(name, answer, found.resource)
    page = render_template(
        "console/access/one.html",
        member=found.member,
        question=question,
        error=found.error,
        answer=answer,
        resource=found.resource,
        lines=rules.effective(found.facts),
        drawing=graph.drawn(ways) if ways else None,
        actions=sorted(found.roles.composable),
        obstacle=paths.obstacle,
    )
    return page if found.error is None else (page, 400)


def _answer(found: _Found, question: _Question) -> Answer | None:
    if not question.is_asked or found.error is not None:
        return None
    return explaining.explain(found.facts, question.action, found.resource, roles=found.roles)


def _covered(database: Connection, held: Facts) -> Sequence[resources.Registration]:
    """The resources that carry what somebody's access asks for: shown to those who may see resources."""
    within = {grant.scope for grant in held.grants if grant.scope.kind == "labels"}
    if not within or not insider().may("resource.read"):
        return ()
    return resources.some(database, workspace_id=here().workspace_id, count=_DRAWN_RESOURCES, within=within)


@blueprint.get("/people/<uuid:member_id>/export.csv")
@by_member("access.read")
@recorded("access")
def export_one(member_id: UUID) -> Response:
    """What a person can do, a line for each path; or the paths by which they can do one thing."""
    question = _asked()
    with reading() as database:
        found = _look_up(database, member_id, question)
    if found.error is not None:
        raise Invalid(found.error, field="resource")
    grants = found.facts.grants
    if question.is_asked:
        grants = rules.allowing(found.facts, question.action, found.resource)
    rows = [_row(grant.role.key, grant.role.name, grant.scope, grant.path.as_json()) for grant in grants]
    return lists.as_csv("access", _COLUMNS, iter([rows]))


def _row(role: str, name: str, scope: Scope, path: dict[str, Any]) -> Sequence[Any]:
    steps = (path.get(step) for step in ("via", "group", "mapping", "condition", "policy", "ends"))
    covered = "all" if scope.kind == ALL else " ".join(sorted(scope.labels or map(str, scope.resources)))
    return (role, name, covered, *steps)


@blueprint.get("/who")
@by_member("access.read")
@recorded("access")
def who() -> str | tuple[str, int]:
    """Who can do something on a resource, or in the workspace, each with every path."""
    asked, found, error = lists.asked(Offer(("came",), texts=("action", "resource"))), None, None
    with reading() as database:
        roles = _roles(database)
        if "action" in asked.filters:
            try:
                found = _holders(database, asked, asked.window)
            except (Invalid, NotFound) as refusal:
                error = refusal.sentence
    page = render_template(
        "console/access/who.html",
        asked=asked,
        question=_asked(),
        found=found,
        error=error,
        paging=None if found is None else asked.paging(found),
        roles=roles,
        actions=sorted(roles.composable),
        as_path=paths.as_path,
    )
    return page if error is None else (page, 400)


def _roles(database: Connection) -> Catalogue:
    return custom_roles.of_workspace(database, workspace_id=here().workspace_id, catalogue=context().catalogue)


def _holders(database: Connection, asked: Listing, window: Window) -> Some[Holder]:
    of = here().workspace_id
    on = resources.asked_about(database, workspace_id=of, written=asked.filters.get("resource"))
    action = asked.filters["action"]
    return holders.who_can(
        database, workspace_id=of, action=action, resource=on, catalogue=context().catalogue, window=window
    )


@blueprint.get("/who/export.csv")
@by_member("access.read")
@recorded("access")
def export_who() -> Response:
    """The same list, all of it: a line for each path of each person."""
    asked = lists.asked(Offer(("came",), texts=("action", "resource")))
    if "action" not in asked.filters:
        raise Invalid("Say which action: its name stands in the address as action.", field="action")
    with reading() as database:
        roles = _roles(database)
        resources.asked_about(database, workspace_id=here().workspace_id, written=asked.filters.get("resource"))

    def read(window: Window) -> Some[Holder]:
        with reading() as database:
            return _holders(database, asked, window)

    rows = ([row for holder in page for row in _held(holder, roles)] for page in lists.every_page(read))
    return lists.as_csv("who-can", ("user_id", "name", "user_name", *_COLUMNS), rows)


def _held(holder: Holder, roles: Catalogue) -> Sequence[Sequence[Any]]:
    who = (holder.id, holder.name, holder.email)
    return [
        (*who, *_row(path["role"], roles[path["role"]].name, Scope.from_json(path["scope"]), path))
        for path in holder.paths
    ]


@blueprint.get("/resources")
@by_member_watching("resource.read")
def offered() -> str:
    """Resources whose name or id contains what has been typed so far, to choose from."""
    words = lists.asked_text("resource")
    kind, separator, rest = words.partition(":")
    narrowing = resources.Narrowing(kind, rest or None) if separator else resources.Narrowing(words=words or None)
    with reading() as database:
        found = resources.page(database, workspace_id=here().workspace_id, window=Window(_OFFERED), narrowing=narrowing)
    return render_template("console/access/offered.html", resources=found.items)
