"""How the SCIM door says no: always in SCIM's own shape, with a reason, and without changing anything."""

from __future__ import annotations

import pytest
import requests

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import connections
from tests.conftest import ERROR_URN, TEST, USER_URN, Idp

ROUTES = [
    ("GET", "/Users"),
    ("POST", "/Users"),
    ("GET", "/Users/x"),
    ("PUT", "/Users/x"),
    ("PATCH", "/Users/x"),
    ("DELETE", "/Users/x"),
    ("GET", "/Groups"),
    ("POST", "/Groups"),
    ("GET", "/Groups/x"),
    ("PUT", "/Groups/x"),
    ("PATCH", "/Groups/x"),
    ("DELETE", "/Groups/x"),
    ("GET", "/ServiceProviderConfig"),
    ("GET", "/Schemas"),
    ("GET", "/ResourceTypes"),
]


def is_scim_error(response: requests.Response, status: int) -> bool:
    body = response.json()
    return (
        response.status_code == status
        and response.headers["Content-Type"] == "application/scim+json"
        and body["schemas"] == [ERROR_URN]
        and body["status"] == str(status)
        and bool(body["detail"])
    )


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_gets_in_without_a_live_credential_of_this_very_kind(service, idp, method, path):
    wrong_kinds = [context().keyring.mint(kind).text for kind in Kind]
    headers = [{}, {"Authorization": "Basic YTpi"}, {"Cookie": f"session={idp.token}"}]
    wrong = ["", "null", "undefined", idp.token[:-1], *wrong_kinds]
    headers += [{"Authorization": f"Bearer {token}"} for token in wrong]
    for sent in headers:
        response = requests.request(method, f"{service.base_url}/scim/v2{path}", headers=sent, timeout=10)
        assert is_scim_error(response, 401), sent
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_in_the_address_is_no_credential(service, idp):
    response = requests.get(f"{service.base_url}/scim/v2/Users", params={"access_token": idp.token}, timeout=10)
    assert response.status_code == 401


def test_a_rotated_token_ends_at_once_or_after_the_overlap(idp, facts_of):
    slug = idp.workspace.slug
    kept = facts_of("connection", "rotate", "idp", "--workspace", slug, "--overlap", "1h")
    assert idp.request("GET", "/Users").status_code == 200
    last = facts_of("connection", "rotate", "idp", "--workspace", slug)
    assert idp.request("GET", "/Users").status_code == 401
    for made, status in ((kept, 401), (last, 200)):
        headers = {"Authorization": f"Bearer {made['token']}"}
        assert requests.get(f"{made['scim_base_url']}/Users", headers=headers, timeout=10).status_code == status


def test_what_belongs_to_another_workspace_is_not_there(new_idp):
    mine, theirs = new_idp(), new_idp()
    user = theirs.create_user("a@corp.example")
    group = theirs.create_group("G", user["id"])
    unknown = "01900000-0000-7000-8000-000000000000"
    for kind, found in (("Users", user["id"]), ("Groups", group["id"])):
        patch = {"op": "replace", "path": "displayName", "value": "mine now"}
        answers = [
            [mine.request(method, f"/{kind}/{which}") for method in ("GET", "DELETE")]
            + [mine.patch(f"/{kind}/{which}", patch)]
            for which in (found, unknown)
        ]
        assert all(is_scim_error(answer, 404) for answer in answers[0])
        assert [a.text for a in answers[0]] == [a.text for a in answers[1]]
    assert theirs.request("GET", f"/Users/{user['id']}").json()["userName"] == "a@corp.example"
    assert theirs.request("GET", f"/Groups/{group['id']}").json()["displayName"] == "G"
    assert mine.request("GET", "/Users").json()["totalResults"] == 0


def test_another_connection_of_the_workspace_does_not_see_its_groups(idp, service):
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        made = connections.create(
            database, workspace_id=idp.workspace.id, name="second", dialect="okta", digest=secret.digest, by=TEST
        )
    second = Idp(service.base_url, secret.text, idp.workspace, made)
    group = idp.create_group("Same name")
    assert second.request("GET", f"/Groups/{group['id']}").status_code == 404
    assert second.create_group("Same name")["id"] != group["id"]


BROKEN_BODIES = [
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"schemas": NaN}',
    b'{"userName": "\\ud800"}',
    b'{"schemas": []}',
    b'{"schemas": "x", "userName": "a"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"userName": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("body", BROKEN_BODIES, ids=lambda body: body[:20].decode(errors="replace"))
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_broken_body_is_refused_and_the_service_lives(service, idp, method, body):
    made = idp.create_user("a@corp.example")
    path = "/Users" if method == "POST" else f"/Users/{made['id']}"
    headers = {"Authorization": f"Bearer {idp.token}", "Content-Type": "application/scim+json"}
    response = requests.request(method, f"{service.base_url}/scim/v2{path}", data=body, headers=headers, timeout=10)
    assert is_scim_error(response, 400), response.text
    assert idp.request("GET", f"/Users/{made['id']}").json() == made


@pytest.mark.parametrize(
    ("content_type", "encoding", "status"),
    [
        ("application/scim+json; charset=utf-8", None, 201),
        ("application/json", None, 201),
        ("", None, 201),
        ("text/xml", None, 415),
        ("multipart/form-data; boundary=x", None, 415),
        ("application/json", "gzip", 415),
    ],
)
def test_the_body_is_json_and_nothing_else(service, idp, content_type, encoding, status):
    headers = {"Authorization": f"Bearer {idp.token}", "Content-Type": content_type}
    if encoding:
        headers["Content-Encoding"] = encoding
    body = b'{"schemas": ["%s"], "userName": "a@corp.example"}' % USER_URN.encode()
    response = requests.post(f"{service.base_url}/scim/v2/Users", data=body, headers=headers, timeout=10)
    assert response.status_code == status


