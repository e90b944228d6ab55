"""Resources and labels: what access is given to, and by what it is given to many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access import labels, resources, scopes
from provisioning.access.resources import LABELLED_TYPES, TYPES, Narrowing, Registration
from provisioning.access.rules import Reference, Resource
from provisioning.database import Connection, reading, transaction
from provisioning.directory.paging import Page as Some
from provisioning.directory.paging import Window
from provisioning.refusals import Conflict, Invalid, NotFound
from provisioning.web.console import confirming, flash, forms, lists, pasted
from provisioning.web.console.guard import by_member, by_member_somewhere, here, require
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.page import Page
from provisioning.web.console.pages import labels as labels_page
from provisioning.web.console.pasted import Mistake
from provisioning.web.guard import actor

blueprint = Blueprint("resources", __name__)
blueprint.register_blueprint(labels_page.blueprint, url_prefix="/labels")
PAGE = Page("Resources & labels", "resource.read", blueprint, "/resources")

_OFFER = Offer(("type", "name"), {"type": tuple(sorted(TYPES))}, ("label",), of_id=str)
_CHOSEN, _PASTED, _YES = "resource", "lines", "yes"


def _of() -> UUID:
    return here().workspace_id


def _some(database: Connection, asked: Listing, window: Window) -> Some[Registration]:
    narrowing = Narrowing(asked.filters.get("type"), asked.words or None, asked.filters.get("label"))
    order = {"by_name": asked.sort == "name", "descending": asked.descending}
    return resources.page(database, workspace_id=_of(), window=window, narrowing=narrowing, **order)


@blueprint.get("")
@by_member("resource.read")
def index() -> str:
    """All resources, or those that are searched for."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found, known = _some(database, asked, asked.window), labels.every(database, workspace_id=_of())
    names = [one.name for one in known]
    return render_template(
        "console/resources/index.html",
        asked=asked,
        resources=found.items,
        paging=asked.paging(found),
        label_names=names,
        label_options=[("", "Any labels"), *((name, name) for name in names)],
        type_options=[("", "All types"), *((kind, kind) for kind in sorted(TYPES))],
        labelled=LABELLED_TYPES,
    )


@blueprint.get("/export.csv")
@by_member("resource.read")
def export() -> Response:
    """The same list, all of it, as a table."""
    asked = lists.asked(_OFFER)

    def read(window: Window) -> Some[Registration]:
        with reading() as database:
            return _some(database, asked, window)

    rows = ([(r.type, r.id, r.name, " ".join(r.labels or ())) for r in page] for page in lists.every_page(read))
    return lists.as_csv("resources", ("type", "id", "name", "labels"), rows)


def _registration(line: str) -> Registration:
    """A line `type:id name`; one without a name is called as its id."""
    written, _, name = line.partition(" ")
    reference = scopes.parse_reference(written)
    told = Registration(reference.type, reference.id, name.strip() or reference.id)
    resources.require_form(told)
    return told


def _form(template: str, lines: str = "", mistakes: Sequence[Mistake] = ()) -> str:
    return render_template(f"console/resources/{template}.html", lines=lines, mistakes=mistakes, types=sorted(TYPES))


@blueprint.get("/add")
@by_member("resource.register")
def add() -> str:
    """Ask for resources, one a line."""
    return _form("add")


@blueprint.post("/add")
@by_member("resource.register")
def register() -> AnyResponse | tuple[str, int]:
    """Register resources, all of them or none; what is known already gets the name that is written."""
    lines = forms.text(_PASTED, longest=pasted.LONGEST)
    found = pasted.read(lines, _registration)
    if found.mistakes:
        return _form("add", lines, found.mistakes), 400
    with transaction() as database:
        resources.register(database, workspace_id=_of(), resources=found.items, by=actor())
    return flash.done(f"{_counted(found.items)} registered.", url_for(".index"))


@blueprint.get("/remove")
@by_member("resource.remove")
def ask_what_to_remove() -> str:
    """Ask which resources are gone, one a line."""
    return _form("remove")


def _reference(line: str) -> Reference:
    """What a line begins with; the name behind it says nothing."""
    return scopes.parse_reference(line.partition(" ")[0])


