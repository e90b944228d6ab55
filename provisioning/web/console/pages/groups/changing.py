"""What is done to a group itself: a local one is made, called otherwise or deleted, a linked one detached."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import render_template, url_for
from werkzeug.wrappers import Response

from provisioning.database import Connection, reading, transaction
from provisioning.directory import groups, local_groups
from provisioning.directory.groups import GroupView
from provisioning.refusals import Conflict, Invalid, Stale
from provisioning.web.console import confirming, flash, forms, seen
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.pages.groups.page import blueprint
from provisioning.web.guard import actor


@blueprint.get("/new")
@by_member("group.create")
def new() -> str:
    """Ask for the name of a local group."""
    return render_template("console/groups/new.html", name="", error=None)


@blueprint.post("/new")
@by_member("group.create")
def create() -> Response | tuple[str, int]:
    """Add a local group."""
    name = forms.text("name")
    try:
        with transaction() as database:
            made = local_groups.create(database, workspace_id=here().workspace_id, name=name, by=actor())
    except (Invalid, Conflict) as refusal:
        return render_template("console/groups/new.html", name=name, error=refusal.sentence), refusal.status
    return flash.done(f"The group {made.display_name} is there.", url_for(".one", group_id=made.id))


def _detach(database: Connection, group_id: UUID) -> GroupView:
    seen.require_group(groups.lock(database, workspace_id=here().workspace_id, group_id=group_id))
    return local_groups.detach(database, workspace_id=here().workspace_id, group_id=group_id, by=actor())


def _asked_once(template: str, group: GroupView, change: Callable[[Connection, UUID], GroupView]) -> str:
    """The question before a change of a group, with whom it concerns."""
    told = confirming.foreseen(lambda database: change(database, group.id))
    shown = {"group": group, "told": told, "seen": seen.of_group(group)}
    return render_template(f"console/groups/{template}.html", **shown)


@blueprint.get("/<uuid:group_id>/detach")
@confirming.counts(blueprint, "/<uuid:group_id>/detach")
@by_member("group.update")
def confirm_detach(group_id: UUID) -> str:
    """Say whom it concerns that a group is no longer pushed, and ask once."""
    with reading() as database:
        group = groups.by_id(database, workspace_id=here().workspace_id, group_id=group_id)
    return _asked_once("detach", group, _detach)


@blueprint.post("/<uuid:group_id>/detach")
@by_member("group.update")
def detach(group_id: UUID) -> Response:
    """Make a pushed group a local one."""
    with transaction() as database:
        group = _detach(database, group_id)
    return flash.done(f"{group.display_name} is a local group now.", url_for(".one", group_id=group_id))


def _delete(database: Connection, group_id: UUID) -> GroupView:
    group = local_groups.lock(database, workspace_id=here().workspace_id, group_id=group_id)
    seen.require_group(group)
    groups.remove(database, group=group, by=actor())
    return group


@blueprint.get("/<uuid:local_group_id>/delete")
@confirming.counts(blueprint, "/<uuid:local_group_id>/delete")
@by_member("group.delete")
def confirm_delete(local_group_id: UUID) -> str:
    """Say who would lose what with a group, and ask once."""
    with reading() as database:
        group = local_groups.by_id(database, workspace_id=here().workspace_id, group_id=local_group_id)
    return _asked_once("delete", group, _delete)


@blueprint.post("/<uuid:local_group_id>/delete")
@by_member("group.delete")
def delete(local_group_id: UUID) -> Response:
    """Take a local group away; its members stay in the workspace."""
    with transaction() as database:
        group = _delete(database, local_group_id)
    return flash.done(f"The group {group.display_name} is gone.", url_for(".index"))


@blueprint.get("/<uuid:local_group_id>/rename")
@by_member("group.update")
def ask_for_name(local_group_id: UUID) -> str:
    """Ask what a local group is to be called."""
    with reading() as database:
        group = local_groups.by_id(database, workspace_id=here().workspace_id, group_id=local_group_id)
    return _naming(group, group.display_name)


def _naming(group: GroupView, name: str, error: str | None = None) -> str:
    shown = {"group": group, "name": name, "error": error, "seen": seen.of_group(group)}
    return render_template("console/groups/rename.html", **shown)


@blueprint.post("/<uuid:local_group_id>/rename")
@by_member("group.update")
def rename(local_group_id: UUID) -> Response | tuple[str, int]:
    """Call a local group otherwise; mappings mean pushed groups alone, so nobody gains or loses anything."""
    name = forms.text("name")
    with reading() as database:
        group = local_groups.by_id(database, workspace_id=here().workspace_id, group_id=local_group_id)
    try:
        with transaction() as database:
            group = local_groups.lock(database, workspace_id=here().workspace_id, group_id=local_group_id)
            seen.require_group(group)
            renamed = local_groups.rename(database, group=group, name=name, by=actor())
    except (Invalid, Conflict, Stale) as refusal:
        return _naming(group, name, refusal.sentence), refusal.status
    return flash.done(f"The group is called {renamed.display_name} now.", url_for(".one", group_id=local_group_id))
