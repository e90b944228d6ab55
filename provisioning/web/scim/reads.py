"""Plain reads: one resource by its id or its name, more than anything else, and page after page of all Users."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_plus
from uuid import UUID

from provisioning.context import Context
from provisioning.database import reading
from provisioning.directory import groups, looks, shown
from provisioning.directory.filters import Viewer
from provisioning.directory.looks import Look
from provisioning.directory.paging import Window
from provisioning.prepared import Row
from provisioning.scim.extensions import Kinds
from provisioning.scim.messages import list_response
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.sealing import Sealer
from provisioning.web.scim import cursors, versions
from provisioning.web.scim import groups as group_views
from provisioning.web.scim import users as user_views
from provisioning.web.scim.asking import Asking
from provisioning.web.scim.errands import DOOR, ID, Errand
from provisioning.web.scim.query import DEFAULT_PAGE
from provisioning.web.scim.told import Told

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import WSGIEnvironment

# What can mean nothing else, in a filter that needs no reading: without escapes, and decoded without loss.
_NAMED = re.compile(r'(?i:(userName|displayName) eq) "([^"\\\x00-\x1f\ufffd]{1,200})"')
_SOME = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_PLACE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_SEALED = re.compile(r"[A-Za-z0-9_-]{1,1000}", re.ASCII)


class _Shelf(NamedTuple):
    """What is known here of a type of resource.

    Args:
        kind: which it is, as a workspace has it.
        without: the `excludedAttributes` that are asked for along with a plain read, if any are.
        name: the attribute that only one of them can have a value of.
        look: reads one by its id along with the credential.
        look_up: the same by its name.
        show: makes the resource of the row.
    """

    kind: Callable[[Kinds], ResourceType]
    without: str | None
    name: str
    look: Callable[[UUID], Look]
    look_up: Callable[[str], Look]
    show: Callable[[Row, Viewer], Told]

    def is_whole(self, asking: Asking) -> bool:
        """Whether all is shown that one of them can hold: an extension may have attributes that are not."""
        return Projection(self.kind(asking.viewer.kinds)).is_whole

    def one(self, identifier: str) -> Errand:
        """The errand for one by its id."""

        def run(asking: Asking) -> Told | None:
            return self.show(asking.held, asking.viewer) if asking.held and self.is_whole(asking) else None

        return Errand(self.look(UUID(identifier)), run)

    def named(self, name: str, text: str) -> Errand:
        """The errand for the one of a name."""

        def run(asking: Asking) -> Told | None:
            if not self.is_whole(asking):
                return None
            found = [self.show(asking.held, asking.viewer).document] if asking.held else []
            return Told(list_response(found, total=len(found), start_index=1))

        return Errand(self.look_up(name), run, text)


def _user(row: Row, viewer: Viewer) -> Told:
    member, held = shown.one(row)
    document, version = user_views.as_text(member, held, viewer)
    return Told(document, headers={"ETag": f'W/"{version}"'})


def _group(row: Row, viewer: Viewer) -> Told:
    group = groups.view(row)
    return Told(group_views.resource(group, viewer), headers={"ETag": f'W/"{versions.of_group(group)}"'})


_USERS = _Shelf(attrgetter("user"), None, "username", shown.look, shown.look_up, _user)
_GROUPS = _Shelf(attrgetter("group"), "members", "displayname", looks.group, looks.group_by_name, _group)
_SHELVES: Mapping[str, _Shelf] = {"Users": _USERS, "Groups": _GROUPS}


def _page(start: int, count: int) -> Errand:
    """The errand for a page of all Users."""

    def run(asking: Asking) -> Told | None:
        if not _USERS.is_whole(asking):
            return None
        with reading() as database:
            page, users = user_views.everybody(database, asking, Window(count, start))
        return Told(list_response(users, total=page.total, start_index=start))

    return Errand(None, run)


def _walk(text: str, count: int, sealer: Sealer) -> Errand:
    """The errand for the next page of a walk through all Users."""

    def run(asking: Asking) -> Told | None:
        if not _USERS.is_whole(asking):
            return None
        question = cursors.question(asking.connection.id, f"{DOOR}{user_views.ENDPOINT.name}", {})
        walk = cursors.resume(text, question, count=count, sealer=sealer)
        with reading() as database:
            page, users = user_views.everybody(database, asking, Window(count, after=walk.place))
        return Told(cursors.told(walk, page, users, sealer=sealer))

    return Errand(None, run)


def errand(environ: WSGIEnvironment, means: Context) -> Errand | None:
    """What a request asks for, where that is plain."""
    if "HTTP_IF_NONE_MATCH" in environ:
        return None
    kind, _, identifier = environ["PATH_INFO"][len(DOOR) :].partition("/")
    shelf, asked = _SHELVES.get(kind), _parameters(environ.get("QUERY_STRING", ""))
    if shelf is None or asked is None or asked.pop("excludedAttributes", None) != shelf.without:
        return None
    if identifier:
        return shelf.one(identifier) if not asked and ID.fullmatch(identifier) else None
    return _list(shelf, asked, means)


def _list(shelf: _Shelf, asked: dict[str, str], means: Context) -> Errand | None:
    """What these parameters of an address ask for."""
    condition, start, count, cursor = (asked.pop(name, None) for name in ("filter", "startIndex", "count", "cursor"))
    if asked or not _PLACE.fullmatch(start or "1") or not _SOME.fullmatch(count or "1"):
        return None
    if cursor is not None:
        plain = shelf is _USERS and condition is None and start is None and _SEALED.fullmatch(cursor)
        return _walk(cursor, int(count or DEFAULT_PAGE), means.cursors) if plain else None
    if condition is None:
        return _page(int(start or "1"), int(count or DEFAULT_PAGE)) if shelf is _USERS else None
    text = unquote_plus(condition)
    named = _NAMED.fullmatch(text)
    if named is None or named[1].lower() != shelf.name or start not in {None, "1"}:
        return None
    return shelf.named(named[2], text)


def _parameters(query: str) -> dict[str, str] | None:
    """The parameters of an address as they are written; None where one is there twice, or has no value.

    Nor is anything read that was not written as addresses are: what its bytes mean, the views know.
    """
    if not query:
        return {}
    if not query.isascii():
        return None
    parts = query.split("&")
    found = {name: value for name, _, value in (part.partition("=") for part in parts)}
    return found if len(found) == len(parts) and all(found.values()) else None
