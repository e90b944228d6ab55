"""Writing mappings: a form that tells as one types whom it means, and before it is saved who gains and loses what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from provisioning.access import custom_roles, labels, mappings, meant, proposals
from provisioning.access.mappings import MappingView
from provisioning.access.meant import Meant
from provisioning.database import Connection, reading, transaction
from provisioning.directory import groups, listing
from provisioning.directory.groups import GroupView
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.refusals import Conflict, Invalid, NotAllowed, NotFound, Refusal, Stale
from provisioning.scim.filter import Comparison
from provisioning.scim.path import AttributePath
from provisioning.web.console import builder, confirming, flash
from provisioning.web.console.builder import Form
from provisioning.web.console.guard import by_member, giver, here, insider, require, where
from provisioning.web.console.pages.mappings import page
from provisioning.web.console.pages.mappings.page import blueprint

_LESS = re.compile(r"less-(\d{1,3})", re.ASCII)
_SHOWN, _OFFERED = 10, 20
_NAME = AttributePath(None, "displayName")
# What is wrong with a line of roles, and not with whom the mapping means.
_OF_ROLES = frozenset({"role", "scope", "labels", "resources", "endsAt", "reason", "permissions", "policies"})


def _filled_in() -> Form:
    sent = request.form.to_dict()
    form = builder.read(sent, request.form.getlist("label"))
    pressed = sent.get("do", "")
    if pressed == "more":
        return form.with_a_role_more()
    if less := _LESS.fullmatch(pressed):
        return form.without_role(int(less[1]))
    return form


def _live(database: Connection, form: Form) -> dict[str, Any]:
    """Whom the form means at this moment, or what is wrong with what it says of that."""
    known: dict[str, Any] = {"form": form, "meant": None, "wrong": None, "some": _SHOWN}
    if insider().may("group.read"):
        known["offered"] = _offered(database, form.group)
    if form.is_blank:
        return known
    try:
        known["meant"] = _meant(database, form)
    except Invalid as refusal:
        known["wrong"] = refusal.sentence
    return known


def _meant(database: Connection, form: Form) -> Meant:
    rule, some = form.rule(database, here().workspace_id), Window(_SHOWN)
    return meant.by_rule(database, rule=rule, groups=some, people=some, **where())


def _offered(database: Connection, begun: str) -> Sequence[GroupView]:
    """Pushed groups whose names begin as it was typed."""
    condition = Comparison(_NAME, "sw", begun) if begun else None
    selection = Selection(Window(_OFFERED), condition)
    found = listing.of_groups(database, workspace_id=here().workspace_id, selection=selection, meeting=[listing.LINKED])
    return found.items


def _shown(
    form: Form, mapping: MappingView | None = None, refusal: Refusal | None = None, **more: Any
) -> str | tuple[str, int]:
    with reading() as database:
        live = _live(database, form)
        known = labels.every(database, workspace_id=here().workspace_id)
        roles = custom_roles.of_workspace(database, **where())
    shown = {"labels": [f"{label.key}:{label.value}" for label in known], "roles": roles, "mapping": mapping}
    errors = {} if refusal is None else {_place(refusal): refusal.sentence}
    page_ = render_template(
        "console/mappings/form.html", errors=errors, attributes=builder.ATTRIBUTES, **live, **shown, **more
    )
    return page_ if refusal is None else (page_, refusal.status)


def _place(refusal: Refusal) -> str:
    """Beside what of the form a refusal is told."""
    if refusal.field in _OF_ROLES or isinstance(refusal, NotAllowed):
        return "roles"
    return "name" if refusal.field == "name" else "whom"


@blueprint.post("/matches")
@by_member("mapping.read")
def matches() -> str:
    """Whom a form means, as it is typed, for those who may write one: it tells more than a list of mappings does."""
    if not insider().may("mapping.update"):
        require("mapping.create")
    with reading() as database:
        live = _live(database, _filled_in())
    return render_template("console/mappings/typed.html", **live)


@blueprint.get("/new")
@by_member("mapping.create")
def new() -> str | tuple[str, int]:
    """Write a mapping, perhaps for the group that the address names."""
    form, group_id = Form(), request.args.get("group", type=UUID)
    if group_id is not None and insider().may("group.read"):
        with reading() as database:
            form = builder.of_group(groups.by_id(database, workspace_id=here().workspace_id, group_id=group_id))
    return _shown(form)


def _create(database: Connection, form: Form) -> MappingView:
    return proposals.create(
        database,
        workspace_id=here().workspace_id,
        name=form.name or (form.group if form.means == builder.GROUP else ""),
        rule=form.rule(database, here().workspace_id),
        terms=form.terms(),
        giver=giver(database),
    )


@blueprint.post("/new")
@confirming.counts(blueprint, "/new")
@by_member("mapping.create")
def create() -> Response | str | tuple[str, int]:
    """Show what a new mapping would do, and then write it."""
    form = _filled_in()
    try:
        if confirming.is_counting() or request.form.get("do") == "preview":
            return _review(form, None)
        if request.form.get("do") != "save":
            return _shown(form)
        with transaction() as database:
            made = _create(database, form)
    except (Invalid, Conflict, NotAllowed) as refusal:
        if confirming.is_counting():
            raise
        return _shown(form, None, refusal)
    waits = f"{made.name} is written, and off: another owner confirms first that it makes owners."
    done = f"The mapping {made.name} counts from now on."
    return flash.done(waits if made.waiting else done, url_for(".one", mapping_id=made.id))


def _review(form: Form, mapping: MappingView | None) -> str:
    """What saving the form would do, asked once."""
    changed: list[MappingView] = []

    def change(database: Connection) -> None:
        by = giver(database)
        changed.append(_create(database, form) if mapping is None else _change(database, form, mapping.id))
        page.foresee(database, changed[0], by)

    told = confirming.foreseen(change, tried=True)
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _OWN]
    shown = {"told": told, "waits": changed[0].waiting, "fields": fields}
    with reading() as database:
        found = _meant(database, form)
        rule = form.rule(database, here().workspace_id)
    return render_template(
        "console/mappings/review.html", form=form, mapping=mapping, rule=rule, meant=found, terms=form.terms(), **shown
    )


_OWN = frozenset({"do", "form_token"})


def _as_edited(database: Connection, mapping: MappingView) -> Form:
    """A mapping as a form, which calls the group that it is bound to by its name."""
    bound = builder.bound_to(mapping)
    name = None if bound is None else str(bound)
    if mapping.lost is not None:
        name = mapping.lost.display_name
    elif bound is not None and insider().may("group.read"):
        with suppress(NotFound):
            name = groups.by_id(database, workspace_id=here().workspace_id, group_id=bound).display_name
    return builder.of_mapping(mapping, name)


@blueprint.get("/<uuid:mapping_id>/edit")
@by_member("mapping.update")
def edit(mapping_id: UUID) -> str | tuple[str, int]:
    """Change a mapping."""
    with reading() as database:
        mapping = _editable(database, mapping_id)
        form = _as_edited(database, mapping)
    return _shown(form, mapping)


def _editable(database: Connection, mapping_id: UUID) -> MappingView:
    """A mapping, where the form has room for all that it gives: what is not in it would be taken away.

    Raises:
        Conflict: it gives more.
    """
    mapping = page.one(database, mapping_id)
    if len(mapping.policies) > builder.MOST_ROLES:
        raise Conflict(f"It gives more than {builder.MOST_ROLES} roles: change it by the admin API.")
    return mapping


def _change(database: Connection, form: Form, mapping_id: UUID) -> MappingView:
    rule = form.rule(database, here().workspace_id)
    before = mappings.lock(database, workspace_id=here().workspace_id, mapping_id=mapping_id)
    return proposals.change(
        database,
        workspace_id=here().workspace_id,
        mapping_id=mapping_id,
        name=form.name,
        # What is left as it is, is not said again: a change of the name alone takes no second word.
        rule=None if rule == before.rule else rule,
        terms=None if form.terms() == list(before.draft.terms) else form.terms(),
        giver=giver(database),
    )


@blueprint.post("/<uuid:mapping_id>/edit")
@confirming.counts(blueprint, "/<uuid:mapping_id>/edit")
@by_member("mapping.update")
def change(mapping_id: UUID) -> Response | str | tuple[str, int]:
    """Show what a change of a mapping would do, and then make it, unless somebody else has changed it meanwhile."""
    form, pressed = _filled_in(), request.form.get("do")
    with reading() as database:
        mapping = _editable(database, mapping_id)
    if found := builder.changed_meanwhile(form, mapping.draft):
        if confirming.is_counting():
            raise Stale("Somebody has changed this mapping since its form was made.")
        return _told_of(form, mapping, found)
    try:
        if confirming.is_counting() or pressed == "preview":
            return _review(form, mapping)
        if pressed != "save":
            return _shown(form, mapping)
        with transaction() as database:
            now = mappings.lock(database, workspace_id=here().workspace_id, mapping_id=mapping_id)
            found = builder.changed_meanwhile(form, now.draft)
            changed = now if found else _change(database, form, mapping_id)
    except (Invalid, Conflict, NotAllowed) as refusal:
        if confirming.is_counting():
            raise
        return _shown(form, mapping, refusal)
    if found:
        return _told_of(form, now, found)
    waits = f"The change of {mapping.name} waits for another owner: it would make owners."
    done = f"The mapping {changed.name} is changed."
    return flash.done(waits if changed.waiting else done, url_for(".one", mapping_id=mapping_id))


def _told_of(form: Form, now: MappingView, found: Sequence[tuple[str, str]]) -> tuple[str, int]:
    """What is another by now: the form stays as it was filled in, and whoever goes on with it has read this."""
    page_ = _shown(replace(form, seen=builder.seen(now.draft)), now, meanwhile=found)
    return (page_ if isinstance(page_, str) else page_[0]), 412