def test_a_body_without_end_is_refused_not_cut(service, idp):
    def endless():
        yield b'{"schemas": ["%s"], "userName": "a@corp.example", "title": "' % USER_URN.encode()
        for _ in range(17):
            yield b"x" * 1024 * 1024
        yield b'"}'

    headers = {"Authorization": f"Bearer {idp.token}", "Content-Type": "application/scim+json"}
    response = requests.post(f"{service.base_url}/scim/v2/Users", data=endless(), headers=headers, timeout=30)
    assert response.status_code == 413
    assert idp.request("GET", "/Users").json()["totalResults"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing-here", 404),
        ("PUT", "/Users", 405),
        ("DELETE", "/Users", 405),
        ("POST", "/Users/x", 405),
        ("POST", "/ServiceProviderConfig", 405),
        ("GET", "/Users/not-an-id", 404),
        ("GET", "/Schemas/urn:nothing", 404),
        ("GET", "/Schemas?filter=id+eq+%22x%22", 403),
        ("GET", "/Users?filter=userName", 400),
        ("GET", "/Users?filter=nope+eq+%22x%22", 400),
        ("GET", "/Users?filter=name.nope+eq+%22x%22", 400),
        ("GET", "/Users?filter=active+gt+true", 400),
        ("GET", "/Users?filter=password+eq+%22x%22", 400),
        ("GET", "/Users?startIndex=one", 400),
        ("GET", "/Users?filter=" + "(" * 5000, 400),
    ],
)
def test_every_refusal_has_scims_shape(idp, method, path, status):
    response = idp.request(method, path)
    assert is_scim_error(response, status), response.text
    if status == 405:
        assert response.headers["Allow"]


def test_a_filter_says_where_it_is_wrong(idp):
    refused = idp.request("GET", "/Users", params={"filter": 'userName eq "a" und active eq true'}).json()
    assert refused["scimType"] == "invalidFilter"
    assert "character 17" in refused["detail"]


def test_discovery_lists_what_requests_are_checked_by(idp):
    config = idp.request("GET", "/ServiceProviderConfig").json()
    assert config["patch"] == {"supported": True}
    assert set(config["bulk"]) == {"supported", "maxOperations", "maxPayloadSize"}
    schemas = {s["id"]: s for s in idp.request("GET", "/Schemas").json()["Resources"]}
    (user_name,) = [a for a in schemas[USER_URN]["attributes"] if a["name"] == "userName"]
    assert (user_name["required"], user_name["caseExact"], user_name["uniqueness"]) == (True, False, "server")
    assert idp.request("GET", f"/Schemas/{USER_URN.upper()}").json() == schemas[USER_URN]
    kinds = idp.request("GET", "/ResourceTypes").json()["Resources"]
    assert {kind["endpoint"] for kind in kinds} == {"/Users", "/Groups"}


@pytest.mark.parametrize(
    ("kind", "operation", "scim_type"),
    [
        ("Users", {"op": "replace", "path": "displyName", "value": "x"}, "invalidPath"),
        ("Users", {"op": "replace", "path": "emails[type eq", "value": "x"}, "invalidPath"),
        ("Users", {"op": "replace", "path": 'emails[kind eq "work"].value', "value": "x"}, "invalidFilter"),
        ("Users", {"op": "replace", "path": 'emails[value co "nobody"].display', "value": "x"}, "noTarget"),
        ("Users", {"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"),
        ("Users", {"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ("Users", {"op": "remove", "path": "userName"}, "mutability"),
        ("Users", {"op": "remove"}, "noTarget"),
        ("Users", {"op": "move", "path": "title", "value": "x"}, "invalidSyntax"),
        ("Groups", {"op": "add", "path": "member", "value": [{"value": "x"}]}, "invalidPath"),
        ("Groups", {"op": "remove", "path": 'members[display eq "Ann"]'}, "invalidFilter"),
        ("Groups", {"op": "replace", "path": 'members[value eq "x"].value', "value": "y"}, "mutability"),
        ("Groups", {"op": "add", "path": "members", "value": [{"display": "Ann"}]}, "invalidValue"),
        ("Groups", {"op": "remove", "path": "displayName"}, "mutability"),
    ],
)
def test_a_change_that_cannot_be_done_is_refused_by_its_name_and_never_passed_over(idp, kind, operation, scim_type):
    """A success for what was not done would be worse: the identity provider never sends it again."""
    user = idp.create_user("a@corp.example", emails=[{"value": "a@x.example", "type": "work"}])
    path = f"/{kind}/{user['id'] if kind == 'Users' else idp.create_group('G', user['id'])['id']}"
    before = idp.request("GET", path).json()
    refused = idp.patch(path, {"op": "replace", "path": "externalId", "value": "new"}, operation)
    assert is_scim_error(refused, 400), refused.text
    assert refused.json()["scimType"] == scim_type
    assert idp.request("GET", path).json() == before


def test_what_is_not_kept_is_not_shown_as_if_it_were(idp):
    user = idp.create_user("a@corp.example", nationalId="1")
    path = f"/Users/{user['id']}"
    changed = idp.patch(path, {"op": "replace", "value": {"nationalId": "2", "title": "T"}})
    assert changed.status_code == 200
    assert (changed.json()["title"], "nationalId" in user, "nationalId" in changed.json()) == ("T", False, False)
    unchanged = idp.patch(path, {"op": "add", "value": {"nationalId": "3"}})
    assert (unchanged.status_code, unchanged.json()) == (200, changed.json())
