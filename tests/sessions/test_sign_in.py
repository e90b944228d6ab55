"""What a session remembers of how it was begun."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory.paging import Window
from provisioning.sessions import lifecycle
from provisioning.sessions.models import Session
from provisioning.sessions.sign_in import SignIn
from tests.conftest import TEST
from tests.sessions import playing

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def email(idp) -> str:
    found = f"{idp.workspace.slug}@corp.example"
    idp.create_user(found)
    return found


def begin(email: str, how: SignIn) -> bytes:
    secret = context().keyring.mint(Kind.SESSION)
    with transaction() as connection:
        policy = context().session_policy
        lifecycle.begin_by_email(connection, email=email, digest=secret.digest, policy=policy, by=TEST, how=how)
    return secret.digest


def listed(email: str):
    with reading() as connection:
        policy = context().session_policy
        page = lifecycle.every(connection, policy=policy, workspace_id=None, email=email, window=Window(10))
    (found,) = page.items
    return found


def test_all_that_is_known_of_a_sign_in_is_kept_and_shown_but_the_id_token(idp, email):
    how = SignIn(
        address="2001:db8::1",
        user_agent="Browser/1",
        connection_id=idp.connection.id,
        authenticated_at=datetime(2026, 1, 2, tzinfo=UTC),
        acr="phr",
        amr=("pwd", "hwk"),
        provider_session="sid-1",
        id_token="sealed",
    )
    digest = begin(email, how)
    found = listed(email)
    assert (found.sign_in, found.connection) == (SignIn(**{**vars_of(how), "id_token": None}), "idp")
    with reading() as connection:
        kept = connection.execute(
            select(Session.id_token, Session.connection_workspace_id).where(Session.digest == digest)
        ).one()
    assert tuple(kept) == ("sealed", idp.workspace.id)


def vars_of(how: SignIn) -> dict[str, object]:
    return {name: getattr(how, name) for name in SignIn.__dataclass_fields__}


def test_without_a_word_of_the_identity_provider_the_person_signed_in_just_now(email):
    begin(email, SignIn())
    found = listed(email)
    assert abs((found.sign_in.authenticated_at - found.created_at).total_seconds()) < 1
    assert (found.sign_in.address, found.sign_in.amr, found.connection) == (None, (), None)


def test_what_a_browser_says_of_itself_is_cut_to_a_bounded_length(email):
    begin(email, SignIn(user_agent="x" * 100_000, address="y" * 1000, acr="z" * 1000, amr=("a" * 999,) * 99))
    how = listed(email).sign_in
    assert (len(how.user_agent), len(how.address), len(how.acr)) == (512, 64, 255)
    assert (len(how.amr), len(how.amr[0])) == (16, 255)


def test_whoever_is_suspended_in_a_workspace_is_unknown_to_it_whatever_else_the_session_opens(idp, new_idp, email):
    other = new_idp()
    user = other.create_user(email)
    other.patch(f"/Users/{user['id']}", {"op": "replace", "path": "active", "value": False})
    session = playing.begin(email)
    assert playing.look(session, idp.workspace.id)[0].active
    assert playing.look(session, other.workspace.id)[0].reason == "unknown"


def test_sessions_of_one_workspace_never_push_out_those_that_open_others(idp, email):
    wide = playing.begin(email)
    for _ in range(lifecycle.MOST_LIVE + 1):
        narrow = playing.begin_in(email, idp.workspace.id)
    assert playing.judge(wide).active
    assert playing.judge(narrow).active
