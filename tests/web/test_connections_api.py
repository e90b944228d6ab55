"""Owners make connections by the admin API, and give them what identity providers prove themselves by."""

from __future__ import annotations

import pytest
import requests

from tests.web.tokens import made_by


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def asks(admin, token):
    address = f"{admin.base_url}/scim/v2/Users"
    return requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code


def made(admin, name="entra"):
    answer = admin.request("POST", "/connections", {"name": name, "dialect": "entra"})
    assert answer.status_code == 201, answer.text
    told = answer.json()["data"]
    return {**told["connection"], "token": told["token"]}


def test_a_connection_is_made_and_its_token_is_shown_this_once(admin):
    connection = made(admin)
    assert asks(admin, connection.pop("token")) == 200
    listed = {each["id"]: each for each in admin.get("/connections")["connections"]}
    assert listed[connection["id"]] == connection
    for sent, status in (({"name": "entra"}, 409), ({"name": ""}, 422), ({"name": "x", "dialect": "none"}, 422)):
        refused = admin.request("POST", "/connections", {"dialect": "okta"} | sent)
        assert refused.status_code == status, refused.text
    assert len(admin.get("/connections")["connections"]) == len(listed)


def test_a_token_is_rotated_with_an_overlap_and_without(admin):
    connection = made(admin)
    former, path = connection["token"], f"/connections/{connection['id']}/credentials"
    new = admin.request("POST", path, {"overlap": 3600}).json()["data"]["token"]
    assert (asks(admin, former), asks(admin, new)) == (200, 200)
    newest = admin.request("POST", path, {"overlap": 0}).json()["data"]["token"]
    assert [asks(admin, each) for each in (former, new, newest)] == [401, 401, 200]
    assert admin.request("POST", path, {"overlap": 700_000}).status_code == 422


def test_a_client_secret_gets_access_tokens(admin):
    answer = admin.request("POST", f"/connections/{made(admin)['id']}/secret")
    client = answer.json()["data"]
    who, sent = (client["clientId"], client["secret"]), {"grant_type": "client_credentials"}
    got = requests.post(f"{admin.base_url}/oauth/token", data=sent, auth=who, timeout=20).json()
    assert asks(admin, got["access_token"]) == 200


def test_a_token_that_is_bound_to_addresses_gives_no_secret_that_is_not(admin):
    _, bound = made_by(admin, addressRanges=["127.0.0.0/8", "::1"])
    at = f"/connections/{made(admin)['id']}"
    for path, sent in (
        ("/connections", {"name": "x", "dialect": "okta"}),
        (f"{at}/credentials", {}),
        (f"{at}/secret", None),
    ):
        assert bound.request("POST", path, sent).status_code == 403, path
