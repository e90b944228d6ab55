"""What stands around every page of a workspace: where one is, where one can go, who one is, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for

from provisioning.directory.overview import Place
from provisioning.sessions.rules import Standing, Verdict
from provisioning.web.console import assets, flash, forms, theme
from provisioning.web.console.guard import Insider, insider, is_inside
from provisioning.web.console.page import Page
from provisioning.web.guard import person

# Of a session that ends later nobody has to be told all the time.
_SOON_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation."""

    title: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Countdown:
    """A session that ends soon: in how many seconds, and whether being active puts it off."""

    seconds: int
    waits: bool
    workspace: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of the page that is being answered."""

    links: Sequence[Link]
    countdown: Countdown | None
    insider: Insider

    @property
    def place(self) -> Place:
        """The workspace."""
        return self.insider.place


def init_app(app: Flask, pages: Sequence[Page]) -> None:
    """Give every template what it stands in."""

    @app.context_processor
    def around() -> dict[str, Any]:
        known: dict[str, Any] = {"file": assets.SHELF.address, "theme": theme.chosen()}
        if is_inside():
            known |= {"frame": _frame(pages), "flashes": flash.take(), "form_token": forms.token}
            known |= {"may": insider().may, "may_somewhere": insider().may_somewhere, "form_field": forms.FIELD}
        return known

    @app.url_defaults
    def in_this_workspace(endpoint: str, values: dict[str, Any]) -> None:
        if "slug" not in values and is_inside() and app.url_map.is_endpoint_expecting(endpoint, "slug"):
            values["slug"] = insider().place.slug


def _frame(pages: Sequence[Page]) -> Frame:
    links = [
        Link(page.title, url_for(page.endpoint), f"console.{page.blueprint.name}" in request.blueprints)
        for page in pages
        if insider().may(page.action)
    ]
    return Frame(links, countdown(person().standing, person().verdict), insider())


def countdown(standing: Standing, verdict: Verdict) -> Countdown | None:
    """How long a session still lives, by the database's clock, where that is soon."""
    if verdict.expires_at is None:
        return None
    seconds = int((verdict.expires_at - standing.now).total_seconds())
    waits = verdict.next_reason != "absolute"
    return Countdown(seconds, waits, verdict.next_workspace) if seconds <= _SOON_SECONDS else None
