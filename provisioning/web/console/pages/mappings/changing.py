"""What is done to a mapping besides writing it: its place in the list, on and off, bound anew, taken away."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from provisioning.access import dormant, mappings, proposals
from provisioning.access.mappings import MappingView
from provisioning.database import Connection, reading, transaction
from provisioning.refusals import Stale
from provisioning.web.console import builder, confirming, flash, forms
from provisioning.web.console.guard import by_member, giver, here
from provisioning.web.console.pages.mappings import page
from provisioning.web.console.pages.mappings.page import blueprint
from provisioning.web.guard import actor

_WAITS = "It would make owners: nothing is changed until another owner has confirmed it."


@blueprint.post("/<uuid:mapping_id>/move")
@by_member("mapping.update")
def move(mapping_id: UUID) -> Response:
    """Put a mapping a place up or down; access is the same in any order."""
    places = -1 if forms.text("direction") == "up" else 1
    with transaction() as database:
        mappings.move(database, workspace_id=here().workspace_id, mapping_id=mapping_id, places=places, by=actor())
    return redirect(url_for(".index", _anchor=f"m-{mapping_id}"), code=303)


def _refuse_unseen(now: MappingView) -> None:
    """Refuse what was asked of a mapping that is another by now.

    Raises:
        Stale: somebody has changed it since the page was made.
    """
    if forms.text("seen", longest=400_000) != builder.seen(now.draft):
        raise Stale("Somebody has changed this mapping since the page was made. Nothing was changed.")


def _locked(database: Connection, mapping_id: UUID) -> MappingView:
    found = mappings.lock(database, workspace_id=here().workspace_id, mapping_id=mapping_id)
    _refuse_unseen(found)
    return found


def _switch(database: Connection, mapping_id: UUID) -> MappingView:
    enabled = not _locked(database, mapping_id).enabled
    return proposals.change(
        database, workspace_id=here().workspace_id, mapping_id=mapping_id, enabled=enabled, giver=giver(database)
    )


@blueprint.get("/<uuid:mapping_id>/switch")
@confirming.counts(blueprint, "/<uuid:mapping_id>/switch")
@by_member("mapping.update")
def confirm_switch(mapping_id: UUID) -> str:
    """Say what it does that a mapping counts no more, or again, and ask once."""
    with reading() as database:
        mapping = page.one(database, mapping_id)

    def change(database: Connection) -> None:
        page.foresee(database, _switch(database, mapping_id), giver(database))

    shown = {"told": confirming.foreseen(change), "seen": builder.seen(mapping.draft)}
    return render_template("console/mappings/switch.html", mapping=mapping, **shown)


@blueprint.post("/<uuid:mapping_id>/switch")
@by_member("mapping.update")
def switch(mapping_id: UUID) -> Response:
    """Have a mapping count no more, or again."""
    with transaction() as database:
        changed = _switch(database, mapping_id)
    done = f"{changed.name} is {'on: it counts' if changed.enabled else 'off: it gives nothing'}."
    return flash.done(_WAITS if changed.waiting else done, url_for(".one", mapping_id=mapping_id))


def _delete(database: Connection, mapping_id: UUID) -> MappingView:
    found = _locked(database, mapping_id)
    mappings.remove(database, workspace_id=here().workspace_id, mapping_id=mapping_id, by=actor())
    return found


@blueprint.get("/<uuid:mapping_id>/delete")
@confirming.counts(blueprint, "/<uuid:mapping_id>/delete")
@by_member("mapping.delete")
def confirm_delete(mapping_id: UUID) -> str:
    """Say who would lose what with a mapping, and ask once."""
    with reading() as database:
        mapping = page.one(database, mapping_id)
    told = confirming.foreseen(lambda database: _delete(database, mapping_id))
    shown = {"told": told, "seen": builder.seen(mapping.draft)}
    return render_template("console/mappings/delete.html", mapping=mapping, **shown)


@blueprint.post("/<uuid:mapping_id>/delete")
@by_member("mapping.delete")
def delete(mapping_id: UUID) -> Response:
    """Take a mapping away; what it gave is gone at once."""
    with transaction() as database:
        mapping = _delete(database, mapping_id)
    return flash.done(f"The mapping {mapping.name} is gone.", url_for(".index"))


@blueprint.post("/<uuid:mapping_id>/rebind")
@confirming.counts(blueprint, "/<uuid:mapping_id>/rebind")
@by_member("mapping.update")
def rebind(mapping_id: UUID) -> Response | str:
    """Bind a dormant mapping to the group that its connection pushes again, once it is said what that does."""

    def bind(database: Connection) -> MappingView:
        where = {"workspace_id": here().workspace_id, "mapping_id": mapping_id}
        return dormant.rebind(database, giver=giver(database), **where)

    if confirming.is_counting() or not forms.is_ticked("sure"):
        with reading() as database:
            mapping = page.one(database, mapping_id)
        told = confirming.foreseen(lambda database: page.foresee(database, bind(database), giver(database)), tried=True)
        return render_template("console/mappings/rebind.html", mapping=mapping, told=told)
    with transaction() as database:
        bound = bind(database)
    done = f"{bound.name} means the group that came back."
    return flash.done(_WAITS if bound.waiting else done, url_for(".one", mapping_id=mapping_id))
