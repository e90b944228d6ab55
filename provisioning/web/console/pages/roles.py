"""Roles: the built-in ones and the workspace's own, what each allows, what gives it, and who has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import orjson
from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access import custom_roles, holders, mappings, policies
from provisioning.access.roles import Catalogue, Role
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.refusals import Conflict, Invalid, NotFound, Refusal, Stale
from provisioning.web.console import confirming, flash, forms, lists
from provisioning.web.console.guard import by_member, here, insider, where
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.page import Page
from provisioning.web.console.recorded import recorded
from provisioning.web.guard import actor

blueprint = Blueprint("roles", __name__)
PAGE = Page("Roles", "role.read", blueprint, "/roles")

_OFFER = Offer(("name", "id"), {"kind": ("built-in", "own")}, of_id=str)
_COLUMNS = ("id", "name", "kind", "description", "types", "scopes", "actions")


class _Texts(TypedDict):
    name: str
    description: str
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Form:
    """A role as it is filled in, and as whoever does so has seen it."""

    key: str = ""
    name: str = ""
    description: str = ""
    actions: tuple[str, ...] = ()
    seen: str = ""

    def texts(self) -> _Texts:
        return {"name": self.name, "description": self.description, "actions": self.actions}

    def fields(self) -> list[tuple[str, str]]:
        own = [("key", self.key), ("name", self.name), ("description", self.description), ("seen", self.seen)]
        return [*own, *(("action", action) for action in self.actions)]


def _filled_in() -> _Form:
    texts = {name: forms.text(name, longest=5000) for name in ("key", "name", "description", "seen")}
    return _Form(actions=tuple(request.form.getlist("action")), **texts)


def _seen(role: Role) -> str:
    return orjson.dumps([role.name, role.description, sorted(role.actions)]).decode()


def _all(database: Connection) -> Catalogue:
    return custom_roles.of_workspace(database, **where())


def _one(database: Connection, key: str) -> Role:
    found = _all(database).get(key)
    if found is None:
        raise NotFound("There is no such role.")
    return found


def _own(database: Connection, key: str) -> Role:
    found = _one(database, key)
    if found.built_in:
        raise NotFound(f"{found.name} is a built-in role: it stays as it is.")
    return found


def _asked_for(every: Catalogue, asked: Listing) -> list[Role]:
    kind, words = asked.filters.get("kind"), asked.words.casefold()
    found = [role for role in every if kind is None or role.built_in == (kind == "built-in")]
    found = [role for role in found if words in f"{role.name} {role.key} {' '.join(role.actions)}".casefold()]
    found.sort(key=lambda role: role.key if asked.sort == "id" else role.name.casefold(), reverse=asked.descending)
    return found


@blueprint.get("")
@by_member("role.read")
def index() -> str:
    """All roles: the built-in ones and the workspace's own."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        every = _all(database)
    found = lists.cut(_asked_for(every, asked), asked.window, lambda role: role.key)
    return render_template("console/roles/index.html", asked=asked, roles=found.items, paging=asked.paging(found))


@blueprint.get("/export.csv")
@by_member("role.read")
def export() -> Response:
    """The same list, all of it, as a table."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        every = _all(database)
    return lists.as_csv("roles", _COLUMNS, iter([[_row(role) for role in _asked_for(every, asked)]]))


def _row(role: Role) -> Sequence[Any]:
    kind = "built-in" if role.built_in else "own"
    several = (" ".join(sorted(some)) for some in (role.resource_types, role.scopes, role.actions))
    return (role.key, role.name, kind, role.description, *several)


@blueprint.get("/<string:role_key>")
@by_member("role.read")
def one(role_key: str) -> str:
    """One role: what it allows, on what it can be given, and what gives it."""
    with reading() as database:
        role = _one(database, role_key)
        uses, giving = None, []
        if insider().may("policy.read"):
            uses = policies.count_by_subject(database, workspace_id=here().workspace_id, role=role_key)
        if insider().may("mapping.read"):
            every = mappings.every(database, workspace_id=here().workspace_id)
            giving = [each for each in every if any(policy.role == role_key for policy in each.policies)]
    return render_template("console/roles/one.html", role=role, uses=uses, giving=giving)


@blueprint.get("/<string:role_key>/people")
@by_member("access.read")
@recorded("access")
def people(role_key: str) -> str:
    """Who has a role on anything, each with every reason for it."""
    asked = lists.asked(Offer(("joined",)))
    with reading() as database:
        role = _one(database, role_key)
        found = holders.who_has(database, role=role_key, window=asked.window, **where())
    shown = {"asked": asked, "paging": asked.paging(found)}
    return render_template("console/roles/people.html", role=role, people=found.items, **shown)


def _shown(form: _Form, role: Role | None = None, refusal: Refusal | None = None) -> str | tuple[str, int]:
    errors = {} if refusal is None else {refusal.field or "name": refusal.sentence}
    page = render_template(
        "console/roles/form.html", form=form, role=role, errors=errors, composable=_by_noun(context().catalogue)
    )
    return page if refusal is None else (page, refusal.status)


def _by_noun(catalogue: Catalogue) -> Mapping[str, Sequence[str]]:
    """The actions that a role can be composed of, by what they are about."""
    grouped: dict[str, list[str]] = {}
    for action in sorted(catalogue.composable):
        grouped.setdefault(action.partition(".")[0], []).append(action)
    return grouped


@blueprint.get("/-/new")
@by_member("role.create")
def new() -> str | tuple[str, int]:
    """Compose a role of the workspace's own."""
    return _shown(_Form())


