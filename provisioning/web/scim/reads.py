"""The express lane: plain reads are answered before Flask begins with them.

Identity providers ask for one resource by its id or its name more than for anything else, and then for page after page
of all Users; what Flask does for any request costs more than such an answer takes. The lane gives the answer that the
views would give, value for value, or none: whatever is not plain is left to them. So nobody is refused here, and
nothing is written but the log.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus
from uuid import UUID

import orjson
from flask import Flask
from werkzeug.wsgi import get_current_url

from provisioning import context
from provisioning.context import Context
from provisioning.credentials import Kind
from provisioning.database import Connection, DatabaseFailure, reading
from provisioning.dialects import recognise
from provisioning.directory import groups, looks, shown
from provisioning.directory.connections import ConnectionView
from provisioning.directory.filters import Viewer
from provisioning.directory.looks import Look
from provisioning.directory.paging import Window
from provisioning.journal.entries import Entry
from provisioning.prepared import Row
from provisioning.scim.errors import ScimError
from provisioning.scim.extensions import Kinds
from provisioning.scim.messages import list_response
from provisioning.scim.projection import Projection
from provisioning.scim.schema import ResourceType
from provisioning.sealing import Sealer
from provisioning.web import lanes
from provisioning.web.guard import COUNTED, storable
from provisioning.web.scim import cursors, journal, media, versions
from provisioning.web.scim import groups as group_views
from provisioning.web.scim import users as user_views
from provisioning.web.scim.query import DEFAULT_PAGE

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_DOOR = "/scim/v2/"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
# What can mean nothing else, in a filter that needs no reading: without escapes, and decoded without loss.
_NAMED = re.compile(r'(?i:(userName|displayName) eq) "([^"\\\x00-\x1f\ufffd]{1,200})"')
_SOME = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_PLACE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_SEALED = re.compile(r"[A-Za-z0-9_-]{1,1000}", re.ASCII)


class _Told(NamedTuple):
    """What a question is answered with; of one resource, with its version."""

    document: Any
    version: str | None = None


_Answer = Callable[[Connection, ConnectionView, Row | None, Viewer], _Told | None]


class _Question(NamedTuple):
    """What is asked for.

    Args:
        kind: of resource, as a workspace has it.
        look: what is read along with the credential, if anything is.
        answer: made of what was read; None where the views have to say something else.
        filter: as it was sent.
    """

    kind: Callable[[Kinds], ResourceType]
    look: Look | None
    answer: _Answer
    filter: str | None = None


class _Shelf(NamedTuple):
    """What the lane knows of a type of resource.

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
    show: Callable[[Row, Viewer], _Told]

    def one(self, identifier: str) -> _Question:
        """The question for one by its id."""

        def answer(_: Connection, __: ConnectionView, row: Row | None, viewer: Viewer) -> _Told | None:
            return None if row is None else self.show(row, viewer)

        return _Question(self.kind, self.look(UUID(identifier)), answer)

    def named(self, name: str, text: str) -> _Question:
        """The question for the one of a name."""

        def answer(_: Connection, __: ConnectionView, row: Row | None, viewer: Viewer) -> _Told:
            found = [] if row is None else [self.show(row, viewer).document]
            return _Told(list_response(found, total=len(found), start_index=1))

        return _Question(self.kind, self.look_up(name), answer, text)


def _user(row: Row, viewer: Viewer) -> _Told:
    member, held = shown.one(row)
    return _Told(*user_views.as_text(member, held, viewer))


def _group(row: Row, viewer: Viewer) -> _Told:
    group = groups.view(row)
    return _Told(group_views.resource(group, viewer), versions.of_group(group))


_USERS = _Shelf(attrgetter("user"), None, "username", shown.look, shown.look_up, _user)
_GROUPS = _Shelf(attrgetter("group"), "members", "displayname", looks.group, looks.group_by_name, _group)
_SHELVES: Mapping[str, _Shelf] = {"Users": _USERS, "Groups": _GROUPS}


def _page(start: int, count: int) -> _Question:
    """The question for a page of all Users."""

    def answer(database: Connection, asking: ConnectionView, _: Row | None, viewer: Viewer) -> _Told:
        page, users = user_views.everybody(database, asking, Window(count, start), viewer)
        return _Told(list_response(users, total=page.total, start_index=start))

    return _Question(_USERS.kind, None, answer)


