"""`Idempotency-Key`: a POST that is sent again under its key is answered as it was the first time, and done once.

The key, the change and the answer are of one transaction. An answer that shows a secret is never kept: where one is
shown, a key is refused, as everywhere else that it would mean nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, g, make_response, request
from marshmallow import fields

from provisioning.database import transaction
from provisioning.refusals import Invalid
from provisioning.tokens import answers
from provisioning.tokens.answers import FIELD, Answer, Key
from provisioning.web.admin.blueprint import plain
from provisioning.web.guard import token

_MARK = "_provisioning_repeatable"
# A string of RFC 9651 as the draft has it, or the bare text as most clients send it.
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')


def init_app(app: Flask) -> None:
    """Have a key refused where no answer is kept: nobody is left to believe that it was."""
    app.before_request(_refuse_unrepeatable)


def _refuse_unrepeatable() -> None:
    asks = request.path.startswith("/api") and request.method == "POST" and FIELD in request.headers
    if asks and not hasattr(current_app.view_functions.get(request.endpoint or ""), _MARK):
        raise Invalid("This can't be repeated by a key: it shows a secret once, or changes nothing.", field=FIELD)


def repeatable(view: Callable[..., Any]) -> Callable[..., Any]:
    """Declare a POST that can be sent again under a key; it makes its changes within `changing`."""

    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Any:
        written = request.headers.get(FIELD)
        if written is None or _is_rehearsal():
            return view(*args, **kwargs)
        of: Key = {"workspace_id": token().workspace_id, "program_id": token().id, "key": _read(written)}
        with transaction() as connection:
            kept = answers.claim(connection, of=of, fingerprint=_fingerprint())
            if kept is not None:
                return _replayed(kept)
            g.changing = connection
            response = make_response(view(*args, **kwargs))
            answers.keep(connection, of=of, answer=Answer(response.status_code, response.get_data(as_text=True)))
        return response

    setattr(once, _MARK, True)
    return once


def _is_rehearsal() -> bool:
    """Whether the request only asks what would be: then nothing is done that could be done twice."""
    asked = plain(request.args).get("dryRun")
    return asked is not None and asked not in fields.Boolean.falsy


def _read(written: str) -> str:
    found = _KEY.fullmatch(written.strip())
    if found is None:
        raise Invalid("A key has 1 to 255 visible ASCII characters and no quotation mark.", field=FIELD)
    return found[1]


def _fingerprint() -> bytes:
    parts = (request.path.encode(), request.query_string, request.get_data())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _replayed(kept: Answer) -> Response:
    response = Response(kept.body, status=kept.status, mimetype="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    return response
