"""API tokens: the list, a new one, a new secret, and the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.access.policies import PolicyView, Subject
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading, rehearsal, transaction
from provisioning.directory import workspaces
from provisioning.directory.paging import Page, Window
from provisioning.refusals import Invalid, NotAllowed
from provisioning.tokens import api
from provisioning.tokens.api import Narrowing
from provisioning.tokens.standing import TokenView
from provisioning.web.console import flash, forms, lists
from provisioning.web.console.guard import by_member, here, is_in_person
from provisioning.web.console.lists import Listing, Offer
from provisioning.web.console.pages.tokens.page import FIELDS, blueprint, days, givable, give, given, owners, terms
from provisioning.web.console.shown import counted
from provisioning.web.guard import actor

_LIVE, _ENDED = "live", "ended"
_OFFER = Offer(("added", "name", "ends"), {"state": (_LIVE, _ENDED)})
_COLUMNS = ("id", "name", "owner", "roles", "made", "ends", "ended", "reason", "last_used", "from", "ranges")
_OVERLAPS = {"86400": "a day", "3600": "an hour", "604800": "a week", "0": "not at all: they end now"}


def _some(database: Connection, asked: Listing, window: Window) -> Page[TokenView]:
    sortings = {"name": api.by_name, "ends": api.by_end, "added": api.by_making}
    state = asked.filters.get("state")
    narrowing = Narrowing(
        asked.words, None if state is None else state == _LIVE, sortings[asked.sort](descending=asked.descending)
    )
    return api.some(database, workspace_id=here().workspace_id, window=window, narrowing=narrowing)


def _told(database: Connection, found: Sequence[TokenView]) -> dict[str, Any]:
    return {
        "given": given(database, "token", [token.id for token in found]),
        "owners": owners(database, [token.member_id for token in found]),
    }


@blueprint.get("")
@by_member("token.read")
def index() -> str:
    """The workspace's API tokens, those that ended lately, too."""
    asked = lists.asked(_OFFER)
    with reading() as database:
        found = _some(database, asked, asked.window)
        told = _told(database, found.items)
    shown = {"asked": asked, "tokens": found.items, "paging": asked.paging(found)}
    return render_template("console/tokens/index.html", **shown, **told)


@blueprint.get("/export.csv")
@by_member("token.read")
def export() -> Response:
    """The same list, all of it, as a table."""
    asked = lists.asked(_OFFER)

    def read(window: Window) -> Page[TokenView]:
        with reading() as database:
            return _some(database, asked, window)

    return lists.as_csv("tokens", _COLUMNS, (_rows(page) for page in lists.every_page(read)))


def _rows(found: Sequence[TokenView]) -> list[Sequence[Any]]:
    with reading() as database:
        told = _told(database, found)
    return [_row(token, told["owners"], told["given"][token.id]) for token in found]


def _row(token: TokenView, owners: Mapping[UUID | None, str], roles: list[tuple[str, PolicyView]]) -> Sequence[Any]:
    moments = (token.created_at, token.expires_at, token.ended_at)
    made, ends, ended = (at and at.isoformat() for at in moments)
    used = token.last_used_at and token.last_used_at.isoformat()
    named = (token.id, token.name, owners.get(token.member_id), ", ".join(name for name, _ in roles))
    return (*named, made, ends, ended, token.ended_reason, used, token.last_used_from, ", ".join(token.ranges))


@blueprint.get("/new")
@by_member("token.create")
def new() -> str:
    """Ask what a token is for, what it may do, and for how long."""
    return _form({}, {})


def _form(values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with reading() as database:
        own = workspaces.longest_token(database, workspace_id=here().workspace_id)
        roles = [(role.key, role.name) for role in givable(database)]
    limits = context().token_limits
    longest = limits.longest if own is None else min(own, limits.longest)
    shown = {"roles": roles, "longest": longest, "standard": min(limits.standard, longest)}
    return render_template("console/tokens/new.html", values=values, errors=errors, **shown)


@blueprint.post("/new")
@by_member("token.create")
def create() -> str | tuple[str, int]:
    """Make a token that belongs to whoever makes it, and show its secret this once."""
    values = {name: forms.text(name) for name in ("name", "role", "labels", "days", "ranges")}
    secret = context().keyring.mint(Kind.API_TOKEN)
    try:
        with transaction() as database:
            made = api.issue(
                database,
                workspace_id=here().workspace_id,
                name=values["name"],
                digest=secret.digest,
                by=actor(),
                lifetime=days("days", "expiresIn"),
                limits=context().token_limits,
                owner_id=here().member_id,
                address_ranges=values["ranges"].split(),
                to_owner=is_in_person(),
            )
            give(database, Subject("token", made.id), terms())
    except (Invalid, NotAllowed) as refusal:
        return _form(values, {FIELDS.get(refusal.field or "", "role"): refusal.sentence}), refusal.status
    return _shown(f"The token {made.name}", secret.text)


def _shown(title: str, secret: str) -> str:
    told = [("Token", secret, True)]
    return render_template("console/shown_once.html", title=title, told=told, back=url_for(".index"), page="Tokens")


@blueprint.get("/<uuid:token_id>/rotate")
@by_member("token.rotate")
def confirm_rotate(token_id: UUID) -> str:
    """Ask how long the secrets in use are to stay valid beside a new one."""
    return _rotation(token_id, {})


def _rotation(token_id: UUID, errors: Mapping[str, str]) -> str:
    with reading() as database:
        token = api.by_id(database, workspace_id=here().workspace_id, token_id=token_id)
    shown = {"token": token, "overlaps": _OVERLAPS, "errors": errors, "days": forms.text("days")}
    return render_template("console/tokens/rotate.html", **shown)


@blueprint.post("/<uuid:token_id>/rotate")
@by_member("token.rotate")
def rotate(token_id: UUID) -> str | tuple[str, int]:
    """Give a token a new secret, and show it this once."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    try:
        overlap = forms.chosen("overlap", _OVERLAPS)
        with transaction() as database:
            of = api.by_id(database, workspace_id=here().workspace_id, token_id=token_id).member_id
            rotated = api.rotate(
                database,
                workspace_id=here().workspace_id,
                token_id=token_id,
                digest=secret.digest,
                by=actor(),
                overlap=timedelta(seconds=int(overlap)),
                lifetime=days("days", "expiresIn"),
                limits=context().token_limits,
                to_owner=is_in_person() and of == here().member_id,
            )
    except Invalid as refusal:
        return _rotation(token_id, {FIELDS.get(refusal.field or "", "days"): refusal.sentence}), refusal.status
    return _shown(f"A new secret for {rotated.name}", secret.text)


def _revoke(database: Connection, token_id: UUID) -> int:
    return api.revoke(database, workspace_id=here().workspace_id, token_id=token_id, by=actor())


@blueprint.get("/<uuid:token_id>/revoke")
@by_member("token.revoke")
def confirm_revoke(token_id: UUID) -> str:
    """Say how many tokens end with this one, and ask once."""
    with rehearsal() as database:
        token = api.by_id(database, workspace_id=here().workspace_id, token_id=token_id)
        count = _revoke(database, token_id)
    return render_template("console/tokens/revoke.html", token=token, count=count)


@blueprint.post("/<uuid:token_id>/revoke")
@by_member("token.revoke")
def revoke(token_id: UUID) -> AnyResponse:
    """End a token now, and those that it has made."""
    with transaction() as database:
        count = _revoke(database, token_id)
    return flash.done(f"{counted(count, 'token')} ended.", url_for(".index"))
