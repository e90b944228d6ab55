"""OAuth clients of a workspace: how they get access tokens, what those open, and when they end."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import OKPKey, RSAKey
from sqlalchemy import func, select, update

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.refusals import NotFound
from provisioning.tokens import clients
from provisioning.tokens.clients import Proof
from provisioning.tokens.models import AccessToken, ApiToken
from tests.conftest import TEST, Admin
from tests.statements import counted
from tests.waiting import blocked_by, eventually
from tests.web.oauth import Program, bearer, new_key
from tests.web.tokens import OWNER, made_by

WHOLE = [{"type": "WORKSPACE"}]


def get(idp, token, path="/api/users"):
    return requests.get(f"{idp.base_url}{path}", headers=bearer(token), timeout=20)


def made(admin, body=None, **more):
    answer = admin.request("POST", "/oauth-clients", {"name": "shop", **(body or {}), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["client"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_unmodified_library_gets_a_token_that_opens_the_api_of_the_workspace(idp, new_idp, program, method):
    new_idp().create_user("stranger@corp.example")
    idp.create_user("ann@corp.example")
    session = OAuth2Session(program.id, program.secret, token_endpoint_auth_method=method)
    token = session.fetch_token(f"{idp.base_url}/oauth/token", grant_type="client_credentials")
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, "api introspect")
    users = session.get(f"{idp.base_url}/api/users").json()["data"]["users"]
    assert [user["email"] for user in users] == ["ann@corp.example"]
    assert get(idp, token["access_token"], "/scim/v2/Users").status_code == 401


KEYS = {
    "ES256": new_key,
    "RS256": lambda: RSAKey.generate_key(2048, auto_kid=True),
    "PS256": lambda: RSAKey.generate_key(2048, auto_kid=True),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519", auto_kid=True),
}


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("holder", ["client", "connection"])
def test_an_unmodified_library_proves_it_by_a_key(idp, new_admin, algorithm, holder):
    key, admin = KEYS[algorithm](), new_admin(idp.workspace.slug)
    public = key.as_dict(private=False)
    if holder == "client":
        client_id = made(admin, permissions=[{"roleId": "workspace-owner", "resources": WHOLE}], key=public)["id"]
    else:
        client_id = str(idp.connection.id)
        assert admin.request("POST", f"/connections/{client_id}/keys", {"key": public}).status_code == 201
    session = OAuth2Session(client_id, key, token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(PrivateKeyJWT(alg=algorithm))
    token = session.fetch_token(f"{idp.base_url}/oauth/token", grant_type="client_credentials")["access_token"]
    opened = "/api/users" if holder == "client" else "/scim/v2/Users"
    assert get(idp, token, opened).status_code == 200
    kept = admin.get("/oauth-clients/" + client_id)["client"] if holder == "client" else None
    assert kept is None or (kept["secrets"], [k["jwk"]["kid"] for k in kept["keys"]]) == ([], [public["kid"]])


def test_a_token_does_what_the_clients_policies_allow_and_follows_them_at_once(idp, new_admin, program):
    admin = new_admin(idp.workspace.slug)
    token = program.token()
    assert get(idp, token, "/api/roles").status_code == 200
    fewer = {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]}
    assert admin.request("PUT", f"/oauth-clients/{program.id}/permissions", fewer).status_code == 200
    refused = get(idp, token, "/api/roles")
    assert (refused.status_code, refused.json()["errors"][0]["data"]) == (403, {"action": "role.read"})


def test_what_a_client_did_is_recorded_as_its_doing(idp, program):
    headers = bearer(program.token())
    label = {"label": {"key": "team", "value": "a"}}
    assert requests.post(f"{idp.base_url}/api/labels", json=label, headers=headers, timeout=20).status_code == 201
    events = requests.get(f"{idp.base_url}/api/audit-events", headers=headers, timeout=20).json()["data"]["events"]
    (event,) = [event for event in events if event["type"] == "label.created"]
    assert event["actor"] == f"client:{program.id}"


@pytest.mark.parametrize(
    ("asked", "scope", "opens"),
    [
        ("api", "api", {"api": 200, "introspect": 403}),
        ("introspect", "introspect", {"api": 403, "introspect": 200}),
        ("introspect api", "introspect api", {"api": 200, "introspect": 200}),
        ("api api", "api", {"api": 200, "introspect": 403}),
    ],
)
def test_a_token_is_for_what_was_asked_and_nothing_else(idp, program, asked, scope, opens):
    answer = program.post("token", grant_type="client_credentials", scope=asked).json()
    assert answer["scope"] == scope
    token = answer["access_token"]
    introspection = requests.post(
        f"{idp.base_url}/oauth/introspect", data={"token": token}, headers=bearer(token), timeout=20
    )
    assert {"api": get(idp, token).status_code, "introspect": introspection.status_code} == opens


@pytest.mark.parametrize("scope", ["admin", "api admin", "scim", "apis", "ap", "api:read", "API", "api,introspect"])
def test_a_scope_that_is_not_the_clients_is_refused_and_nothing_is_issued(program, scope):
    answer = program.post("token", grant_type="client_credentials", scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    with reading() as database:
        count = select(func.count()).select_from(AccessToken).where(AccessToken.client_id == program.id)
        assert database.execute(count).scalar_one() == 0


def test_an_access_token_ends_at_its_second_and_is_cleared_away(idp, new_program, app):
    program = new_program(idp, lifetime=timedelta(seconds=60))
    answer = program.post("token", grant_type="client_credentials").json()
    assert answer["expires_in"] == 60
    assert get(idp, answer["access_token"]).status_code == 200
    mine = AccessToken.client_id == program.id
    with transaction() as database:
        database.execute(update(AccessToken).where(mine).values(expires_at=func.clock_timestamp()))
    assert get(idp, answer["access_token"]).status_code == 401

    def is_gone():
        with reading() as database:
            return database.execute(select(AccessToken.id).where(mine)).one_or_none() is None

    eventually(is_gone)


def test_a_client_that_is_revoked_is_dead_with_its_tokens(idp, program, command):
    token = program.token()
    done = command("client", "revoke", program.id, "--workspace", idp.workspace.slug)
    assert done.returncode == 0, done.stderr
    assert get(idp, token).status_code == 401
    assert program.post("token", grant_type="client_credentials").status_code == 401


def test_a_client_ends_with_its_owners_membership_and_does_not_come_back(idp, new_program, new_admin):
    owner = idp.create_user("boss@corp.example")
    program = new_program(idp, owner="boss@corp.example")
    token = program.token()
    for active, status in ((False, 401), (True, 401)):
        idp.patch(f"/Users/{owner['id']}", {"op": "replace", "path": "active", "value": active})
        assert get(idp, token).status_code == status
        assert program.post("token", grant_type="client_credentials").status_code == status
    (shown,) = new_admin(idp.workspace.slug).get("/oauth-clients")["clients"]
    assert (shown["id"], shown["active"], shown["ownerId"]) == (program.id, False, owner["id"])


def test_a_client_does_not_go_along_when_its_owner_becomes_another_person(idp, new_program):
    owner = idp.create_user("boss@corp.example")
    program = new_program(idp, owner="boss@corp.example")
    token = program.token()
    another = {"userName": "q@corp.example", "emails": [{"value": "q@corp.example"}]}
    assert idp.patch(f"/Users/{owner['id']}", {"op": "replace", "value": another}).status_code in {200, 204}
    assert get(idp, token).status_code == 401
    assert program.post("token", grant_type="client_credentials").status_code == 401


def refused(admin, method, path, body=None):
    answer = admin.request(method, path, body)
    return answer.status_code, answer.json()["errors"][0]["data"]["action"]


def of(client, base_url):
    return Program(base_url, client["id"], client["secrets"][0]["secret"])


def test_what_a_token_makes_is_its_owners_and_ends_with_it(idp, new_admin):
    admin = new_admin(idp.workspace.slug)
    alice, bob = (idp.create_user(f"{name}@corp.example")["id"] for name in ("alice", "bob"))
    for who in (alice, bob):
        assert admin.request("PUT", f"/users/{who}/permissions", {"permissions": OWNER}).status_code == 200
    made_first, first = made_by(admin, ownerId=alice)
    _, second = made_by(first)
    # Made by a token of a token; of an owner, for another one.
    client, another = made(second, permissions=OWNER), made(second, permissions=OWNER, ownerId=bob)
    assert [one["ownerId"] for one in (client, another)] == [alice, bob]
    programs = [of(one, idp.base_url) for one in (client, another)]
    tokens = [program.token() for program in programs]
    assert [get(idp, token).status_code for token in tokens] == [200, 200]
    assert admin.request("PUT", f"/users/{alice}/permissions", {"permissions": []}).status_code == 200
    assert get(idp, tokens[0]).status_code == 403
    assert admin.request("DELETE", f"/tokens/{made_first['id']}").status_code == 200
    assert [get(idp, token).status_code for token in tokens] == [401, 401]
    assert {program.post("token", grant_type="client_credentials").status_code for program in programs} == {401}
    assert {one["active"] for one in admin.get("/oauth-clients")["clients"]} == {False}


def test_a_token_that_is_no_owners_makes_no_client_for_others(idp, new_admin):
    admin = new_admin(idp.workspace.slug)
    bob = idp.create_user("bob@corp.example")["id"]
    weak = new_admin(idp.workspace.slug, "source-admin")
    assert refused(weak, "POST", "/oauth-clients", {"name": "x", "ownerId": bob}) == (403, "oauth-client.create")
    assert admin.get("/oauth-clients")["clients"] == []


def test_a_client_is_dead_from_the_moment_at_which_its_maker_expires(idp, new_admin):
    admin = new_admin(idp.workspace.slug)
    maker, short = made_by(admin, expiresIn=3600)
    program = of(made(short, permissions=OWNER), idp.base_url)
    token = program.token()
    assert get(idp, token).status_code == 200
    with transaction() as database:
        over = update(ApiToken).where(ApiToken.id == maker["id"]).values(expires_at=func.clock_timestamp())
        database.execute(over)
    assert get(idp, token).status_code == 401


def test_a_token_gives_no_credential_that_outlives_or_outranges_it(idp, new_admin, program):
    admin, key = new_admin(idp.workspace.slug), {"key": new_key().as_dict(private=False)}
    _, short = made_by(admin, expiresIn=3600)
    _, bound = made_by(admin, addressRanges=["127.0.0.0/8", "::1"])
    lasting = [made(admin)["id"], program.id]
    for client_id in lasting:
        for what, body in (("secrets", None), ("keys", key)):
            assert refused(short, "POST", f"/oauth-clients/{client_id}/{what}", body) == (403, "token.outlive")
    own = made(short)["id"]
    assert short.request("POST", f"/oauth-clients/{own}/secrets").status_code == 201
    assert admin.request("POST", f"/oauth-clients/{own}/keys", key).status_code == 201
    by_program = Admin(idp.base_url, program.token())
    for asking, action in ((bound, "token.widen"), (by_program, "token.create")):
        assert refused(asking, "POST", "/oauth-clients", {"name": "x"}) == (403, action)
        assert refused(asking, "POST", f"/oauth-clients/{own}/secrets") == (403, action)
        assert refused(asking, "POST", f"/oauth-clients/{own}/keys", key) == (403, action)
        assert refused(asking, "POST", f"/connections/{idp.connection.id}/keys", key) == (403, action)
    assert len(admin.get("/oauth-clients")["clients"]) == 3


def test_what_was_got_by_a_credential_ends_with_it(idp, new_admin, facts_of):
    admin, key = new_admin(idp.workspace.slug), new_key()
    client = made(admin, permissions=OWNER)
    path, program = f"/oauth-clients/{client['id']}", of(client, idp.base_url)
    added = admin.request("POST", f"{path}/keys", {"key": key.as_dict(private=False)}).json()["data"]["key"]
    keyed = Program(idp.base_url, client["id"], key=key)
    by_key = keyed.prove(keyed.assertion()).json()["access_token"]
    assert get(idp, by_key).status_code == 200
    assert admin.request("DELETE", f"{path}/keys/{added['id']}").status_code == 200
    assert get(idp, by_key).status_code == 401
    by_secret = program.token()
    assert admin.request("DELETE", f"{path}/secrets/{client['secrets'][0]['id']}").status_code == 200
    assert get(idp, by_secret).status_code == 401
    # The same of a connection, whose own credential stays.
    first = facts_of("connection", "secret", "idp", "--workspace", idp.workspace.slug)
    token = Program(idp.base_url, first["client_id"], first["client_secret"]).token()
    assert get(idp, token, "/scim/v2/Users").status_code == 200
    second = facts_of("connection", "secret", "idp", "--workspace", idp.workspace.slug)
    assert get(idp, token, "/scim/v2/Users").status_code == 401
    token = Program(idp.base_url, second["client_id"], second["client_secret"]).token()
    holder = f"/connections/{idp.connection.id}/keys"
    added = admin.request("POST", holder, {"key": key.as_dict(private=False)}).json()["data"]["key"]
    assert admin.request("DELETE", f"{holder}/{added['id']}").status_code == 200
    assert get(idp, token, "/scim/v2/Users").status_code == 401
    assert idp.request("GET", "/Users").status_code == 200


def test_who_has_proved_it_by_a_secret_that_is_taken_away_meanwhile_gets_no_token(idp, app, new_admin):
    client = made(new_admin(idp.workspace.slug), permissions=OWNER)
    digest = context().keyring.recognise(client["secrets"][0]["secret"], Kind.CLIENT_SECRET)
    where = {"workspace_id": idp.workspace.id, "client_id": UUID(client["id"])}
    token = context().keyring.mint(Kind.ACCESS_TOKEN)
    terms = {"digest": token.digest, "scope": "api", "lifetime": timedelta(hours=1), "by": TEST}

    def ask():
        with app.app_context(), transaction() as database:
            proved = clients.by_id(database, **where)
            clients.issue(database, client=proved, proof=Proof(digest), **terms)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as database:
            held = clients.lock(database, **where)
            clients.remove_secret(database, client=held, secret_id=UUID(client["secrets"][0]["id"]), by=TEST)
            asked = pool.submit(ask)
            blocked_by(database)
        with pytest.raises(NotFound):
            asked.result(20)
    assert get(idp, token.text).status_code == 401


def test_two_secrets_are_valid_at_once_and_no_third(idp, new_admin):
    admin = new_admin(idp.workspace.slug)
    client = made(admin)
    first = Program(idp.base_url, client["id"], client["secrets"][0]["secret"])
    path = f"/oauth-clients/{client['id']}/secrets"
    answer = admin.request("POST", path).json()["data"]["secret"]
    second = Program(idp.base_url, client["id"], answer["secret"])
    assert first.token() != second.token()
    assert admin.request("POST", path).status_code == 409
    shown = admin.get(f"/oauth-clients/{client['id']}")["client"]["secrets"]
    assert [sorted(secret) for secret in shown] == [["createdAt", "id"]] * 2
    assert admin.request("DELETE", f"{path}/{client['secrets'][0]['id']}").status_code == 200
    assert first.post("token", grant_type="client_credentials").status_code == 401
    assert second.token()


def test_two_keys_are_valid_at_once_and_no_third(idp, new_admin):
    admin, old, new = new_admin(idp.workspace.slug), new_key(), new_key()
    client = made(admin, key=old.as_dict(private=False))
    assert client["secrets"] == []
    path = f"/oauth-clients/{client['id']}/keys"
    by_old, by_new = (Program(idp.base_url, client["id"], key=key) for key in (old, new))
    assert by_new.prove(by_new.assertion()).status_code == 401
    assert admin.request("POST", path, {"key": new.as_pem(private=False).decode()}).status_code == 201
    assert admin.request("POST", path, {"key": new.as_dict(private=False)}).status_code == 409
    assert admin.request("POST", path, {"key": new_key().as_dict(private=False)}).status_code == 409
    for program in (by_old, by_new):
        assert program.prove(program.assertion()).status_code == 200
    assert admin.request("DELETE", f"{path}/{client['keys'][0]['id']}").status_code == 200
    assert [by_old.prove(by_old.assertion()).status_code, by_new.prove(by_new.assertion()).status_code] == [401, 200]


def test_wrong_credentials_of_every_kind_are_one_answer(idp, program, new_idp, new_program):
    foreign = new_program(new_idp())
    token = program.token()
    answers = {
        (answer.status_code, answer.text, answer.headers["WWW-Authenticate"])
        for client_id, secret in (
            (program.id, foreign.secret),
            (program.id, ""),
            (program.id, "wrong"),
            (program.id, program.secret[:-1]),
            (program.id, program.secret + "\n"),
            (program.id, token),
            (program.id, idp.token),
            (foreign.id, program.secret),
            (str(idp.connection.id), program.secret),
            ("00000000-0000-7000-8000-000000000000", program.secret),
            ("nobody", program.secret),
            ("", ""),
        )
        for answer in [Program(idp.base_url, client_id, secret).post("token", grant_type="client_credentials")]
    }
    assert len(answers) == 1
    ((status, _, challenge),) = answers
    assert (status, challenge.split(" ")[0]) == (401, "Basic")


def test_a_damaged_access_token_opens_nothing_and_never_reaches_the_database(app, program):
    token = program.token()
    last = "a" if token[-1] != "a" else "b"
    damaged = [token[:-1], token[:-1] + last, token + "=", token + "%00", token + " x", token.upper(), token * 2]
    damaged += [token.replace("pvt_", kind) for kind in ("pva_", "pvs_", "pvc_", "pvo_")]
    for text in damaged:
        with counted() as statements:
            assert app.test_client().get("/api/users", headers=bearer(text)).status_code == 401
        assert statements == [], text
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert app.test_client().get("/api/users", headers=headers).status_code == 401
    assert app.test_client().get("/api/users", query_string={"access_token": token}).status_code == 401


def test_nobody_gives_a_client_what_they_lack_and_only_owners_make_one(idp, new_admin):
    slug = idp.workspace.slug
    owner = new_admin(slug)
    role = {"id": "looker", "name": "Looker", "actions": ["member.read"]}
    assert owner.request("POST", "/roles", role).status_code == 201
    wanted = {"name": "x", "permissions": [{"roleId": "workspace-owner", "resources": WHOLE}]}
    assert new_admin(slug, "looker").request("POST", "/oauth-clients", wanted).status_code == 403
    composed = owner.request("POST", "/roles", {"id": "y", "name": "Y", "actions": ["oauth-client.create"]})
    assert composed.status_code == 422
    assert owner.get("/oauth-clients")["clients"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x", "tokenLifetime": 59}, "tokenLifetime"),
        ({"name": "x", "tokenLifetime": 2592001}, "tokenLifetime"),
        ({"name": "x", "secret": "mine"}, "secret"),
        ({"name": "x", "key": 5}, "key"),
        ({"name": "x", "key": "-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----"}, "key"),
        ({"name": "x", "key": new_key().as_dict(private=True)}, "key"),
        ({"name": "x", "key": new_key().as_pem(private=True).decode()}, "key"),
        ({"name": "x", "permissions": [{"roleId": "source-admin", "resources": []}]}, "permissions.resources"),
    ],
)
def test_a_client_that_can_not_be_is_refused_by_field_and_not_made(idp, new_admin, body, field):
    admin = new_admin(idp.workspace.slug)
    refused = admin.request("POST", "/oauth-clients", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert admin.get("/oauth-clients")["clients"] == []


def test_an_owner_of_another_workspace_is_as_unknown_as_nobody(idp, new_idp, new_admin):
    stranger = new_idp().create_user("stranger@corp.example")
    refused = new_admin(idp.workspace.slug).request("POST", "/oauth-clients", {"name": "x", "ownerId": stranger["id"]})
    assert refused.status_code == 404


def test_a_resource_that_is_gone_takes_the_clients_policy_along(idp, new_admin):
    admin = new_admin(idp.workspace.slug)
    admin.request("PUT", "/resources", {"resources": [{"type": "source", "id": "s", "name": "s"}]})
    client = made(admin, permissions=[{"roleId": "source-admin", "resources": [{"type": "SOURCE", "id": "s"}]}])
    assert [p["roleId"] for p in client["permissions"]] == ["source-admin"]
    assert admin.request("DELETE", "/resources", {"resources": ["source:s"]}).status_code == 200
    assert admin.get(f"/oauth-clients/{client['id']}")["client"]["permissions"] == []


def test_a_paused_connection_gets_no_token(idp, facts_of):
    slug = idp.workspace.slug
    issued = facts_of("connection", "secret", "idp", "--workspace", slug)
    facts_of("connection", "pause", "idp", "--workspace", slug)
    answer = Program(idp.base_url, issued["client_id"], issued["client_secret"]).post(
        "token", grant_type="client_credentials"
    )
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "300"


def test_operators_do_the_same_from_the_command_line(idp, program, facts_of, tmp_path):
    slug = idp.workspace.slug
    idp.create_user("boss@corp.example")
    of = ("--workspace", slug, "--name", "x", "--role", "workspace-owner")
    made = facts_of("client", "create", *of, "--owner", "boss@corp.example", "--tokens-live", "60s")
    new = Program(idp.base_url, made["client_id"], made["client_secret"])
    assert new.post("token", grant_type="client_credentials").json()["expires_in"] == 60
    listed = facts_of("client", "list", "--workspace", slug)["clients"]
    assert [(one["id"], one["active"]) for one in listed] == [(program.id, True), (new.id, True)]
    second = facts_of("client", "secret", program.id, "--workspace", slug)
    assert Program(idp.base_url, program.id, second["client_secret"]).token()
    old = next(s for s in facts_of("client", "show", program.id, "--workspace", slug)["secrets"] if s != second["id"])
    facts_of("client", "secret", program.id, "--workspace", slug, "--remove", old)
    assert program.post("token", grant_type="client_credentials").status_code == 401
    key, file = new_key(), tmp_path / "key.json"
    file.write_text(json.dumps(key.as_dict(private=False)))
    for holder in ([program.id], [str(idp.connection.id), "--of-connection"]):
        (kept,) = facts_of("client", "key", *holder, "--workspace", slug, "--add", str(file))["keys"]
        assert kept["kid"] == key.kid
        keyed = Program(idp.base_url, holder[0], key=key)
        assert keyed.prove(keyed.assertion()).status_code == 200
        assert facts_of("client", "key", *holder, "--workspace", slug, "--remove", kept["id"])["total"] == 0


def test_a_library_is_told_what_is_wrong_in_words_of_the_standard(idp, program):
    session = OAuth2Session(program.id, "wrong")
    with pytest.raises(OAuthError, match="invalid_client"):
        session.fetch_token(f"{idp.base_url}/oauth/token", grant_type="client_credentials")
