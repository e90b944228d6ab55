"""`POST /api/tokens/reported-leak`: secrets that somebody has found are ended at once.

For secret scanners, in the form that GitHub's partner programme sends. Nobody has to say who they are: who has the
text of a secret could do worse with it than ending it. And nobody learns anything: a text of 256 random bits is not
guessed, and what an answer tells of it, its finder could have tried.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from provisioning.context import context
from provisioning.credentials import Kind, redacted
from provisioning.database import Connection, transaction
from provisioning.directory import connections, invitations
from provisioning.outbox import Actor
from provisioning.refusals import Invalid
from provisioning.sessions import leaks, links
from provisioning.tokens import clients, ending
from provisioning.web.admin import token_schemas
from provisioning.web.admin.blueprint import Blueprint
from provisioning.web.guard import measured, public, request_id

blueprint = Blueprint("leaks", __name__, url_prefix="/api/tokens", description="Reports of leaked secrets.")
_MOST = 100
_PER_MINUTE = 60
_OF_PEOPLE: Mapping[Kind, Callable[..., bool]] = {
    Kind.SESSION: leaks.report_leaked,
    Kind.SIGN_IN_LINK: links.report_leaked,
    Kind.INVITATION: invitations.report_leaked,
}
_log = logging.getLogger(__name__)


@blueprint.post("/reported-leak")
@public
@blueprint.doc(security=[])
@blueprint.arguments(token_schemas.Leak(many=True))
@blueprint.response(200, token_schemas.LeakAnswer(many=True))
def report(sent: list[dict[str, Any]]) -> Any:
    """End secrets that were found where they should not be: tokens, client secrets, sessions, links, invitations."""
    measured(context().pace.measure("leak", request.remote_addr or "", _PER_MINUTE))
    if len(sent) > _MOST:
        raise Invalid(f"At most {_MOST} secrets are taken at once.")
    return [_answer(one) for one in sent]


def _answer(found: dict[str, Any]) -> dict[str, str]:
    """Each is ended in a transaction of its own: one that can't be doesn't save the others."""
    with transaction() as connection:
        is_ours = _end(connection, found)
    if is_ours:
        _log.error("a secret was reported as leaked, and ended")
    digest = base64.b64encode(hashlib.sha256(found["token"].encode(errors="replace")).digest()).decode()
    label = "true_positive" if is_ours else "false_positive"
    return {"token_hash": digest, "token_type": found["type"], "label": label}


def _end(connection: Connection, found: dict[str, Any]) -> bool:
    kind, digest = context().keyring.made_out(found["token"])
    told: dict[str, Any] = {name: _kept(found[sent]) for name, sent in (("found_at", "url"), ("source", "source"))}
    told["by"] = Actor("system", None, request_id())
    if kind is None or digest is None:
        return False
    if kind is Kind.API_TOKEN:
        return ending.report_leaked(connection, digest=digest, **told)
    if kind in {Kind.ACCESS_TOKEN, Kind.CLIENT_SECRET} and clients.report_leaked(connection, digest=digest, **told):
        return True
    if kind in {Kind.CONNECTION, Kind.CLIENT_SECRET}:
        return connections.report_leaked(connection, digest=digest, **told)
    end = _OF_PEOPLE.get(kind)
    return end is not None and end(connection, digest=digest, by=told["by"])


def _kept(text: str | None) -> str | None:
    """What a scanner tells of the place, without the secret in it and what can't be stored."""
    return None if text is None else redacted(text).replace("\0", "")
