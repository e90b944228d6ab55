"""Settings of a workspace: what it is called, how long sessions and tokens live, and what the operator has set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from provisioning.context import context
from provisioning.database import Connection, reading, rehearsal, transaction
from provisioning.directory import connections, workspaces
from provisioning.identities import domains
from provisioning.refusals import Invalid
from provisioning.sessions import limits, listing
from provisioning.sessions.limits import OwnLimits
from provisioning.sessions.rules import HIPAA, STANDARD, Limits
from provisioning.tokens import ending
from provisioning.web.console import flash, forms
from provisioning.web.console.guard import by_member, here, insider
from provisioning.web.console.page import Page
from provisioning.web.guard import actor

blueprint = Blueprint("settings", __name__)
PAGE = Page("Settings", "workspace.read", blueprint, "/settings")

_MINUTE, _DAY = 60, 86_400
# What the database can hold.
_MOST_SECONDS = 100 * 366 * _DAY
# What the room calls a field, as the form does.
_FIELDS = {"idleSeconds": "idle", "absoluteSeconds": "absolute", "longestLifetime": "longest"}


def _service() -> Limits:
    return context().session_policy.limits(HIPAA if here().hipaa_eligible else STANDARD)


@blueprint.get("")
@by_member("workspace.read")
def index() -> str:
    """What holds in this workspace, and whose it is to change: each part is shown to those who may read it."""
    with reading() as database:
        workspace = workspaces.by_id(database, here().workspace_id)
        parts = {name: part(database) for name, (action, part) in _PARTS.items() if insider().may(action)}
    if insider().may("audit.read"):
        parts["retention"] = context().audit_retention
    return render_template("console/settings/index.html", workspace=workspace, **parts)


def _limits(database: Connection) -> object:
    return {"own": limits.of_workspace(database, workspace_id=here().workspace_id), "service": _service()}


def _lifetimes(database: Connection) -> object:
    longest, service = workspaces.longest_token(database, workspace_id=here().workspace_id), context().token_limits
    standard = min(service.standard, longest or service.longest)
    return {"longest": longest, "service": service.longest, "standard": standard}


def _domains(database: Connection) -> object:
    of = here().workspace_id
    names = {each.id: each.name for each in connections.every(database, workspace_id=of)}
    return [(domain, names[at]) for domain, at in domains.of_workspace(database, workspace_id=of)]


# Of each part of the page, the action that it takes and how it is read.
_PARTS: Mapping[str, tuple[str, Callable[[Connection], object]]] = {
    "sessions": ("session.read", _limits),
    "tokens": ("token.read", _lifetimes),
    "domains": ("connection.read", _domains),
}


@blueprint.get("/sessions")
@by_member("session.limit")
def session_limits() -> str:
    """Ask for the workspace's own limits of sessions."""
    with reading() as database:
        own = limits.of_workspace(database, workspace_id=here().workspace_id)
    values = {"idle": own.idle and own.idle // _MINUTE, "absolute": own.absolute and own.absolute // _MINUTE}
    return _sessions(values, {})


def _sessions(values: Mapping[str, object], errors: Mapping[str, str], ends: int | None = None) -> str:
    shown = {"values": values, "errors": errors, "ends": ends, "asked": _asked(values), "service": _service()}
    return render_template("console/settings/sessions.html", **shown)


def _asked(values: Mapping[str, object]) -> str:
    """What a question was about: the answer carries it, and says yes to nothing else."""
    return " ".join(f"{name}:{value}" for name, value in values.items())


@blueprint.post("/sessions")
@by_member("session.limit")
def limit_sessions() -> Response | str | tuple[str, int]:
    """Set the workspace's own limits, once it was said how many sessions that ends."""
    values = {name: forms.text(name) for name in ("idle", "absolute")}
    of, policy = here().workspace_id, context().session_policy
    try:
        wanted = OwnLimits(*(_seconds(name, _MINUTE, f"{name}Seconds") for name in values))
        with rehearsal() as database:
            limits.replace(database, workspace_id=of, limits=wanted, policy=policy, by=actor())
            ends = listing.count_shortened(database, workspace_id=of, idle=wanted.idle, absolute=wanted.absolute)
    except Invalid as refusal:
        return _sessions(values, {_FIELDS.get(refusal.field or "", "idle"): refusal.sentence}), refusal.status
    if forms.text("sure") != _asked(values):
        return _sessions(values, {}, ends)
    with transaction() as database:
        limits.replace(database, workspace_id=of, limits=wanted, policy=policy, by=actor())
    return flash.done("The limits hold from now on.", url_for(".index"))


def _seconds(name: str, unit: int, field: str) -> int | None:
    written = forms.number(name, field)
    return None if written is None else written * unit


@blueprint.get("/tokens")
@by_member("token.limit")
def longest_token() -> str:
    """Ask for how long API tokens live here at the most."""
    with reading() as database:
        own = workspaces.longest_token(database, workspace_id=here().workspace_id)
    return _tokens("" if own is None else str(own // timedelta(days=1)), None)


def _tokens(longest: str, error: str | None, ends: int | None = None) -> str:
    asked = _asked({"longest": longest})
    shown = {"longest": longest, "error": error, "ends": ends, "asked": asked, "tokens": context().token_limits}
    return render_template("console/settings/tokens.html", **shown)


def _shorten(database: Connection, longest: timedelta | None) -> int:
    of = here().workspace_id
    workspaces.set_longest_token(database, workspace_id=of, longest=longest, by=actor())
    return 0 if longest is None else ending.shorten(database, workspace_id=of, longest=longest, by=actor())


@blueprint.post("/tokens")
@by_member("token.limit")
def limit_tokens() -> Response | str | tuple[str, int]:
    """Say how long API tokens live here at the most, once it was said how many end earlier so."""
    written = forms.text("longest")
    try:
        seconds = _seconds("longest", _DAY, "longestLifetime")
        longest = None if seconds is None else timedelta(seconds=min(seconds, _MOST_SECONDS))
        with rehearsal() as database:
            ends = _shorten(database, longest)
    except Invalid as refusal:
        return _tokens(written, refusal.sentence), refusal.status
    if forms.text("sure") != _asked({"longest": written}):
        return _tokens(written, None, ends)
    with transaction() as database:
        _shorten(database, longest)
    return flash.done("The maximum holds from now on.", url_for(".index"))
