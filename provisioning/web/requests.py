"""What holds for every request: how large a body may be, how it is read, and headers that every answer carries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
from flask import Flask, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.middleware.proxy_fix import ProxyFix

from provisioning.context import context
from provisioning.database import db, one_connection
from provisioning.refusals import NotAllowed
from provisioning.resting import Resting

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 16 * 1024 * 1024
_CARRIED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # What is answered depends on who asks: nothing between may keep it for somebody else.
    "Vary": "Cookie",
}
_HEADERS = tuple((name.lower(), (name, value)) for name, value in _CARRIED.items())


def init_app(app: Flask, *, trusted_proxies: int) -> None:
    """Bound the bodies and dress the answers of an application; believe so many proxies in front of it."""
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    if trusted_proxies:
        hops = dict.fromkeys(("x_for", "x_proto", "x_host", "x_prefix"), trusted_proxies)
        app.wsgi_app = ProxyFix(app.wsgi_app, **hops)  # type: ignore[method-assign]
    with app.app_context():
        inner = _on_one_connection(Resting(db.engine), _without_trailing_slash(app.wsgi_app))
    app.wsgi_app = _dressed(inner)  # type: ignore[method-assign, assignment]


def _without_trailing_slash(app: WSGIApplication) -> WSGIApplication:
    """Identity providers write `/Users` and `/Users/`: both are one address, for every method alike."""

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ.get("PATH_INFO", "").rstrip("/") or "/"
        return app(environ, start_response)

    return called


def _on_one_connection(resting: Resting, app: WSGIApplication) -> WSGIApplication:
    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with one_connection(resting):
            return app(environ, start_response)

    return called


def _dressed(app: WSGIApplication) -> WSGIApplication:
    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            return start_response(status, dress(headers), *failure)

        return app(environ, start)

    return called


def dress(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """An answer's headers, with those that every answer carries where it has no others of their names."""
    given = {name.lower() for name, _ in headers}
    return headers + [header for name, header in _HEADERS if name not in given]


def is_from_elsewhere() -> bool:
    """Whether another site's page has led the browser here: browsers tell it, older ones by the origin of a form."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    return request.headers.get("Origin", _ours()) != _ours()


def _ours() -> str:
    parts = urlsplit(context().public_url)
    return f"{parts.scheme}://{parts.netloc}"


def refuse_other_sites() -> None:
    """Take forms from our own pages only.

    Raises:
        NotAllowed: it was sent from another site.
    """
    if is_from_elsewhere():
        raise NotAllowed("This form was sent from another site.")


def json_body(*media_types: str, largest: int = LARGEST_BODY) -> Any:
    """The body as JSON.

    Args:
        media_types: what may be sent; a body that doesn't say what it is, is taken for the first.
        largest: how many bytes it may have, at most `LARGEST_BODY`.

    Raises:
        UnsupportedMediaType: the body says that it is something else, or is compressed.
        RequestEntityTooLarge: it is larger.
        BadRequest: it is not JSON, not UTF-8, or nested without end.
    """
    if request.mimetype and request.mimetype not in media_types:
        raise UnsupportedMediaType(f"Send {' or '.join(media_types)}, not {request.mimetype}.")
    if request.content_encoding not in {None, "identity"}:
        raise UnsupportedMediaType("Send the body uncompressed.")
    data = request.get_data(cache=False)
    # A body without a declared length is cut at the limit without a word: one that fills it is taken for too large.
    if len(data) >= LARGEST_BODY or len(data) > largest:
        raise RequestEntityTooLarge(f"The body has more than {largest} bytes.")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