@blueprint.post("/-/new")
@by_member("role.create")
def create() -> AnyResponse | str | tuple[str, int]:
    """Add a role; nobody has it yet."""
    form = _filled_in()
    try:
        with transaction() as database:
            made = custom_roles.create(database, key=form.key, by=actor(), **where(), **form.texts())
    except (Invalid, Conflict) as refusal:
        return _shown(form, None, refusal)
    return flash.done(f"The role {made.name} is there.", url_for(".one", role_key=made.key))


@blueprint.get("/<string:own_role_key>/edit")
@by_member("role.update")
def edit(own_role_key: str) -> str | tuple[str, int]:
    """Change a role of the workspace's own."""
    with reading() as database:
        role = _own(database, own_role_key)
    return _shown(_Form(role.key, role.name, role.description, tuple(role.actions), _seen(role)), role)


def _change(database: Connection, form: _Form, key: str) -> Role:
    now = custom_roles.lock(database, key=key, **where())
    if form.seen != _seen(now):
        raise Stale(f"Somebody has changed this role meanwhile: it allows {', '.join(sorted(now.actions))} now.")
    return custom_roles.change(database, key=key, by=actor(), **where(), **form.texts())


@blueprint.post("/<string:own_role_key>/edit")
@confirming.counts(blueprint, "/<string:own_role_key>/edit")
@by_member("role.update")
def change(own_role_key: str) -> AnyResponse | str | tuple[str, int]:
    """Show who gains and loses what by a change of a role, and then make it; policies that give it follow at once."""
    form = _filled_in()
    with reading() as database:
        role = _own(database, own_role_key)
    try:
        if confirming.is_counting() or request.form.get("do") == "preview":
            return _review(form, role)
        if request.form.get("do") != "save":
            return _shown(form, role)
        with transaction() as database:
            changed = _change(database, form, own_role_key)
    except (Invalid, Conflict) as refusal:
        if confirming.is_counting():
            raise
        return _shown(form, role, refusal)
    return flash.done(f"The role {changed.name} is changed.", url_for(".one", role_key=own_role_key))


def _review(form: _Form, role: Role) -> str:
    """What saving the form would do, asked once."""
    told = confirming.foreseen(lambda database: _change(database, form, role.key), tried=True)
    actions = set(form.actions)
    more, less = sorted(actions - role.actions), sorted(role.actions - actions)
    return render_template("console/roles/review.html", role=role, form=form, told=told, more=more, less=less)


@blueprint.get("/<string:own_role_key>/delete")
@by_member("role.delete")
def confirm_delete(own_role_key: str) -> str:
    """Ask once whether to take a role away, or say what gives it still."""
    with reading() as database:
        role = _own(database, own_role_key)
        uses = policies.count_by_subject(database, workspace_id=here().workspace_id, role=own_role_key)
    return render_template("console/roles/delete.html", role=role, uses=uses)


@blueprint.post("/<string:own_role_key>/delete")
@by_member("role.delete")
def delete(own_role_key: str) -> AnyResponse:
    """Take a role away that nothing gives."""
    with transaction() as database:
        custom_roles.remove(database, key=own_role_key, by=actor(), **where())
    return flash.done(f"The role {own_role_key} is gone.", url_for(".index"))
