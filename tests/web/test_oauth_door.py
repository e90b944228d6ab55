"""Revocation (RFC 7009), metadata (RFC 8414), keys (RFC 7517), and the one shape of everything that goes wrong."""

from __future__ import annotations

import dataclasses

import pytest
import requests
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from sqlalchemy import select

from provisioning.app import create_app
from provisioning.cli.service import settings_of
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import db, reading, transaction
from provisioning.directory.models import ConnectionToken
from provisioning.outbox import Event
from provisioning.sessions import lifecycle
from provisioning.web.guard import public
from tests.conftest import TEST
from tests.web.oauth import Program, bearer

URL_ENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def connection(idp, facts_of):
    """The connection of the workspace, as a client with a secret."""
    issued = facts_of("connection", "secret", "idp", "--workspace", idp.workspace.slug)
    return Program(idp.base_url, issued["client_id"], issued["client_secret"])


def test_a_client_ends_its_own_token_at_once(idp, program):
    first, second = program.token(), program.token()
    for _ in range(2):
        answer = program.post("revoke", token=first, token_type_hint="access_token")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert program.introspect(first) == {"active": False}
    assert requests.get(f"{idp.base_url}/api/users", headers=bearer(first), timeout=20).status_code == 401
    assert program.introspect(second)["active"]
    with reading() as database:
        told = select(Event.name).where(Event.subject == f"oauth_client:{program.id}", Event.name.like("%revoked"))
        assert database.execute(told).scalars().all() == ["access_token.revoked"]


def test_a_connection_ends_its_access_token_but_not_the_token_that_an_admin_made(idp, connection):
    token = connection.token()
    assert connection.post("revoke", token=token).status_code == 200
    users = f"{idp.base_url}/scim/v2/Users"
    assert requests.get(users, headers=bearer(token), timeout=20).status_code == 401
    assert connection.post("revoke", token=idp.token).status_code == 200
    assert idp.request("GET", "/Users").status_code == 200
    with reading() as database:
        kept = select(ConnectionToken.expires_at).where(ConnectionToken.connection_id == idp.connection.id)
        assert database.execute(kept).scalars().all() == [None]


def test_nobody_ends_what_is_not_their_own_and_nobody_learns_whether_it_is_there(
    idp, new_idp, program, new_program, new_admin, connection
):
    idp.create_user(f"{idp.workspace.slug}@corp.example")
    session = context().keyring.mint(Kind.SESSION)
    with transaction() as database:
        lifecycle.begin_by_email(
            database,
            email=f"{idp.workspace.slug}@corp.example",
            digest=session.digest,
            policy=context().session_policy,
            by=TEST,
        )
    live = [program.token(), new_admin(idp.workspace.slug).token, session.text]
    others = [new_program(new_idp()), new_program(idp), connection]
    answers = set()
    for other in others:
        for token in (*live, program.token()[:-1], "unknown"):
            answer = other.post("revoke", token=token)
            answers.add((answer.status_code, answer.text))
    assert answers == {(200, "{}")}
    assert program.post("revoke", token=live[1]).text == program.post("revoke", token=live[2]).text == "{}"
    assert [program.introspect(token)["active"] for token in live] == [True] * 3


def test_who_does_not_prove_who_they_are_ends_nothing(program):
    token = program.token()
    wrong = Program(program.base_url, program.id, "wrong")
    for answer in (wrong.post("revoke", token=token), wrong.post("revoke", named=False, token=token)):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert program.introspect(token)["active"]


def test_without_a_database_nothing_is_said_to_be_done(service, program):
    settings = dataclasses.replace(
        settings_of(str(service.data_dir)), database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    )
    cut_off = create_app(settings)
    for path in ("token", "introspect", "revoke"):
        form = {"token": context().keyring.mint(Kind.ACCESS_TOKEN).text, "grant_type": "client_credentials"}
        answer = cut_off.test_client().post(f"/oauth/{path}", data=form, auth=(program.id, program.secret))
        assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["Retry-After"].isdigit()
    with cut_off.app_context():
        db.engine.dispose()


