"""People: a workspace's team members, what they may do and why, their sessions, and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access import facts, rules
from provisioning.audit import trail
from provisioning.audit.trail import Narrowing
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import connections, listing, members, owners, roster
from provisioning.directory.connections import ConnectionView
from provisioning.directory.filters import Order
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Page as Some
from provisioning.directory.paging import Sorting, Window
from provisioning.directory.roster import MemberView
from provisioning.scim.filter import And, Comparison, Filter, Or
from provisioning.scim.path import AttributePath
from provisioning.sessions import lifecycle
from provisioning.sessions import listing as open_sessions
from provisioning.web.console import flash, forms, lists, seen
from provisioning.web.console.guard import by_member, here, insider
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.page import Page
from provisioning.web.console.recorded import recorded
from provisioning.web.console.shown import counted
from provisioning.web.guard import actor
from provisioning.web.reasons import ENDED, ENDINGS
from provisioning.web.recorded import record

blueprint = Blueprint("people", __name__)
PAGE = Page("People", "member.read", blueprint, "/people")

_NAMED = {"name": AttributePath(None, "displayName"), "user_name": AttributePath(None, "userName")}
_ADDED = "added"
_STATES = ("active", "suspended")
_KINDS = {"owners": listing.OWNERS, "protected": listing.PROTECTED}
_BY_HAND = "none"
_COLUMNS = (
    "id",
    "name",
    "user_name",
    "email",
    "state",
    "owner",
    "protected",
    "origin",
    "connection",
    "groups",
    "added",
)


def _asked(sources: Sequence[ConnectionView]) -> Listing:
    from_ = (_BY_HAND, *(str(source.id) for source in sources))
    return lists.asked(Offer((*_NAMED, _ADDED), {"state": _STATES, "kind": tuple(_KINDS), "from": from_}))


def _condition(asked: Listing) -> Filter | None:
    """Words are what a name, userName or address begins with: an index leads there however many people there are."""
    terms: list[Filter] = []
    if asked.words:
        terms.append(Or(tuple(Comparison(named, "sw", asked.words) for named in _NAMED.values())))
    if "state" in asked.filters:
        terms.append(Comparison(AttributePath(None, "active"), "eq", asked.filters["state"] == "active"))
    return And(tuple(terms)) if len(terms) > 1 else terms[0] if terms else None


def _some(database: Connection, asked: Listing, window: Window) -> Some[MemberView]:
    order: Order | Sorting | None = listing.NEWEST_MEMBERS if asked.descending else None
    if asked.sort != _ADDED:
        order = Order(_NAMED[asked.sort], asked.descending)
    meeting = [_KINDS[asked.filters["kind"]]] if "kind" in asked.filters else []
    source = asked.filters.get("from")
    if source is not None:
        meeting.append(listing.BY_NO_CONNECTION if source == _BY_HAND else listing.pushed_by(UUID(source)))
    selection = Selection(window, _condition(asked), order)
    return listing.of_members(database, workspace_id=here().workspace_id, selection=selection, meeting=meeting)


@blueprint.get("")
@by_member("member.read")
def index() -> str:
    """Everybody, or those who are searched for."""
    with reading() as database:
        sources = connections.every(database, workspace_id=here().workspace_id)
        asked = _asked(sources)
        found = _some(database, asked, asked.window)
    return render_template(
        "console/people/index.html",
        asked=asked,
        people=found.items,
        paging=asked.paging(found),
        sources={source.id: source.name for source in sources},
    )


@blueprint.get("/export.csv")
@by_member("member.read")
def export() -> Response:
    """The same list, all of it, as a table."""
    with reading() as database:
        sources = connections.every(database, workspace_id=here().workspace_id)
    asked, names = _asked(sources), {source.id: source.name for source in sources}

    def read(window: Window) -> Some[MemberView]:
        with reading() as database:
            return _some(database, asked, window)

    rows = ([_row(member, names) for member in page] for page in lists.every_page(read))
    return lists.as_csv("people", _COLUMNS, rows)


def _row(member: MemberView, sources: dict[UUID, str]) -> Sequence[Any]:
    state = "active" if member.active else "suspended"
    groups = ", ".join(group.display_name for group in member.groups)
    named = (member.id, member.display_name, member.user_name, member.email, state, member.owner, member.protected)
    source = None if member.connection_id is None else sources.get(member.connection_id)
    return (*named, member.origin, source, groups, member.created_at.isoformat())


def _member(database: Connection, member_id: UUID) -> MemberView:
    return roster.by_id(database, workspace_id=here().workspace_id, member_id=member_id)


@blueprint.get("/<uuid:member_id>")
@by_member("member.read")
def one(member_id: UUID) -> str:
    """One person: who they are, their groups, and what they may do, each with every reason for it."""
    with reading() as database:
        member, access = _member(database, member_id), None
        if insider().may("access.read"):
            case = facts.of_member(
                database, workspace_id=here().workspace_id, member_id=member.id, catalogue=context().catalogue
            )
            access = rules.effective(case.facts)
    if access is not None:
        record("access", workspace_id=here().workspace_id, asked={}, member_id=member_id)
    return render_template("console/people/one.html", member=member, access=access)


@blueprint.get("/<uuid:member_id>/sessions")
@by_member("session.read")
@recorded("sessions")
def sessions(member_id: UUID) -> str:
    """A person's sessions that reach into this workspace, newest first, each judged at this moment."""
    asked = lists.asked(Offer(("begun",)))
    with reading() as database:
        member = _member(database, member_id)
        found = lifecycle.every(
            database,
            policy=context().session_policy,
            workspace_id=here().workspace_id,
            window=asked.window,
            user_id=member.user_id,
        )
    shown = {"ended": ENDED, "endings": ENDINGS, "asked": asked, "paging": asked.paging(found)}
    return render_template("console/people/sessions.html", member=member, sessions=found.items, **shown)


