"""Labels, below resources: made, called otherwise, and deleted once nothing uses them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access import labels, mappings, policies
from provisioning.access.labels import LabelView
from provisioning.access.policies import Subject
from provisioning.database import Connection, reading, transaction
from provisioning.directory.paging import Page as Some
from provisioning.directory.paging import Window
from provisioning.refusals import Conflict, Invalid, Refusal
from provisioning.web.console import flash, forms, lists
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.guard import actor

blueprint = Blueprint("labels", __name__)

_OFFER = Offer(("label",), of_id=str)
# So many uses of a label are shown.
_SHOWN_USES = 20


def _of() -> UUID:
    return here().workspace_id


def _some(database: Connection, asked: Listing, window: Window) -> Some[LabelView]:
    return labels.page(database, workspace_id=_of(), words=asked.words, window=window)


@blueprint.get("")
@by_member("label.read")
def index() -> str:
    """The workspace's labels, or those that are searched for."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found = _some(database, asked, asked.window)
    return render_template("console/labels/index.html", asked=asked, labels=found.items, paging=asked.paging(found))


@blueprint.get("/export.csv")
@by_member("label.read")
def export() -> Response:
    """The same list, all of it, as a table."""
    asked = lists.asked(_OFFER)

    def read(window: Window) -> Some[LabelView]:
        with reading() as database:
            return _some(database, asked, window)

    rows = ([(one.key, one.value, one.description) for one in page] for page in lists.every_page(read))
    return lists.as_csv("labels", ("key", "value", "description"), rows)


@blueprint.get("/new")
@by_member("label.create")
def new() -> str:
    """Ask for a label."""
    return _form()


def _form(name: str = "", description: str = "", error: str | None = None) -> str:
    return render_template("console/labels/new.html", name=name, description=description, error=error)


@blueprint.post("/new")
@by_member("label.create")
def create() -> AnyResponse | tuple[str, int]:
    """Add a label."""
    name, description = forms.text("name"), forms.text("description")
    try:
        with transaction() as database:
            labels.create(database, workspace_id=_of(), label=name, description=description or None, by=actor())
    except (Invalid, Conflict) as refusal:
        return _form(name, description, refusal.sentence), refusal.status
    return flash.done(f"The label {name} is there.", url_for(".index"))


@blueprint.get("/<string:label>/rename")
@by_member("label.update")
def ask_for_name(label: str) -> str:
    """Ask for another name of a label."""
    with reading() as database:
        found = labels.by_name(database, workspace_id=_of(), label=label)
    return render_template("console/labels/rename.html", label=found, name=found.name, refusal=None)


@blueprint.post("/<string:label>/rename")
@by_member("label.update")
def rename(label: str) -> AnyResponse | tuple[str, int]:
    """Call a label otherwise; the resources that carry it and the policies that ask for it go along."""
    name = forms.text("name")
    with reading() as database:
        found = labels.by_name(database, workspace_id=_of(), label=label)
    try:
        with transaction() as database:
            labels.rename(database, workspace_id=_of(), label=label, to=name, by=actor())
    except (Invalid, Conflict) as refusal:
        page = render_template("console/labels/rename.html", label=found, name=name, refusal=refusal)
        return page, refusal.status
    return flash.done(f"{label} is called {name} now.", url_for(".index"))


@blueprint.get("/<string:label>/delete")
@by_member("label.delete")
def confirm_delete(label: str) -> str:
    """Ask once whether to delete a label, or name what uses it."""
    return _deleting(label)


@blueprint.post("/<string:label>/delete")
@by_member("label.delete")
def delete(label: str) -> AnyResponse | tuple[str, int]:
    """Take a label away that nothing uses."""
    try:
        with transaction() as database:
            labels.remove(database, workspace_id=_of(), label=label, by=actor())
    except Conflict as refusal:
        return _deleting(label), refusal.status
    return flash.done(f"The label {label} is gone.", url_for(".index"))


def _deleting(label: str) -> str:
    with reading() as database:
        found = labels.by_name(database, workspace_id=_of(), label=label)
        used = labels.uses(database, workspace_id=_of(), label=label)
        shown = [_use(database, one) for one in used[:_SHOWN_USES]]
    return render_template("console/labels/delete.html", label=found, uses=shown, count=len(used))


def _use(database: Connection, told: str) -> tuple[str, str | None]:
    """What uses a label, in words, and where it is shown."""
    kind, _, identifier = told.partition(":")
    try:
        if kind == "mapping":
            rule = mappings.by_id(database, workspace_id=_of(), mapping_id=UUID(identifier))
            return f"the mapping {rule.name} reads it in the names of groups", None
        if kind == "policy":
            policy = policies.by_id(database, workspace_id=_of(), policy_id=UUID(identifier))
            return f"the role {policy.role} is given on it{_to(database, policy.subject)}", _subject(policy.subject)
    except Refusal:
        return told, None
    return f"{told} carries it", url_for("console.resources.index", q=identifier)


def _to(database: Connection, subject: Subject) -> str:
    if subject.kind != "mapping":
        return f" to a {subject.kind}"
    return f" by the mapping {mappings.by_id(database, workspace_id=_of(), mapping_id=subject.id).name}"


def _subject(subject: Subject) -> str | None:
    if subject.kind == "member":
        return url_for("console.people.one", member_id=subject.id)
    return url_for("console.groups.one", group_id=subject.id) if subject.kind == "group" else None
