"""Lanes: what programs ask most is answered before Flask begins, which costs more than such an answer takes.

A lane gives the answer that the view would give, by what the view asks, or none: whatever is not plain is left to the
view, what has to be refused, too. No application is at work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask

from provisioning import context
from provisioning.access import rules
from provisioning.context import Context
from provisioning.credentials import Kind
from provisioning.database import DatabaseFailure, reading
from provisioning.directory.looks import Look
from provisioning.prepared import Row
from provisioning.refusals import Refusal
from provisioning.tokens import ranges
from provisioning.tokens.standing import TokenView
from provisioning.web import bearers

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_BEARER = "Bearer "
_LENGTH = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_SHORT = 9_999


class Answer(NamedTuple):
    """JSON that is ready to be sent."""

    body: bytes
    headers: Mapping[str, str]


Lane = Callable[["WSGIEnvironment", Context], Answer | None]


def init_app(app: Flask, lanes: Mapping[str, Lane]) -> None:
    """Lay lanes in front of an application, each for what is posted to one path."""
    inner, means = app.wsgi_app, context.of(app)

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        lane = lanes.get(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        answer = None if lane is None else _answer(lane, environ, means)
        if answer is None:
            return inner(environ, start_response)
        length = ("Content-Length", str(len(answer.body)))
        start_response("200 OK", [("Content-Type", "application/json"), length, *answer.headers.items()])
        return [answer.body]

    app.wsgi_app = called  # type: ignore[method-assign]


def _answer(lane: Lane, environ: WSGIEnvironment, means: Context) -> Answer | None:
    # An id is to be given back, and noted; what stands in the address has a meaning for the view, or none.
    if "HTTP_X_REQUEST_ID" in environ or environ.get("QUERY_STRING"):
        return None
    try:
        return lane(environ, means)
    except (DatabaseFailure, Refusal):
        return None


def body(environ: WSGIEnvironment, *media_types: str, largest: int = _SHORT) -> bytes | None:
    """The body of a request, where it is plain; whoever comes after reads it again.

    Args:
        environ: of the request.
        media_types: what it may say that it is, letter for letter.
        largest: how many bytes it may have.
    """
    length = environ.get("CONTENT_LENGTH", "")
    if environ.get("CONTENT_TYPE") not in media_types or not _LENGTH.fullmatch(length) or int(length) > largest:
        return None
    if "HTTP_CONTENT_ENCODING" in environ:
        return None
    sent: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(sent)
    return sent


def bearer(environ: WSGIEnvironment, means: Context, kind: Kind) -> bytes | None:
    """The digest of the bearer credential of this kind that was sent, if one was; whether it lives is not looked at."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    if not header.startswith(_BEARER):
        return None
    return means.keyring.recognise(header.removeprefix(_BEARER), kind)


def token(
    environ: WSGIEnvironment, means: Context, action: str, look: Look | None = None
) -> tuple[TokenView, Row | None] | None:
    """The API token that was sent, if it may do something, and no more is to be done for it than to answer.

    Its request is counted: `told` says how much may still be asked.

    Args:
        environ: of the request.
        means: of the application.
        action: what it has to be allowed.
        look: what is read in the statement that makes it out, whether it may ask or not, and returned with it; its
            statement is one of `bearers.along`.
    """
    digest = bearer(environ, means, Kind.API_TOKEN)
    if digest is None:
        return None
    with reading() as database:
        known = bearers.by_secret(database, digest, catalogue=means.catalogue, look=look)
    if known is None:
        return None
    found, held, row = known
    if found.use_is_news or not ranges.allow(found.ranges, environ.get("REMOTE_ADDR")):
        return None
    if not rules.decide(held, action).allowed:
        return None
    environ[bearers.MEASURED] = measure = bearers.count(found, means)
    return None if measure.is_exceeded else (found, row)


def told(environ: WSGIEnvironment) -> dict[str, str]:
    """How much the token that was found may still ask, as headers."""
    return bearers.rates(environ[bearers.MEASURED])