def test_metadata_is_whole_and_keeps_to_the_standard(idp):
    told = requests.get(f"{idp.base_url}/.well-known/oauth-authorization-server", timeout=20).json()
    AuthorizationServerMetadata(told).validate()
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    for name, path in (("token", "token"), ("introspection", "introspect"), ("revocation", "revoke")):
        assert told[f"{name}_endpoint"] == f"{idp.base_url}/oauth/{path}"
        assert told[f"{name}_endpoint_auth_methods_supported"][:3] == methods
        assert set(told[f"{name}_endpoint_auth_signing_alg_values_supported"]) == {"ES256", "RS256", "PS256", "Ed25519"}
    assert (told["scopes_supported"], told["issuer"]) == (["api", "scim", "introspect"], idp.base_url)
    assert requests.get(told["jwks_uri"], timeout=20).status_code == 200


def test_keys_are_published_without_their_private_parts(idp):
    answer = requests.get(f"{idp.base_url}/.well-known/jwks.json", timeout=20)
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    keys = answer.json()["keys"]
    assert len(keys) >= 2
    for key in keys:
        assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "x", "y"]
        assert (key["alg"], key["crv"], key["use"]) == ("ES256", "P-256", "sig")


@pytest.mark.parametrize("endpoint", ["token", "introspect", "revoke"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"token": "x", "grant_type": "client_credentials"}}, 400),
        ({"data": b"token=x", "headers": {"Content-Type": "text/plain"}}, 400),
        ({"files": {"token": b"x"}}, 400),
        ({}, 400),
        ({"data": {"grant_type": ""}}, 400),
        ({"data": {"token": "", "grant_type": ""}}, 400),
        ({"data": [("token", "x"), ("token", "y"), ("grant_type", "client_credentials")]}, 400),
        ({"data": {"token": "x", "grant_type": "client_credentials"}, "params": {"client_secret": "x"}}, 400),
        ({"data": b"token=%ff%fe&grant_type=%ff", "headers": URL_ENCODED}, 400),
        ({"data": {"token": "x" * 40_000, "grant_type": "x"}}, 413),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_form_that_is_none_is_refused_in_the_standards_shape(program, endpoint, sent, status):
    auth = (program.id, program.secret)
    answer = requests.post(f"{program.base_url}/oauth/{endpoint}", auth=auth, timeout=20, **sent)
    if (endpoint, answer.status_code) == ("introspect", 200) or (endpoint, answer.status_code) == ("revoke", 200):
        # A token of bytes that are no text is unknown like any other.
        assert b"%ff" in sent["data"]
        return
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] in {"invalid_request", "unsupported_grant_type"}
    assert sorted(answer.json()) in (["error", "error_description"], ["error"])
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/oauth/token", 405),
        ("GET", "/oauth/introspect?token=pvs_secret", 405),
        ("PUT", "/oauth/revoke", 405),
        ("GET", "/oauth/authorize", 404),
        ("POST", "/oauth/nothing", 404),
        ("GET", "/oauth", 404),
    ],
)
def test_what_is_not_there_is_refused_in_the_standards_shape(idp, method, path, status):
    answer = requests.request(method, f"{idp.base_url}{path}", timeout=20)
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")
    assert sorted(answer.json()) == ["error", "error_description"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "pvs_" not in answer.text


def test_credentials_that_are_no_text_are_refused(program):
    for written in ("Basic", "Basic ", "Basic !!!", "Basic //79", "Basic OjpA", "Basic " + "A" * 4000, "Digest x=y"):
        headers = {"Authorization": written, **URL_ENCODED}
        answer = requests.post(
            f"{program.base_url}/oauth/token", data="grant_type=client_credentials", headers=headers, timeout=20
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), written


@pytest.mark.parametrize(
    "grant", ["password", "authorization_code", "refresh_token", "implicit", '"x"', "é", "x" * 500]
)
def test_there_is_no_other_grant(program, grant):
    answer = program.post("token", grant_type=grant, username="a", password="b", code="c")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_what_is_not_foreseen_is_told_in_the_standards_shape_and_tells_nothing(service):
    door = create_app(settings_of(str(service.data_dir)))

    @door.post("/oauth/unforeseen")
    @public
    def _fail() -> str:
        raise RuntimeError("a secret")

    answer = door.test_client().post("/oauth/unforeseen")
    assert (answer.status_code, answer.get_json()["error"]) == (500, "server_error")
    assert "a secret" not in answer.text
