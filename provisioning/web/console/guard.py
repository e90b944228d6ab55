"""Who may see a page of a workspace: a member of it who is signed in, and whose access allows the page's action.

The engine is asked with the member's own facts, as every other door asks it. What changes something must be sent by a
page of ours: told by the browser, and by the form's token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypedDict, TypeVar
from uuid import UUID

from flask import g, request

from provisioning.access import facts, rules
from provisioning.access.policies import Giver
from provisioning.access.roles import Catalogue
from provisioning.access.rules import Facts, Resource
from provisioning.context import context
from provisioning.database import Connection, reading
from provisioning.directory import overview
from provisioning.directory.overview import Place
from provisioning.refusals import NotAllowed, NotFound
from provisioning.web import giving
from provisioning.web.console import forms
from provisioning.web.guard import Person, admit, declare, person, recognise, renew_where_due

P = ParamSpec("P")
T = TypeVar("T")

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Insider:
    """Somebody in a workspace, at this moment.

    Args:
        place: the workspace, and what the person is there.
        places: all workspaces that the session reaches, by name.
        facts: what the person's access in this one rests on.
    """

    place: Place
    places: Sequence[Place]
    facts: Facts

    def may(self, action: str) -> bool:
        """Whether they may do something in the workspace."""
        return rules.decide(self.facts, action).allowed

    def may_somewhere(self, action: str) -> bool:
        """Whether some role of theirs has the action, on whatever."""
        return any(grant.role.allows(action) for grant in self.facts.grants)


def by_member(action: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a page for members of the workspace in its address whose access allows the action there.

    The view is called without the address's `slug`; it finds who is asking in `insider()`. Being there is activity.
    """
    return _guarded(action, admit, f"member: {action}")


def by_member_somewhere(action: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare a page for members whose access allows the action on some resource.

    Which ones it is about stands in the request: the view has each of them judged by `require`.
    """
    return _guarded(action, admit, f"member: {action}", _require_somewhere)


def by_member_watching(action: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare what a page of a member asks by itself, again and again: that is no activity of theirs."""
    return _guarded(action, recognise, f"member watching: {action}")


def _guarded(
    action: str,
    admitting: Callable[[Connection], Person],
    guarded_by: str,
    requiring: Callable[[str], None] | None = None,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    def declaring(view: Callable[P, T]) -> Callable[P, T]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with reading() as database:
                admitting(database)
                g.insider = _inside(database, str(kwargs.pop("slug")))
            renew_where_due()
            (requiring or require)(action)
            if request.method not in _SAFE:
                forms.refuse_forged()
            return view(*args, **kwargs)

        return declare(guarded, guarded_by)

    return declaring


def _inside(database: Connection, slug: str) -> Insider:
    """Two statements: where the person is, and what their access there rests on."""
    standing = person().standing
    places = overview.of_person(database, user_id=standing.user_id, reach_id=standing.reach_id)
    here = next((place for place in places if place.slug == slug), None)
    if here is None:
        raise NotFound("There is no such workspace, or you are no member of it.")
    case = facts.of_member(
        database, workspace_id=here.workspace_id, member_id=here.member_id, catalogue=context().catalogue
    )
    return Insider(here, places, case.facts)


def require(action: str, resource: Resource | None = None) -> None:
    """Refuse what the person who is asking may not do in the workspace, or on one resource of it.

    Raises:
        NotAllowed: their access does not allow the action.
    """
    if not rules.decide(insider().facts, action, resource).allowed:
        raise _lacking(action)


def _require_somewhere(action: str) -> None:
    if not insider().may_somewhere(action):
        raise _lacking(action)


def _lacking(action: str) -> NotAllowed:
    return NotAllowed(f"Your access in this workspace does not allow {action}.", action=action)


def insider() -> Insider:
    """The person who is asking, in the workspace of the page."""
    found: Insider = g.insider
    return found


def is_in_person() -> bool:
    """Whether nobody but the person can be asking, as far as sessions tell.

    One that opens this workspace alone was begun by a program of the workspace, which has had its text, too.
    """
    return person().standing.reach_id is None


def is_inside() -> bool:
    """Whether it was made out who is asking, in which workspace."""
    return "insider" in g


def here() -> Place:
    """The workspace of the page."""
    return insider().place


class Where(TypedDict):
    """Where, and with which built-in roles, questions of access are asked."""

    workspace_id: UUID
    catalogue: Catalogue


def where() -> Where:
    """The workspace of the page, and the built-in roles."""
    return {"workspace_id": here().workspace_id, "catalogue": context().catalogue}


def giver(database: Connection) -> Giver:
    """The person who is asking, as one who gives roles of the workspace: it is their own word."""
    return giving.giver(database, here().workspace_id, insider().facts, here().member_id)
