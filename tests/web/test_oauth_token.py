"""Access tokens by client credentials (RFC 6749, section 4.4), asked for by a library of others."""

from __future__ import annotations

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session


@pytest.fixture
def client(idp, facts_of):
    return facts_of("connection", "secret", "idp", "--workspace", idp.workspace.slug)


def token_of(client, **changed):
    session = OAuth2Session(client["client_id"], changed.pop("secret", client["client_secret"]), **changed)
    return session.fetch_token(client["token_url"], grant_type="client_credentials")


def users(idp, token):
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    return requests.get(f"{idp.base_url}/scim/v2/Users", headers=headers, timeout=10)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_token_opens_scim_of_its_connection(idp, new_idp, client, method):
    new_idp().create_user("stranger")
    idp.create_user("ann")
    token = token_of(client, token_endpoint_auth_method=method)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert [user["userName"] for user in users(idp, token).json()["Resources"]] == ["ann"]
    assert requests.get(f"{idp.base_url}/api/users", headers={"Authorization": f"Bearer {token['access_token']}"},
                        timeout=10).status_code == 401  # fmt: skip


def test_a_wrong_secret_gets_nothing(idp, new_idp, client, facts_of):
    other = facts_of("connection", "secret", "idp", "--workspace", new_idp().workspace.slug)
    for secret in ("wrong", "", other["client_secret"], idp.token):
        with pytest.raises(OAuthError, match="invalid_client"):
            token_of(client, secret=secret)
    with pytest.raises(OAuthError, match="invalid_client"):
        token_of({**client, "client_id": "nobody"})


def test_a_new_secret_takes_the_place_of_the_old_one_and_ends_what_that_got(idp, client, facts_of):
    token = token_of(client)
    renewed = facts_of("connection", "secret", "idp", "--workspace", idp.workspace.slug)
    with pytest.raises(OAuthError, match="invalid_client"):
        token_of(client)
    assert users(idp, token_of(renewed)).status_code == 200
    assert users(idp, token).status_code == 401


def test_rotating_the_connections_token_ends_access_tokens_too(idp, client, facts_of):
    token = token_of(client)
    facts_of("connection", "rotate", "idp", "--workspace", idp.workspace.slug)
    assert users(idp, token).status_code == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": "admin"}, "invalid_scope"),
    ],
)
def test_errors_are_those_of_the_standard(client, form, error):
    auth = (client["client_id"], client["client_secret"])
    answer = requests.post(client["token_url"], data=form, auth=auth, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["Cache-Control"] == "no-store"


def test_clients_find_out_about_it(idp, client):
    told = requests.get(f"{idp.base_url}/.well-known/oauth-authorization-server", timeout=10).json()
    assert (told["token_endpoint"], told["issuer"]) == (client["token_url"], idp.base_url)
