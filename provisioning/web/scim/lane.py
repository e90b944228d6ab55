"""The lane of identity providers: their plain reads and writes are answered before Flask begins with them.

That is nearly all that they send, and what Flask does for any request costs more than a read takes, and a third of a
write. The lane gives the answer that the views would give, by what they call, or none: whatever is not plain is left to
them, and whoever is refused as a client, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from flask import Flask

from provisioning import context
from provisioning.context import Context
from provisioning.credentials import Kind
from provisioning.database import DatabaseFailure, reading
from provisioning.dialects import recognise
from provisioning.directory import looks
from provisioning.directory.connections import ConnectionView
from provisioning.scim.errors import ScimError
from provisioning.web import lanes
from provisioning.web.guard import COUNTED
from provisioning.web.scim import asking, journal, media, reads, writes
from provisioning.web.scim.asking import Asking
from provisioning.web.scim.errands import DOOR, Errand, Reader
from provisioning.web.scim.told import Told

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_STATUSES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def init_app(app: Flask) -> None:
    """Lay the lane in front of an application, once it has its log."""
    inner, means, log = app.wsgi_app, context.of(app), journal.writer(app)
    readers: Mapping[str, Reader] = {"GET": reads.errand, **writes.readers(app)}

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started, read = time.perf_counter(), readers.get(environ["REQUEST_METHOD"])
        if read is None or not environ["PATH_INFO"].startswith(DOOR):
            return inner(environ, start_response)
        media_type = media.best(environ.get("HTTP_ACCEPT", ""))
        errand = None if media_type is None else read(environ, means)
        answered = None if errand is None else _answered(errand, environ, means)
        if media_type is None or errand is None or answered is None:
            return inner(environ, start_response)
        who, told = answered
        about = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "status": told.status}
        log.put(journal.entry(who, told.error, **about, started=started, asked=errand.filter))
        body = b"" if told.document is None else orjson.dumps(told.document)
        start_response(_STATUSES[told.status], _headers(told, media_type, len(body)))
        return [body]

    app.wsgi_app = called  # type: ignore[method-assign]


def _answered(errand: Errand, environ: WSGIEnvironment, means: Context) -> tuple[Asking, Told] | None:
    """Who asks, and what they are told; None where a view has to look at it."""
    digest = lanes.bearer(environ, means, Kind.CONNECTION)
    if digest is None:
        return None
    try:
        with reading() as database:
            known, held = looks.by_credential(database, digest, errand.look)
        if known is None or _is_more_to_do(known, environ, means):
            return None
        who = asking.of(known, held, environ, means)
        told = errand.run(who)
    except (DatabaseFailure, ScimError):
        return None
    return None if told is None else (who, told)


def _is_more_to_do(known: ConnectionView, environ: WSGIEnvironment, means: Context) -> bool:
    """Whether a connection is to be refused, or something is to be noted of it."""
    heard = recognise(environ.get("HTTP_USER_AGENT", ""), ())
    if known.paused_at is not None or known.use_is_news or heard not in {None, known.learned_dialect}:
        return True
    if means.pace.take(str(known.id), known.requests_per_minute) is not None:
        return True
    environ[COUNTED] = known.id
    return False


def _headers(told: Told, media_type: str, length: int) -> list[tuple[str, str]]:
    if told.document is None:
        return [*told.headers.items()]
    return [("Content-Type", media_type), ("Content-Length", str(length)), *told.headers.items()]
