"""Keeps the provisioning log: an entry for each operation, written beside the requests.

Entries are written by a thread, many at once, so that no request waits for its own. What was not written when a process
is killed is lost: the log is for diagnosis, and what happened stands in the facts.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

import orjson
from flask import Flask, Response, current_app, g, request

from provisioning import clock, entropy
from provisioning.database import DatabaseFailure, Trouble, transaction, trouble_of
from provisioning.dialects import recognise
from provisioning.directory import connections
from provisioning.journal import entries
from provisioning.journal.entries import Entry
from provisioning.web.guard import has_connection
from provisioning.web.scim.asking import Asking, of_request
from provisioning.web.scim.noted import Noted, clean

_EXTENSION = "provisioning.journal"
_PAUSE_SECONDS, _AT_ONCE, _MOST_WAITING = 0.5, 500, 20_000
_FIRST_ERROR = 400
_log = logging.getLogger(__name__)


def begin() -> None:
    """Before a request: its time runs, and nobody asks yet."""
    g.started, g.asking = time.perf_counter(), None


def end(response: Response) -> Response:
    """After a request: its entry waits to be written; where nobody was made out, there is nobody to tell."""
    if has_connection():
        asking = of_request()
        learn(asking, request.headers.get("User-Agent", ""))
        document = orjson.loads(response.get_data() or b"{}") if response.status_code >= _FIRST_ERROR else {}
        _put(asking, request.method, request.path, response.status_code, document)
    return response


def learn(asking: Asking, user_agent: str) -> None:
    """Remember who speaks, the first time that it can be told; where that fails, it is told again.

    Args:
        asking: whose request is over.
        user_agent: the name that its client gave.
    """
    known = asking.connection.learned_dialect
    heard = recognise(user_agent, asking.noted.notes)
    if heard is None or heard == known:
        return
    # One who gives a name is believed before what one sends tells.
    if known is None or recognise(user_agent, ()) is not None:
        of = {"workspace_id": asking.connection.workspace_id, "connection_id": asking.connection.id}
        try:
            with transaction() as database:
                connections.learn(database, **of, dialect=heard)
        except DatabaseFailure as error:
            _log.warning("who speaks is not remembered yet (%s)", type(error).__name__)


def operation(asking: Asking, method: str, path: str, status: int, document: Mapping[str, Any]) -> None:
    """One operation of a Bulk request is over: it has an entry of its own."""
    _put(asking, method, path, status, document)
    asking.noted = Noted()


def _put(asking: Asking, method: str, path: str, status: int, document: Mapping[str, Any]) -> None:
    about = {"started": g.started, "asked": request.args.get("filter")}
    writer(current_app).put(entry(asking, document, method=method, path=path, status=status, **about))


def entry(
    asking: Asking,
    error: Mapping[str, Any],
    *,
    method: str,
    path: str,
    status: int,
    started: float,
    asked: str | None = None,
) -> Entry:
    """The entry of an operation that is over.

    Args:
        asking: whose it was, with what was noted while it was done.
        error: the document of its refusal; empty where it was not refused.
        method: as it came.
        path: as it came.
        status: of the answer.
        started: when it began, by the clock of this process.
        asked: the filter in the address.
    """
    noted = asking.noted
    return Entry(
        id=entropy.new_id(),
        workspace_id=asking.connection.workspace_id,
        connection_id=asking.connection.id,
        at=clock.now(),
        method=clean(method),
        path=clean(path),
        status=status,
        milliseconds=round((time.perf_counter() - started) * 1000),
        filter=None if asked is None else clean(asked),
        scim_type=error.get("scimType"),
        detail=clean(error["detail"]) if "detail" in error else None,
        resource_type=noted.resource_type,
        resource_id=noted.resource_id,
        # Of what was refused, nothing has changed.
        changes=noted.changes if status < _FIRST_ERROR else {},
        notes=list(dict.fromkeys(noted.notes)),
        request_id=asking.by.request_id,
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
