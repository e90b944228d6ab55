"""A session whose text somebody has found ends at once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from provisioning.outbox import Actor
from provisioning.sessions import lifecycle
from provisioning.sessions.models import Session


def report_leaked(connection: Connection, *, digest: bytes, by: Actor) -> bool:
    """End the session of a text that somebody has found.

    Returns:
        Whether there is such a session, ended before or not.
    """
    found = connection.execute(select(Session.id).where(Session.digest == digest)).scalar_one_or_none()
    if found is not None:
        lifecycle.revoke(connection, session_id=found, workspace_id=None, by=by)
    return found is not None
