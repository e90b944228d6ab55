"""The list of mappings, in the order that admins keep, and what one of them means and gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, render_template

from provisioning.access import custom_roles, meant, proposals
from provisioning.access.mappings import MappingView
from provisioning.access.meant import Count, Meant
from provisioning.database import Connection, reading
from provisioning.directory.paging import Window
from provisioning.refusals import Invalid
from provisioning.web.console import lists
from provisioning.web.console.guard import by_member, here, where
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.pages.mappings import page
from provisioning.web.console.pages.mappings.page import blueprint
from provisioning.web.console.recorded import recorded

_WAITING = "waiting"
_OFFER = Offer(("order", "name"), {"state": ("active", "disabled", "dormant", _WAITING)})
_COLUMNS = ("order", "id", "name", "about", "rule", "state", "waits", "gives", "groups", "people")
_SOME_GROUPS = 20


def _asked_for(every: Sequence[MappingView], asked: Listing) -> list[MappingView]:
    """A workspace has few enough of them to be read whole, and searched in all that a line shows."""
    state = asked.filters.get("state")
    found = [one for one in every if state is None or state == (_WAITING if one.waiting else one.state)]
    words = asked.words.casefold()
    found = [one for one in found if words in _text(one).casefold()]
    if asked.sort == "name":
        found.sort(key=lambda one: one.name.casefold())
    return found[::-1] if asked.descending else found


def _text(mapping: MappingView) -> str:
    return " ".join((mapping.name, str(mapping.rule), *(policy.role for policy in mapping.policies)))


def _counts(database: Connection, found: Sequence[MappingView]) -> dict[UUID, Count]:
    return meant.count(database, found=found, **where())


@blueprint.get("")
@by_member("mapping.read")
def index() -> str:
    """All mappings in their order: whom each means at this moment, and what it gives."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        every = page.every(database)
        found = lists.cut(_asked_for(every, asked), asked.window, lambda one: one.id)
        counts = _counts(database, found.items)
        roles = custom_roles.of_workspace(database, **where())
    places = {one.id: place for place, one in enumerate(every, 1)}
    ordered = not asked.is_narrowed and asked.sort == "order" and not asked.descending
    shown = {"asked": asked, "paging": asked.paging(found), "mappings": found.items, "counts": counts, "roles": roles}
    return render_template(
        "console/mappings/index.html", places=places, ordered=ordered, counted_up_to=meant.COUNTED, **shown
    )


@blueprint.get("/export.csv")
@by_member("mapping.read")
def export() -> Response:
    """The same list, all of it, as a table."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        every = page.every(database)
        found = _asked_for(every, asked)
        counts = _counts(database, found)
    places = {one.id: place for place, one in enumerate(every, 1)}
    rows = [_row(one, places[one.id], counts.get(one.id, Count(None, 0))) for one in found]
    return lists.as_csv("mappings", _COLUMNS, iter([rows]))


def _row(mapping: MappingView, place: int, count: Count) -> Sequence[Any]:
    gives = "; ".join(f"{policy.role} on {_on(policy.scope.as_json())}" for policy in mapping.policies)
    said = (place, mapping.id, mapping.name, mapping.rule.resource_type, str(mapping.rule), mapping.state)
    people = f"more than {meant.COUNTED}" if count.people > meant.COUNTED else count.people
    return (*said, mapping.waiting is not None, gives, count.groups, people)


def _on(scope: dict[str, Any]) -> str:
    return " ".join(scope.get("labels") or scope.get("resources") or ["everything"])


@blueprint.get("/<uuid:mapping_id>")
@by_member("mapping.read")
@recorded("access")
def one(mapping_id: UUID) -> str:
    """One mapping: what it gives, whom it means at this moment, and what waits or is to be done."""
    asked = lists.asked(Offer(("name",)))
    with reading() as database:
        mapping = page.one(database, mapping_id)
        found = _meant(database, mapping, asked.window)
        roles = custom_roles.of_workspace(database, **where())
        waiting = None
        if mapping.waiting is not None:
            waiting = proposals.by_id(database, workspace_id=here().workspace_id, proposal_id=mapping.waiting)
    paging = None if found is None else asked.paging(found.people)
    shown = {"asked": asked, "paging": paging, "waiting": waiting, "roles": roles, "some": _SOME_GROUPS}
    return render_template("console/mappings/one.html", mapping=mapping, meant=found, **shown)


def _meant(database: Connection, mapping: MappingView, people: Window) -> Meant | None:
    """Whom it means; None where its rule can't be asked any more."""
    try:
        return meant.by_rule(database, rule=mapping.rule, groups=Window(_SOME_GROUPS), people=people, **where())
    except Invalid:
        return None
