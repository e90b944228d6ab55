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
    subject, action, resource = entities.question(entities.read(sent))
    look = judging.look(subject, resource)
    asking = lanes.token(environ, means, READ, look)
    if asking is None:
        return None
    who, row = asking
    if look is not None:
        decision = judging.judged(row, means.catalogue, action, resource)
    else:
        with reading() as connection:
            where = Where(who.workspace_id, means.catalogue)
            decision = judging.allowed(connection, where, subject, action, resource)
    return Answer(orjson.dumps({"decision": decision}), lanes.told(environ))
