"""Ended sessions are kept for a while, with where they came from, and then forgotten; the facts of them stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from provisioning.database import reading, transaction
from provisioning.outbox import Event
from provisioning.sessions import clearing, lifecycle
from provisioning.sessions.models import Session
from tests.conftest import TEST
from tests.sessions.playing import begin, stored

KEPT = timedelta(days=90)


def test_sessions_that_ended_long_ago_are_forgotten_and_no_others(app, idp):
    email = f"{idp.workspace.slug}@corp.example"
    idp.create_user(email)
    old, recent, alive = begin(email), begin(email), begin(email)
    ids = {one: stored(one).id for one in (old, recent, alive)}
    with transaction() as connection:
        for one in (old, recent):
            lifecycle.revoke(connection, session_id=ids[one], workspace_id=None, by=TEST)
        ended = update(Session).where(Session.id == ids[old])
        connection.execute(ended.values(ended_at=Session.ended_at - KEPT))
        old_but_alive = update(Session).where(Session.id == ids[alive])
        connection.execute(old_but_alive.values(created_at=Session.created_at - 2 * KEPT))
    for _ in range(2):
        with transaction() as connection:
            clearing.forget(connection, older_than=KEPT, most=1000)
    with reading() as connection:
        left = set(connection.execute(select(Session.id).where(Session.id.in_(ids.values()))).scalars())
        told = select(Event.name).where(Event.payload["session_id"].astext == str(ids[old]))
        assert set(connection.execute(told).scalars()) == {"session.begun", "session.revoked"}
    assert left == {ids[recent], ids[alive]}
