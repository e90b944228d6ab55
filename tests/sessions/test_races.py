"""A sign-in and a change at one moment: the session is ended by the change, or judged by what it has made true."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import users
from provisioning.directory.models import User
from provisioning.sessions import lifecycle
from tests.conftest import TEST
from tests.sessions.playing import judge
from tests.waiting import blocked_by


@pytest.mark.parametrize("reason", ["suspended", "removed", "signed_out"])
def test_a_sign_in_under_way_is_ended_by_a_change_that_commits_after_it(app, idp, reason):
    email = f"{idp.workspace.slug}@corp.example"
    idp.create_user(email)
    secret = context().keyring.mint(Kind.SESSION)
    with reading() as connection:
        user_id, _ = users.by_email(connection, email)

    def change() -> None:
        with app.app_context(), transaction() as connection:
            users.end_sessions(connection, user_id=user_id, workspace_id=None, reason=reason, by=TEST)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as connection:
            # What a sign-in does first; the change then waits for the person's row, its statement begun.
            connection.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
            changed = pool.submit(change)
            blocked_by(connection)
            policy = context().session_policy
            lifecycle.begin(connection, user_id=user_id, digest=secret.digest, policy=policy, by=TEST)
        changed.result()
    assert (judge(secret.digest).active, judge(secret.digest).reason) == (False, reason)
