"""The lane of what applications ask at every request of theirs: whether a token counts, asked with an API token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson
from authlib.consts import default_json_headers

from provisioning.context import Context
from provisioning.web import haste, lanes
from provisioning.web.lanes import Answer
from provisioning.web.oauth.door import FORM
from provisioning.web.oauth.introspection import ACTION, introspect, told

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
    asking = lanes.token(environ, means, ACTION)
    if asking is None or haste.take(means, "introspection", haste.client(str(asking.id))) is not None:
        return None
    document = told(introspect(found[1].decode(), workspace_id=asking.workspace_id, activity=True, means=means))
    return Answer(orjson.dumps(document), {**_HEADERS, **lanes.told(environ)})