@blueprint.post("/remove")
@confirming.counts(blueprint, "/remove")
@by_member("resource.remove")
def remove() -> AnyResponse | str | tuple[str, int]:
    """Say who would lose what with resources, ask once, and take them away, all of them or none."""
    lines = "\n".join([forms.text(_PASTED, longest=pasted.LONGEST), *request.form.getlist(_CHOSEN)]).strip()
    found = pasted.read(lines, _reference)
    if found.mistakes:
        return _form("remove", lines, found.mistakes), 400

    def change(database: Connection) -> None:
        resources.remove(database, workspace_id=_of(), resources=found.items, by=actor())

    try:
        if _is_question():
            return _question("confirm_remove", change, resources=found.items)
        with transaction() as database:
            change(database)
    except NotFound:
        if confirming.is_counting():
            raise
        return _form("remove", lines, _unknown(lines)), 404
    return flash.done(f"{_counted(found.items)} gone.", url_for(".index"))


def _unknown(lines: str) -> Sequence[Mistake]:
    """Which of the lines name what the workspace does not have."""

    def known(line: str) -> Reference:
        reference = _reference(line)
        if reference not in there:
            raise Invalid(f"There is no resource {reference} in this workspace.")
        return reference

    with reading() as database:
        asked = pasted.read(lines, _reference).items
        there = resources.known(database, workspace_id=_of(), resources=asked)
    return pasted.read(lines, known).mistakes


def _is_question() -> bool:
    return confirming.is_counting() or not forms.text(_YES)


def _question(template: str, change: Callable[[Connection], Any], **shown: Any) -> str:
    """The question before a change, with whom it concerns."""
    told = confirming.foreseen(change, tried=True)
    return render_template(f"console/resources/{template}.html", told=told, **shown)


def _counted(some: Sequence[object]) -> str:
    count = len(set(some))
    return f"{count} resource{' is' if count == 1 else 's are'}"


_ADD, _TAKE = "add", "take"
_VERBS: Mapping[str, Callable[..., Any]] = {_ADD: resources.add_labels, _TAKE: resources.remove_labels}


@dataclass(frozen=True, slots=True)
class _Labelling:
    """Which resources are to get a label, or to lose it."""

    references: tuple[Reference, ...]
    label: str
    verb: str

    @classmethod
    def sent(cls) -> _Labelling:
        """What the form says.

        Raises:
            Invalid: a resource or the label is not of its form, or missing.
        """
        chosen, name, verb = request.form.getlist(_CHOSEN), forms.text("label"), forms.text("do")
        if not chosen:
            raise Invalid("Choose at least one resource.", field=_CHOSEN)
        labels.parse_label(name)
        return cls(tuple(sorted(set(map(scopes.parse_reference, chosen)))), name, verb if verb in _VERBS else _ADD)

    def do(self, database: Connection) -> None:
        """Do it for all of them, or for none; each is judged by itself."""
        carried = resources.labels_of(database, workspace_id=_of(), resources=self.references)
        for reference in self.references:
            require(f"{reference.type}.label", Resource(reference, frozenset(carried[reference])))
        change = _VERBS[self.verb]
        change(database, workspace_id=_of(), resources=self.references, labels=[self.label], by=actor())

    @property
    def done(self) -> str:
        """What has been done, as a sentence."""
        count = len(self.references)
        what = f"{self.references[0]}" if count == 1 else f"Each of the {count} resources"
        return f"{what} {'carries' if self.verb == _ADD else 'does not carry'} {self.label} now."


@blueprint.post("/label")
@confirming.counts(blueprint, "/label")
@by_member_somewhere("source.label")
def label() -> AnyResponse | str | tuple[str, int]:
    """Say who gains and loses what when resources get a label or lose it, ask once, and do it."""
    try:
        wanted = _Labelling.sent()
        if _is_question():
            return _question("confirm_label", wanted.do, wanted=wanted)
        with transaction() as database:
            wanted.do(database)
    except (Invalid, Conflict) as refusal:
        if confirming.is_counting():
            raise
        return render_template("console/resources/not_labelled.html", refusal=refusal), refusal.status
    return flash.done(wanted.done, url_for(".index", label=wanted.label))
