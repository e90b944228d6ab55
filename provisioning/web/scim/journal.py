"""Keeps the provisioning log: notes what a request does while it is done, and writes entries beside the requests.

Entries are written by a thread, many at once, so that no request waits for its own. What was not written when a process
is killed is lost: the log is for diagnosis, and what happened stands in the facts.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from flask import Flask, Response, current_app, g, request

from provisioning import clock, entropy
from provisioning.database import DatabaseFailure, Trouble, transaction, trouble_of
from provisioning.dialects import recognise
from provisioning.directory import connections
from provisioning.directory.connections import ConnectionView
from provisioning.journal import entries
from provisioning.journal.entries import Entry
from provisioning.web.guard import connection, has_connection, request_id

_EXTENSION = "provisioning.journal"
_PAUSE_SECONDS, _AT_ONCE, _MOST_WAITING = 0.5, 500, 20_000
_LONGEST_TEXT, _LONGEST_VALUE = 500, 300
_LONGEST_NAME, _MOST_NAMES = 100, 50
_FIRST_ERROR = 400
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Noted:
    """What is known of the operation under way."""

    resource_type: str | None = None
    resource_id: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def _noted() -> Noted:
    noted: Noted | None = g.get("journal")
    if noted is None:
        noted = g.journal = Noted()
    return noted


def note(*notes: str) -> None:
    """Note deviations that were put right, and what was ignored."""
    _noted().notes.extend(map(_clean, notes))


def ignored(names: Collection[str]) -> None:
    """Note the attributes that were dropped: their names alone, and of very many the first."""
    distinct = list(dict.fromkeys(names))
    note(*(f"ignored {name[:_LONGEST_NAME]}" for name in distinct[:_MOST_NAMES]))
    if len(distinct) > _MOST_NAMES:
        note(f"ignored {len(distinct) - _MOST_NAMES} more")


def target(resource_type: str, resource_id: str) -> None:
    """Note which resource the operation works on."""
    noted = _noted()
    noted.resource_type, noted.resource_id = resource_type, resource_id


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Note the attributes that differ."""
    names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    _noted().changes.update({name: [_short(before.get(name)), _short(after.get(name))] for name in sorted(names)})


def members(*, added: Iterable[str], removed: Iterable[str], cleared: bool) -> None:
    """Note whom a change of membership names."""
    named = {"added": list(added), "removed": list(removed)}
    told = {f"members.{name}": _short(who) for name, who in named.items() if who}
    _noted().changes.update({**told, **({"members.cleared": True} if cleared else {})})


def _short(value: Any) -> Any:
    text = orjson.dumps(value).decode()
    return value if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _clean(text: str) -> str:
    """A text that can be stored, whatever a client has put into it."""
    return text.replace("\0", "").encode(errors="replace").decode()[:_LONGEST_TEXT]


def begin() -> None:
    """Before a request: its time runs."""
    g.started = time.perf_counter()


def end(response: Response) -> Response:
    """After a request: its entry waits to be written; where nobody was made out, there is nobody to tell."""
    if has_connection():
        _learn()
        document = orjson.loads(response.get_data() or b"{}") if response.status_code >= _FIRST_ERROR else {}
        _put(request.method, request.path, response.status_code, document)
    return response


def _learn() -> None:
    """Remember who speaks, the first time that it can be told."""
    asking = connection()
    heard = recognise(request.headers.get("User-Agent", ""), _noted().notes)
    if heard is None or heard == asking.learned_dialect:
        return
    # One who gives a name is believed before what one sends tells.
    if asking.learned_dialect is None or recognise(request.headers.get("User-Agent", ""), ()) is not None:
        with transaction() as database:
            connections.learn(database, workspace_id=asking.workspace_id, connection_id=asking.id, dialect=heard)


def operation(method: str, path: str, status: int, document: Mapping[str, Any]) -> None:
    """One operation of a Bulk request is over: it has an entry of its own."""
    _put(method, path, status, document)
    g.pop("journal", None)


def _put(method: str, path: str, status: int, document: Mapping[str, Any]) -> None:
    about = {"started": g.started, "asked": request.args.get("filter"), "request_id": request_id()}
    made = entry(connection(), _noted(), document, method=method, path=path, status=status, **about)
    writer(current_app).put(made)


def entry(
    asking: ConnectionView,
    noted: Noted,
    error: Mapping[str, Any],
    *,
    method: str,
    path: str,
    status: int,
    started: float,
    asked: str | None,
    request_id: str | None,
) -> Entry:
    """The entry of an operation that is over.

    Args:
        asking: whose it was.
        noted: what was noted while it was done.
        error: the document of its refusal; empty where it was not refused.
        method: as it came.
        path: as it came.
        status: of the answer.
        started: when it began, by the clock of this process.
        asked: the filter in the address.
        request_id: that the caller gave it.
    """
    return Entry(
        id=entropy.new_id(),
        workspace_id=asking.workspace_id,
        connection_id=asking.id,
        at=clock.now(),
        method=_clean(method),
        path=_clean(path),
        status=status,
        milliseconds=round((time.perf_counter() - started) * 1000),
        filter=None if asked is None else _clean(asked),
        scim_type=error.get("scimType"),
        detail=_clean(error["detail"]) if "detail" in error else None,
        resource_type=noted.resource_type,
        resource_id=noted.resource_id,
        # Of what was refused, nothing has changed.
        changes=noted.changes if status < _FIRST_ERROR else {},
        notes=list(dict.fromkeys(noted.notes)),
        request_id=request_id,
    )


class Writer:
    """Writes entries beside the requests; while the database is away they wait, and the oldest go when too many do."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: deque[Entry] = deque(maxlen=_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, entry: Entry) -> None:
        """Have an entry written soon."""
        self._waiting.append(entry)
        with self._lock:
            # A process that was forked has none of its parent's threads: each begins its own, at its first entry.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
                self._thread.start()
                atexit.register(self.flush)

    def _run(self) -> None:
        while True:
            time.sleep(_PAUSE_SECONDS)
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            try:
                with self._app.app_context(), transaction() as database:
                    entries.write(database, some)
            except DatabaseFailure as error:
                if trouble_of(error) not in {Trouble.AWAY, Trouble.CONTENDED, Trouble.LACKING}:
                    _log.exception("%s entries of the provisioning log are lost", len(some))
                    continue
                self._waiting.extendleft(reversed(some))
                _log.warning("%s entries of the provisioning log wait (%s)", len(self._waiting), type(error).__name__)
                return


def writer(app: Flask) -> Writer:
    """What writes the log of an application."""
    return cast("Writer", app.extensions[_EXTENSION])


def init_app(app: Flask) -> None:
    """Give an application its log."""
    app.extensions[_EXTENSION] = Writer(app)
