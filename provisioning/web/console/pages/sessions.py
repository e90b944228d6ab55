"""Sessions: who is signed in to this workspace, how that began, and ending it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import listing, roster
from provisioning.directory.paging import Page as Some
from provisioning.directory.paging import Window
from provisioning.scim.filter import Comparison, Or
from provisioning.scim.path import AttributePath
from provisioning.sessions import lifecycle
from provisioning.sessions.listing import SessionView
from provisioning.web.console import flash, lists
from provisioning.web.console.guard import by_member, here
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.page import Page
from provisioning.web.console.recorded import recorded
from provisioning.web.guard import actor
from provisioning.web.reasons import ENDED, ENDINGS

blueprint = Blueprint("sessions", __name__)
PAGE = Page("Sessions", "session.read", blueprint, "/sessions")

_OPEN, _ENDED = "open", "ended"
_OFFER = Offer(("-begun", "begun"), {"state": (_OPEN, _ENDED)})
_NAMED = (AttributePath(None, "displayName"), AttributePath(None, "userName"))
_COLUMNS = (
    *("id", "person", "email", "begun", "last_seen", "open", "reason", "ends", "policy"),
    *("connection", "address", "browser", "methods"),
)
People = dict[UUID, tuple[UUID, str]]


def _some(database: Connection, asked: Listing, window: Window) -> tuple[Some[SessionView], People]:
    """Sessions with whose they are; words are what a name or user name begins with."""
    of, people = here().workspace_id, None
    if asked.words:
        condition = Or(tuple(Comparison(named, "sw", asked.words) for named in _NAMED))
        people = listing.people(workspace_id=of, condition=condition)
    state = asked.filters.get("state")
    found = lifecycle.every(
        database,
        policy=context().session_policy,
        workspace_id=of,
        window=window,
        people=people,
        ended=None if state is None else state == _ENDED,
        oldest_first=not asked.descending,
    )
    return found, roster.of_people(database, workspace_id=of, user_ids=[each.user_id for each in found.items])


@blueprint.get("")
@by_member("session.read")
@recorded("sessions")
def index() -> str:
    """The sessions that open this workspace, newest first, each judged at this moment."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found, people = _some(database, asked, asked.window)
    shown = {"asked": asked, "sessions": found.items, "people": people, "paging": asked.paging(found)}
    return render_template("console/sessions/index.html", ended=ENDED, endings=ENDINGS, **shown)


@blueprint.get("/export.csv")
@by_member("session.read")
@recorded("sessions")
def export() -> Response:
    """The same list, all of it, as a table."""
    asked = lists.asked(_OFFER)
    known: People = {}

    def read(window: Window) -> Some[SessionView]:
        with reading() as database:
            found, people = _some(database, asked, window)
        known.update(people)
        return found

    rows = ([_row(session, known) for session in page] for page in lists.every_page(read))
    return lists.as_csv("sessions", _COLUMNS, rows)


def _row(session: SessionView, people: People) -> Sequence[Any]:
    judged, how = session.verdict, session.sign_in
    person = people.get(session.user_id, (None, None))[1]
    moments = (session.created_at.isoformat(), session.last_seen_at.isoformat())
    ends = None if judged.expires_at is None else judged.expires_at.isoformat()
    state = (judged.active, judged.reason, ends, judged.policy)
    began = (session.connection, how.address, how.user_agent, ", ".join(how.amr))
    return (session.id, person, session.email, *moments, *state, *began)


@blueprint.get("/<uuid:session_id>/end")
@by_member("session.revoke")
@recorded("sessions")
def confirm_end(session_id: UUID) -> str:
    """Ask once whether to end a session."""
    with reading() as database:
        of, policy = here().workspace_id, context().session_policy
        session = lifecycle.by_id(database, policy=policy, workspace_id=of, session_id=session_id)
        people = roster.of_people(database, workspace_id=of, user_ids=[session.user_id])
    return render_template("console/sessions/end.html", session=session, person=people.get(session.user_id))


@blueprint.post("/<uuid:session_id>/end")
@by_member("session.revoke")
def end(session_id: UUID) -> AnyResponse:
    """End a session now."""
    with transaction() as database:
        lifecycle.revoke(database, session_id=session_id, workspace_id=here().workspace_id, by=actor())
    return flash.done("The session has ended.", url_for(".index"))
