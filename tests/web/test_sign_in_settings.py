"""Owners and the operator set how people sign in through a connection; each sees what the other has set."""

from __future__ import annotations

import pytest
import requests
from sqlalchemy import update

from provisioning.database import transaction
from provisioning.identities.models import SignInProvider

ISSUER = "http://127.0.0.1:9/"


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def path(idp) -> str:
    return f"/connections/{idp.connection.id}/sign-in"


@pytest.fixture
def where(idp) -> tuple[str, ...]:
    return (idp.connection.name, "--workspace", idp.workspace.slug)


def test_what_an_owner_sets_the_operator_sees_and_takes_away(idp, admin, path, where, facts_of):
    sent = {"issuer": ISSUER, "clientId": "c1", "clientSecret": "s", "authMethod": "client_secret_post", "maxAge": 600}
    told = admin.request("PUT", path, sent).json()["data"]["signIn"]
    assert (told["issuer"], told["clientId"], told["authMethod"], told["maxAge"]) == (
        ISSUER,
        "c1",
        "client_secret_post",
        600,
    )
    assert told["redirectUri"] == f"{idp.base_url}/sign-in/back/{idp.connection.id}"
    assert "clientSecret" not in told
    facts_of("sign-in", "domains", where[0], "corp.example", *where[1:])
    assert admin.get(path)["signIn"] == {**told, "domains": ["corp.example"]}
    shown = facts_of("sign-in", "show", *where)
    assert (shown["issuer"], shown["auth_method"], shown["domains"]) == (ISSUER, "client_secret_post", ["corp.example"])
    assert facts_of("sign-in", "remove", *where)["removed"] is True
    assert admin.request("GET", path).status_code == 404


def test_what_the_operator_sets_an_owner_sees_and_takes_away(admin, path, where, facts_of, tmp_path):
    file = tmp_path / "secret"
    file.write_text("s\n")
    made = facts_of("sign-in", "set", *where, "--issuer", ISSUER, "--client-id", "c1", "--max-age", "12h")
    assert (made["auth_method"], made["max_age"]) == ("private_key_jwt", 43200)
    by_secret = ("--client-secret-file", str(file), "--issuer", ISSUER, "--client-id", "c2")
    assert facts_of("sign-in", "set", *where, *by_secret)["auth_method"] == "client_secret_basic"
    assert admin.get(path)["signIn"]["clientId"] == "c2"
    assert admin.request("DELETE", path).json()["data"] == {"status": "SUCCESS"}
    assert admin.request("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issuer": "http://public.example"}, "issuer"),
        ({"issuer": "file:///etc/passwd"}, "issuer"),
        ({"authMethod": "client_secret_basic"}, "clientSecret"),
        ({"clientSecret": "s", "authMethod": "private_key_jwt"}, "clientSecret"),
        ({"externalIdClaim": "email"}, "externalIdClaim"),
        ({"externalIdClaim": "preferred_username"}, "externalIdClaim"),
        ({"externalIdClaim": "a claim"}, "externalIdClaim"),
    ],
    ids=str,
)
def test_what_can_not_be_is_refused_by_field_and_sets_nothing(admin, path, change, field):
    answer = admin.request("PUT", path, {"issuer": ISSUER, "clientId": "c1", **change})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert admin.request("GET", path).status_code == 404


def test_both_doors_refuse_an_issuer_in_the_same_words(admin, path, where, command):
    issuer = "http://public.example"
    answer = admin.request("PUT", path, {"issuer": issuer, "clientId": "c1"})
    refused = command("sign-in", "set", *where, "--issuer", issuer, "--client-id", "c1")
    assert refused.returncode == 1
    assert answer.json()["errors"][0]["message"] in refused.stderr


def test_the_public_half_of_our_key_is_told_and_a_key_that_can_not_be_opened_is_no_server_error(idp, admin, path):
    address = f"{idp.base_url}/sign-in/with/{idp.connection.id}"
    assert admin.request("PUT", path, {"issuer": ISSUER, "clientId": "c1"}).status_code == 200
    (key,) = requests.get(f"{address}/keys", timeout=10).json()["keys"]
    assert "d" not in key
    assert (key["use"], key["alg"]) == ("sig", "ES256")
    with transaction() as database:
        mine = SignInProvider.connection_id == idp.connection.id
        database.execute(update(SignInProvider).where(mine).values(credential="sealed-under-another-key"))
    assert requests.get(f"{address}/keys", timeout=10).status_code == 502
    assert requests.get(address, timeout=10, allow_redirects=False).status_code == 502
