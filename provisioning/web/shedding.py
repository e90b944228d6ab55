"""Turns away at once what could only wait for long: under any load, what is let in is answered soon.

A process works on so many requests at once, and lets so many more wait, in the order in which they came. Whoever comes
on top of that, or has waited too long, hears 503 in the shape of the door. That answer was made beforehand and costs
next to nothing, so that those who are turned away hold up nobody. Questions about health have room of their own.

Each request that waits does so on a thread of the web server's, which therefore has more of them than work at once.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from provisioning.refusals import Overloaded
from provisioning.web import errors
from provisioning.web.failure import Failure, failure_of
from provisioning.web.requests import dress

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HEALTH = "/health/"
_HEALTH_AT_ONCE, _HEALTH_WAITING = 2, 8
_PATIENCE_SECONDS = 5.0
_RETRY_AFTER_SECONDS = 1
_SILENCE_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Gate:
    """Lets so many through at a time, and so many wait in front of it, first come, first served.

    Args:
        at_once: how many may be inside.
        waiting: how many may wait.
        patience: for how many seconds each of them waits.
    """

    def __init__(self, *, at_once: int, waiting: int, patience: float = _PATIENCE_SECONDS) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._patience = patience
        self._queue: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many wait just now."""
        return len(self._queue)

    def enter(self) -> bool:
        """Go inside, at once or when one's turn has come.

        Returns:
            Whether one is inside, and so has to leave.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._queue) >= self._most_waiting:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
        return turn.acquire(timeout=self._patience) or not self._leave_queue(turn)

    def leave(self) -> None:
        """Leave; who has waited longest takes the place, so that nobody who comes just then can."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1

    def _leave_queue(self, turn: threading.Lock) -> bool:
        """Wait no longer; False where one's turn came in that very instant."""
        with self._lock:
            if turn not in self._queue:
                return False
            self._queue.remove(turn)
            return True


class _Tally:
    """Tells operators how many were turned away, and not each time."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._silent_until = 0.0

    def note(self) -> None:
        """One more was turned away."""
        number, now = next(self._numbers), time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _SILENCE_SECONDS
            _log.warning("more is asked than can be done: %d requests turned away since the start", number)


def init_app(app: Flask, *, at_once: int, waiting: int) -> None:
    """Bound what an application works on, and what waits for it, in front of everything else that it does.

    Args:
        app: is complete: what it says to those who are turned away is made now.
        at_once: how many requests are worked on at a time.
        waiting: how many more may wait.
    """
    gate = Gate(at_once=at_once, waiting=waiting)
    health = Gate(at_once=_HEALTH_AT_ONCE, waiting=_HEALTH_WAITING)
    inner, turned_away, tally = app.wsgi_app, _answers(app), _Tally()

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        passed = health if path.startswith(_HEALTH) else gate
        if not passed.enter():
            tally.note()
            return turned_away[errors.door_of(path)](environ, start_response)
        try:
            answer = inner(environ, start_response)
        except BaseException:
            passed.leave()
            raise
        return ClosingIterator(answer, passed.leave)

    app.wsgi_app = called  # type: ignore[method-assign]


def _answers(app: Flask) -> Mapping[str, WSGIApplication]:
    """What each door says to those who are turned away."""
    sentence = "The service has more to do than it can: come again in a moment."
    failure = failure_of(Overloaded(sentence, retry_after=_RETRY_AFTER_SECONDS))
    return {door: _ready_made(app, failure, door) for door in errors.DOORS}


def _ready_made(app: Flask, failure: Failure, door: str) -> WSGIApplication:
    with app.test_request_context(door):
        response = app.process_response(errors.rendered(failure, door))
    status, headers, body = response.status, dress(list(response.headers)), [response.get_data()]

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID")
        # AuthZEN, section 10.1.3: who gives a request an id gets it back.
        start_response(status, headers if given is None else [*headers, ("X-Request-ID", given)])
        return body

    return called
