"""Introspection (RFC 7662): what is told of sessions, API tokens and access tokens, to whom, and at what price."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
import requests
from sqlalchemy import func, select, update

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import workspaces
from provisioning.sessions import lifecycle
from provisioning.sessions.models import Session
from provisioning.tokens.models import AccessToken, ApiToken
from tests.conftest import TEST
from tests.statements import counted
from tests.web.oauth import Program, bearer
from tests.web.tokens import made_by

INACTIVE = {"active": False}


@pytest.fixture
def email(idp):
    """An address that only this test knows."""
    return f"{idp.workspace.slug}@corp.example"


@pytest.fixture
def person(idp, email):
    """A member of the workspace."""
    return idp.create_user(email)


def begin(email, reach_id=None):
    secret, policy = context().keyring.mint(Kind.SESSION), context().session_policy
    with transaction() as database:
        begun = lifecycle.begin_by_email(database, email=email, digest=secret.digest, policy=policy, by=TEST)
        if reach_id is not None:
            database.execute(update(Session).where(Session.id == begun.id).values(reach_id=reach_id))
    return secret.text, begun


def change(table, identifier, **values):
    with transaction() as database:
        database.execute(update(table).where(table.id == identifier).values(**values))


def at(moment):
    return int((moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)).timestamp())


def test_a_session_is_told_with_its_policy_its_person_and_its_end(idp, program, person, email):
    token, begun = begin(email)
    told = program.introspect(token)
    assert told == {
        "active": True,
        "kind": "session",
        "iss": idp.base_url,
        "aud": idp.base_url,
        "iat": at(begun.created_at),
        "exp": at(begun.expires_at),
        "sub": person["id"],
        "username": email,
        "policy": "standard",
        "workspace": str(idp.workspace.id),
        "auth_time": at(begun.created_at),
    }
    assert told["exp"] - told["iat"] == 7 * 86400


def test_an_access_token_and_an_api_token_are_told(idp, program, new_admin):
    admin = new_admin(idp.workspace.slug)
    told = program.introspect(admin.token)
    assert (told["kind"], told["token_type"], told["scope"]) == ("api_token", "Bearer", "api introspect")
    assert told["exp"] - told["iat"] in {90 * 86400, 90 * 86400 - 1, 90 * 86400 + 1}
    assert "client_id" not in told
    told = program.introspect(program.token(scope="api"))
    assert (told["kind"], told["token_type"], told["scope"]) == ("access_token", "Bearer", "api")
    assert (told["client_id"], told["sub"]) == (program.id, program.id)
    assert abs(told["exp"] - time.time() - 3600) < 30
    assert told["workspace"] == str(idp.workspace.id)


def test_the_end_that_is_told_is_the_second_at_which_a_hipaa_session_ends(idp, program, person, email):
    with transaction() as database:
        workspaces.set_hipaa_eligible(database, slug=idp.workspace.slug, eligible=True, by=TEST)
    token, begun = begin(email)
    told = program.introspect(token, activity="false")
    assert (told["policy"], told["exp"] - told["iat"]) == ("hipaa", 15 * 60)
    # Twenty minutes before the twelve hours are over, the idle limit ends it first; ten minutes before, the other does.
    for age, end in ((timedelta(hours=11, minutes=40), 15 * 60), (timedelta(hours=11, minutes=50), 10 * 60)):
        change(Session, begun.id, created_at=func.clock_timestamp() - age, last_seen_at=func.clock_timestamp())
        assert abs(program.introspect(token, activity="false")["exp"] - time.time() - end) < 20


def test_from_where_an_api_token_may_be_used_is_told_to_whoever_is_to_enforce_it(idp, program, new_admin):
    admin = new_admin(idp.workspace.slug)
    ranges = ["192.0.2.0/24", "2001:db8::/32"]
    _, bound = made_by(admin, addressRanges=ranges)
    assert program.introspect(bound.token)["address_ranges"] == ranges
    assert "address_ranges" not in program.introspect(admin.token)


def test_asking_is_activity_unless_it_is_said_not_to_be(program, person, email):
    token, begun = begin(email)
    long_ago = func.clock_timestamp() - timedelta(days=3)
    change(Session, begun.id, created_at=long_ago, last_seen_at=long_ago)

    def seen_since():
        with reading() as database:
            age = func.clock_timestamp() - Session.last_seen_at
            return database.execute(select(age).where(Session.id == begun.id)).scalar_one()

    quiet = program.introspect(token, activity="false")
    assert seen_since() > timedelta(days=2)
    assert abs(quiet["exp"] - time.time() - 4 * 86400) < 30
    change(Session, begun.id, created_at=func.clock_timestamp() - timedelta(seconds=60))
    at_work = program.introspect(token)
    assert seen_since() < timedelta(seconds=30)
    # The end that is told already counts that the person was at work.
    assert abs(at_work["exp"] - time.time() - 7 * 86400 + 60) < 30
    refused = program.post("introspect", token=token, activity="perhaps")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_whatever_is_worth_nothing_is_told_in_one_word(idp, program, new_admin, person, email, app):
    session, begun = begin(email)
    api_token, access_token = new_admin(idp.workspace.slug).token, program.token()
    for live in (session, api_token, access_token):
        assert program.introspect(live)["active"]
        last = "a" if live[-1] != "a" else "b"
        kinds = [live[:2] + kind + live[3:] for kind in "acostl" if kind != live[2]]
        damaged = (live[:-1], live[:-1] + last, live + " ", live + "\n", live + "\0", live + "=", live.upper(), *kinds)
        for text in (*damaged, live * 2):
            with counted() as statements:
                answer = app.test_client().post(
                    "/oauth/introspect", data={"token": text}, auth=(program.id, program.secret)
                )
            assert (answer.status_code, answer.get_json(), len(statements)) == (200, INACTIVE, 1), text
    never = [context().keyring.mint(kind).text for kind in Kind]
    for text in (*never, program.secret, idp.token, "null", "undefined", "None", "\0", "x" * 5000, "é"):
        assert program.introspect(text) == INACTIVE, text
    mark = func.clock_timestamp()
    change(Session, begun.id, ended_at=mark, ended_reason="revoked")
    change(ApiToken, program.introspect(api_token)["sub"], expires_at=mark)
    with transaction() as database:
        database.execute(update(AccessToken).where(AccessToken.client_id == program.id).values(expires_at=mark))
    assert [program.introspect(text) for text in (session, api_token, access_token)] == [INACTIVE] * 3


def test_what_is_anothers_workspaces_is_never_confirmed(idp, program, new_idp, new_program, new_admin, person, email):
    other = new_idp()
    stranger = new_program(other)
    session, _ = begin(email)
    for token in (session, new_admin(idp.workspace.slug).token, program.token()):
        assert program.introspect(token)["active"]
        assert stranger.introspect(token) == INACTIVE


def test_a_session_is_told_only_where_it_reaches_and_the_person_is_active(idp, program, new_idp, new_program, email):
    other, person = new_idp(), idp.create_user(email)
    elsewhere = new_program(other)
    there = other.create_user(email)
    session, _ = begin(email)
    assert (program.introspect(session)["sub"], elsewhere.introspect(session)["sub"]) == (person["id"], there["id"])
    bound, _ = begin(email, reach_id=idp.workspace.id)
    assert program.introspect(bound)["active"]
    assert elsewhere.introspect(bound) == INACTIVE
    # Suspended here, signed in again by way of the other workspace: the session lives, but not for us.
    idp.patch(f"/Users/{person['id']}", {"op": "replace", "path": "active", "value": False})
    assert program.introspect(session) == INACTIVE
    again, _ = begin(email)
    assert elsewhere.introspect(again)["active"]
    assert program.introspect(again) == INACTIVE


def test_from_the_commit_of_what_ends_them_nothing_is_active(idp, program, new_program, person, email):
    owned = new_program(idp, owner=email)
    session, token = begin(email)[0], owned.token()
    assert program.introspect(session)["active"]
    assert program.introspect(token)["active"]
    idp.patch(f"/Users/{person['id']}", {"op": "replace", "path": "active", "value": False})
    assert [program.introspect(text) for text in (session, token)] == [INACTIVE] * 2


def test_who_asks_needs_a_credential_and_a_policy_of_their_own(idp, program, new_program, new_admin, facts_of):
    admin = new_admin(idp.workspace.slug)
    role = {"id": "asker", "name": "Asker", "actions": ["token.introspect"]}
    assert admin.request("POST", "/roles", role).status_code == 201
    token = program.token()
    asker, looker = new_program(idp, role="asker"), new_program(idp, role="source-admin")
    assert asker.introspect(token)["active"]
    refused = looker.post("introspect", token=token)
    assert (refused.status_code, refused.json()["error"]) == (403, "unauthorized_client")
    issued = facts_of("connection", "secret", "idp", "--workspace", idp.workspace.slug)
    connection = Program(idp.base_url, issued["client_id"], issued["client_secret"])
    assert connection.post("introspect", token=token).status_code == 403
    for named in (False, True):
        nobody = Program(idp.base_url, asker.id, "wrong").post("introspect", named=named, token=token)
        assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")
        assert nobody.headers["WWW-Authenticate"].startswith("Basic")


def test_a_bearer_may_ask_with_a_token_that_allows_it(idp, program, new_program, new_admin):
    url, asked = f"{idp.base_url}/oauth/introspect", program.token()
    looker = new_program(idp, role="source-admin")

    def ask(token):
        return requests.post(url, data={"token": asked}, headers=bearer(token), timeout=20)

    assert ask(asked).json()["client_id"] == program.id
    assert ask(new_admin(idp.workspace.slug).token).json()["active"]
    for token in (looker.token(), new_admin(idp.workspace.slug, "source-admin").token):
        refused = ask(token)
        assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
    for token in (idp.token, "x", asked[:-1]):
        refused = ask(token)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "session", "nonsense"])
def test_a_hint_changes_nothing(program, hint):
    assert program.introspect(program.token(), token_type_hint=hint)["active"]


def test_asking_costs_two_statements(app, idp, program, new_admin, person, email):
    session, _ = begin(email)
    tokens = {"session": session, "access": program.token(), "api": new_admin(idp.workspace.slug).token}
    for name, token in tokens.items():
        with counted() as statements:
            answer = app.test_client().post(
                "/oauth/introspect", data={"token": token}, auth=(program.id, program.secret)
            )
        assert answer.get_json()["active"]
        assert len(statements) == 2, (name, statements)
