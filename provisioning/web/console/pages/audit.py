"""The audit trail: what happened, as sentences; whether it is what was written; and the trail to take along."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, Response, render_template, request

from provisioning.access import mappings
from provisioning.audit import signatures, trail, verification
from provisioning.audit.export import Wanted
from provisioning.audit.trail import Entry, Narrowing
from provisioning.audit.verification import Milestone
from provisioning.context import context
from provisioning.database import Connection, reading, snapshot
from provisioning.directory import names
from provisioning.directory.names import Named
from provisioning.sealing import Unsealable
from provisioning.web import exports, walks
from provisioning.web.console import lists, told
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.page import Page
from provisioning.web.console.recorded import recorded
from provisioning.web.console.told import Teller

blueprint = Blueprint("audit", __name__)
PAGE = Page("Audit", "audit.read", blueprint, "/audit")

_SINCE, _UNTIL = "since", "until"
_OFFER = Offer(("at",), texts=(_SINCE, _UNTIL, "kind", "actor", "about"))
# A check takes about so long of one request.
_AFFORDED_SECONDS = 0.4
_CURSOR = "from"


@blueprint.get("")
@by_member("audit.read")
@recorded("trail")
def index() -> str:
    """What happened, newest first, or what is searched for."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found = trail.some(database, workspace_id=here().workspace_id, narrowing=_narrowing(asked), window=asked.window)
        known = _named(database, found.items)
    return render_template(
        "console/audit/index.html",
        asked=asked,
        entries=found.items,
        paging=asked.paging(found),
        teller=Teller(known),
        known=known,
        kinds=_kinds(),
        wrong=[name for name in (_SINCE, _UNTIL) if name in asked.filters and _day(asked, name) is None],
        as_id=told.as_id,
    )


def _kinds() -> list[str]:
    """The names of facts and of their families, to choose from."""
    return sorted({*told.PREDICATES, *(name.partition(".")[0] for name in told.PREDICATES)})


def _narrowing(asked: Listing) -> Narrowing:
    kind, _, identifier = asked.filters.get("about", "").partition(":")
    until = _day(asked, _UNTIL)
    return Narrowing(
        since=_day(asked, _SINCE),
        until=None if until is None else until + timedelta(days=1),
        resource_type=kind or None,
        resource_id=identifier or None,
        name=asked.filters.get("kind"),
        actor=asked.filters.get("actor"),
    )


def _day(asked: Listing, name: str) -> datetime | None:
    """The beginning of a day in UTC; None where none is asked for, or it isn't one."""
    try:
        return datetime.strptime(asked.filters.get(name, ""), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _named(database: Connection, entries: Sequence[Entry]) -> dict[UUID, Named]:
    ids = {identifier for entry in entries for identifier in told.ids_of(entry)}
    rules = mappings.names(database, workspace_id=here().workspace_id, ids=ids)
    others = names.of_ids(database, workspace_id=here().workspace_id, ids=ids)
    return others | {identifier: Named("mapping", identifier, name) for identifier, name in rules.items()}


def _export(form: str) -> Response:
    narrowing = _narrowing(lists.asked(_OFFER))
    return exports.trail(Wanted(here().workspace_id, narrowing.since, narrowing.until), form)


@blueprint.get("/export.csv")
@by_member("audit.read")
@recorded("trail")
def export() -> Response:
    """The trail of the time that is asked for, oldest first, as a table."""
    return _export("csv")


@blueprint.get("/export.ndjson")
@by_member("audit.read")
@recorded("trail")
def export_lines() -> Response:
    """The same, with a line of JSON a fact: what the seals hold."""
    return _export("ndjson")


@blueprint.get("/verify")
@by_member("audit.read")
@recorded("trail")
def verify() -> str:
    """Check the workspace's chain for as long as a request may take, from its beginning or from where it stopped."""
    chain = here().workspace_id
    question = walks.digest(["console", "verify", str(chain)])
    since, is_outdated = _since(question)
    with snapshot() as database:
        known = signatures.known(database, vouching=context().notary.vouching)
        found, reached = verification.check_on(
            database, chain=chain, known=known, since=since, in_time=_for_a_while(_AFFORDED_SECONDS)
        )
    further = None if reached is None else lists.address(**{_CURSOR: walks.give_out(question, *astuple(reached))})
    return render_template(
        "console/audit/verify.html",
        verdict=found,
        further=further,
        is_outdated=is_outdated,
        unvouched=known.unvouched,
        unnamed=found.trouble_count - len(found.troubles),
    )


def _since(question: str) -> tuple[Milestone | None, bool]:
    cursor = request.args.get(_CURSOR, "")
    if not cursor:
        return None, False
    try:
        return Milestone(*walks.take_back(cursor, question)), False
    except (walks.Foreign, Unsealable):
        return None, True


def _for_a_while(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() < ends