def _walk(text: str, count: int, sealer: Sealer) -> _Question:
    """The question for the next page of a walk through all Users."""

    def answer(database: Connection, asking: ConnectionView, _: Row | None, viewer: Viewer) -> _Told:
        question = cursors.question(asking.id, f"{_DOOR}{user_views.ENDPOINT.name}", {})
        walk = cursors.resume(text, question, count=count, sealer=sealer)
        page, users = user_views.everybody(database, asking, Window(count, after=walk.place), viewer)
        return _Told(cursors.told(walk, page, users, sealer=sealer))

    return _Question(_USERS.kind, None, answer)


def init_app(app: Flask) -> None:
    """Lay the lane in front of an application, once it has its log."""
    inner, means, log = app.wsgi_app, context.of(app), journal.writer(app)

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith(_DOOR):
            return inner(environ, start_response)
        started = time.perf_counter()
        question = _question(environ, means)
        answered = None if question is None else _answer(question, environ, means)
        if question is None or answered is None:
            return inner(environ, start_response)
        asking, told = answered
        body = orjson.dumps(told.document)
        log.put(_entry(asking, question, environ, started))
        start_response("200 OK", _headers(told, environ, len(body)))
        return [body]

    app.wsgi_app = called  # type: ignore[method-assign]


def _question(environ: WSGIEnvironment, means: Context) -> _Question | None:
    """What a request asks for, where that is plain."""
    if "HTTP_IF_NONE_MATCH" in environ:
        return None
    kind, _, identifier = environ["PATH_INFO"][len(_DOOR) :].partition("/")
    shelf, asked = _SHELVES.get(kind), _parameters(environ.get("QUERY_STRING", ""))
    if shelf is None or asked is None or asked.pop("excludedAttributes", None) != shelf.without:
        return None
    if identifier:
        return shelf.one(identifier) if not asked and _ID.fullmatch(identifier) else None
    return _list(shelf, asked, means)


def _list(shelf: _Shelf, asked: dict[str, str], means: Context) -> _Question | None:
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


def _answer(question: _Question, environ: WSGIEnvironment, means: Context) -> tuple[ConnectionView, _Told] | None:
    """Who asks, and what they are told; None where there is more to do than to tell it."""
    digest = lanes.bearer(environ, means, Kind.CONNECTION)
    if digest is None or _media_type(environ) is None:
        return None
    try:
        with reading() as database:
            asking, row = looks.by_credential(database, digest, question.look)
            if asking is None or not Projection(question.kind(asking.kinds)).is_whole:
                return None
            if _is_more_to_do(asking, environ, means):
                return None
            told = question.answer(database, asking, row, _viewer(asking, environ, means))
    except (DatabaseFailure, ScimError):
        return None
    return None if told is None else (asking, told)


def _is_more_to_do(asking: ConnectionView, environ: WSGIEnvironment, means: Context) -> bool:
    """Whether a connection is to be refused, or something is to be noted of it."""
    heard = recognise(environ.get("HTTP_USER_AGENT", ""), ())
    if asking.paused_at is not None or asking.use_is_news or heard not in {None, asking.learned_dialect}:
        return True
    if means.pace.take(str(asking.id), asking.requests_per_minute) is not None:
        return True
    environ[COUNTED] = asking.id
    return False


def _viewer(asking: ConnectionView, environ: WSGIEnvironment, means: Context) -> Viewer:
    public = get_current_url(environ, root_only=True).rstrip("/") if means.trusted_proxies else means.public_url
    return Viewer(asking.kinds, asking.id, media.door_at(public))


def _media_type(environ: WSGIEnvironment) -> str | None:
    return media.best(environ.get("HTTP_ACCEPT", ""))


def _headers(told: _Told, environ: WSGIEnvironment, length: int) -> list[tuple[str, str]]:
    headers = [("Content-Type", _media_type(environ) or media.MEDIA_TYPE), ("Content-Length", str(length))]
    return headers if told.version is None else [*headers, ("ETag", f'W/"{told.version}"')]


def _entry(asking: ConnectionView, question: _Question, environ: WSGIEnvironment, started: float) -> Entry:
    return journal.entry(
        asking,
        journal.Noted(),
        {},
        method="GET",
        path=environ["PATH_INFO"],
        status=200,
        started=started,
        asked=question.filter,
        request_id=storable(environ.get("HTTP_X_REQUEST_ID", "")),
    )