@blueprint.get("/<uuid:member_id>/sessions/end")
@by_member("session.revoke")
def confirm_end(member_id: UUID) -> str:
    """Ask once whether to end a person's sessions."""
    with reading() as database:
        member = _member(database, member_id)
        of = {"workspace_id": here().workspace_id, "user_id": member.user_id}
        count = open_sessions.count_open(database, **of)
    return render_template("console/people/end_sessions.html", member=member, count=count)


@blueprint.post("/<uuid:member_id>/sessions/end")
@by_member("session.revoke")
def end_sessions(member_id: UUID) -> AnyResponse:
    """End all sessions of a person that open this workspace."""
    with transaction() as database:
        member = _member(database, member_id)
        ended = lifecycle.revoke_of_member(
            database, workspace_id=here().workspace_id, user_id=member.user_id, by=actor()
        )
    said = f"{counted(ended, 'session')} of {member.display_name} ended."
    return flash.done(said, url_for(".one", member_id=member_id))


@blueprint.get("/<uuid:member_id>/history")
@by_member("audit.read")
@recorded("trail")
def history(member_id: UUID) -> str:
    """What happened to a person in this workspace, and what they were given and lost, newest first."""
    asked = lists.asked(Offer(("at",)))
    with reading() as database:
        member = _member(database, member_id)
        narrowing = Narrowing(resource_type="user", resource_id=str(member.user_id), given_to=f"member:{member.id}")
        found = trail.some(database, workspace_id=here().workspace_id, narrowing=narrowing, window=asked.window)
        sources = connections.every(database, workspace_id=here().workspace_id)
    shown = {"entries": found.items, "asked": asked, "paging": asked.paging(found)}
    shown["actors"] = {f"connection:{source.id}": f"the connection {source.name}" for source in sources}
    return render_template("console/people/history.html", member=member, **shown)


@blueprint.post("/<uuid:member_id>/protected")
@by_member("member.protect")
def protect(member_id: UUID) -> AnyResponse:
    """Put a person out of the identity providers' reach, or within it again."""
    protected = forms.text("protected") == "yes"
    with transaction() as database:
        member = roster.lock(database, workspace_id=here().workspace_id, member_id=member_id)
        seen.require_member(member)
        owners.protect(database, member=member, protected=protected, by=actor())
    reach = "out of the identity providers' reach" if protected else "within the identity providers' reach again"
    return flash.done(f"{member.display_name} is {reach}.", url_for(".one", member_id=member_id))


@blueprint.get("/<uuid:member_id>/remove")
@by_member("member.remove")
def confirm_remove(member_id: UUID) -> str:
    """Say what a removal takes away, and ask once."""
    with reading() as database:
        member = _member(database, member_id)
        case = facts.of_member(
            database, workspace_id=here().workspace_id, member_id=member.id, catalogue=context().catalogue
        )
    roles = {grant.role.key for grant in case.facts.grants}
    return render_template("console/people/remove.html", member=member, roles=len(roles), seen=seen.of_member(member))


@blueprint.post("/<uuid:member_id>/remove")
@by_member("member.remove")
def remove(member_id: UUID) -> AnyResponse:
    """Take a person out of the workspace: their sessions, places in groups and policies end."""
    with transaction() as database:
        member = roster.lock(database, workspace_id=here().workspace_id, member_id=member_id)
        seen.require_member(member)
        members.remove(database, member=member, by=actor())
    return flash.done(f"{member.display_name} is no member any more.", url_for(".index"))
