"""The lane of what applications ask at every request of theirs: whether a token counts, asked with an API token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson
from authlib.consts import default_json_headers

from provisioning.context import Context
from provisioning.web import haste, lanes
from provisioning.web.lanes import Answer
from provisioning.web.oauth import introspection
from provisioning.web.oauth.door import FORM
from provisioning.web.oauth.introspection import ACTION

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import WSGIEnvironment

_ALONE = re.compile(rb"token=([A-Za-z0-9_]{1,200})")
_HEADERS = {name: value for name, value in default_json_headers if name != "Content-Type"}


def answer(environ: WSGIEnvironment, means: Context) -> Answer | None:
    """What the view of the same path answers about a token that is sent alone."""
    sent = lanes.body(environ, FORM)
    found = None if sent is None else _ALONE.fullmatch(sent)
    if found is None or haste.take(means, "introspection", haste.address(environ.get("REMOTE_ADDR"))) is not None:
        return None
    environ[haste.COUNTED] = True
    text = found[1].decode()
    look = introspection.look(text, means)
    asking = lanes.token(environ, means, ACTION, look)
    if asking is None:
        return None
    who, row = asking
    if haste.take(means, "introspection", haste.client(str(who.id))) is not None:
        return None
    if look is not None:
        token = introspection.session(row, workspace_id=who.workspace_id, means=means)
    else:
        token = introspection.introspect(text, workspace_id=who.workspace_id, activity=True, means=means)
    return Answer(orjson.dumps(introspection.told(token)), {**_HEADERS, **lanes.told(environ)})
