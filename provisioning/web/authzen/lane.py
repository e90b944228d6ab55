"""The lane of the question that applications ask all day: one evaluation, asked with an API token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from provisioning.context import Context
from provisioning.database import reading
from provisioning.web import lanes
from provisioning.web.authzen import entities, judging
from provisioning.web.authzen.door import READ
from provisioning.web.authzen.judging import Where
from provisioning.web.lanes import Answer

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import WSGIEnvironment


def answer(environ: WSGIEnvironment, means: Context) -> Answer | None:
    """What the view of the same path answers."""
    sent = lanes.body(environ, entities.JSON)
    if sent is None:
        return None
    question = entities.question(entities.read(sent))
    asking = lanes.token(environ, means, READ)
    if asking is None:
        return None
    with reading() as connection:
        decision = judging.allowed(connection, Where(asking.workspace_id, means.catalogue), *question)
    return Answer(orjson.dumps({"decision": decision}), lanes.told(environ))
