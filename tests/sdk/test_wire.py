"""What the vendor's other SDKs put on the wire, told by hand: they come from no registry, so no lock can hold them.

Pages are asked for by JSON in one parameter (Python) or by `pagination[count]` (Node); several values are named
`emails[0]` (Node), `emails[]` (an option of it) or repeated (Python). Models are strict there: nothing that they need
may be null.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

LISTS = ("/users", "/groups", "/invites", "/roles", "/audit-events")
TYPES = {"FUNCTION", "SOURCE", "SPACE", "WAREHOUSE", "WORKSPACE"}
VENDORS = [f"application/vnd.segment.{version}+json" for version in ("v1", "v1beta", "v1alpha")]


def bracketed(**page: Any) -> dict[str, Any]:
    return {f"pagination[{name}]": value for name, value in page.items()}


def as_json(**page: Any) -> dict[str, Any]:
    return {"pagination": json.dumps(page)}


def indexed(name: str, values: list[str]) -> list[tuple[str, str]]:
    return [(f"{name}[{number}]", value) for number, value in enumerate(values)]


def empty_brackets(name: str, values: list[str]) -> list[tuple[str, str]]:
    return [(f"{name}[]", value) for value in values]


def repeated(name: str, values: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for value in values]


def errors(response: requests.Response) -> list[dict[str, Any]]:
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    found = response.json()["errors"]
    assert found
    assert all(isinstance(error["type"], str) for error in found)
    assert all(isinstance(error.get("status", 0), int) for error in found)
    return found


@pytest.mark.parametrize("spelled", [bracketed, as_json])
def test_both_spellings_of_a_page_lead_through_a_list(admin, people, spelled):
    seen, page = [], spelled(count=2)
    while page is not None:
        told = admin.get("/users", **page)
        seen.append({user["email"] for user in told["users"]})
        cursor = told["pagination"].get("next")
        page = spelled(cursor=cursor, count=2) if cursor else None
    assert [len(users) for users in seen] == [2, 2, 1]
    assert set().union(*seen) == {person.email for person in people}


@pytest.mark.parametrize("query", [{}, {"pagination": ""}, bracketed(count=1000), as_json(count=1000)], ids=str)
def test_every_list_tells_where_its_page_stands(admin, query):
    for path in LISTS:
        assert isinstance(admin.get(path, **query)["pagination"]["current"], str), path


@pytest.mark.parametrize(
    "query",
    [
        *(spelled(count=count) for spelled in (bracketed, as_json) for count in (0, 1001, "many")),
        *(spelled(count=2, cursor="none of ours") for spelled in (bracketed, as_json)),
        {"pagination": "{"},
        {"pagination": "[]"},
        {"pagination": '"2"'},
    ],
    ids=str,
)
def test_a_page_that_cannot_be_is_refused(admin, query):
    for path in LISTS:
        refused = admin.request("GET", path, params=query)
        assert refused.status_code in {400, 422}, (path, refused.text)
        assert any("pagination" in error.get("field", "") for error in errors(refused)), path


@pytest.mark.parametrize("spelled", [indexed, empty_brackets, repeated])
def test_every_spelling_of_several_names_each_of_them(admin, people, spelled):
    gone, left = people[:2], people[2:]
    response = admin.request("DELETE", "/users", params=spelled("userIds", [person.id for person in gone]))
    assert (response.status_code, response.json()["data"]) == (200, {"status": "SUCCESS"})
    assert {user["id"] for user in admin.get("/users")["users"]} == {person.id for person in left}


@pytest.mark.parametrize("path", ["/users", "/users?", "/users?userIds=", "/group/{group}/users?"])
def test_to_name_no_one_never_means_everyone(admin, idp, people, path):
    group = idp.create_group("G", *(person.id for person in people))["id"]
    refused = admin.request("DELETE", path.format(group=group))
    assert refused.status_code in {400, 422}, refused.text
    errors(refused)
    assert len(admin.get("/users")["users"]) == len(admin.get(f"/groups/{group}/users")["users"]) == len(people)


@pytest.mark.parametrize("word", ["group", "groups"])
def test_members_are_replaced_and_removed_under_both_words(admin, people, word):
    made = admin.request("POST", "/groups", {"name": "Analysts"})
    assert made.status_code == 200
    group = made.json()["data"]["userGroup"]["id"]
    emails = [person.email for person in people]
    put = admin.request("PUT", f"/{word}/{group}/users", {"emails": emails})
    assert (put.status_code, put.json()["data"]["userGroup"]["memberCount"]) == (200, 5)
    removed = admin.request("DELETE", f"/{word}/{group}/users", params=repeated("emails", emails[1:]))
    assert (removed.status_code, removed.json()["data"]) == (200, {"status": "SUCCESS"})
    assert [user["email"] for user in admin.get(f"/groups/{group}/users")["users"]] == emails[:1]


@pytest.mark.parametrize("media_type", [*VENDORS, "application/json", "application/json; charset=utf-8"])
def test_the_vendors_media_types_are_taken_and_the_answer_is_json(admin, media_type):
    headers = {"Authorization": f"Bearer {admin.token}", "Accept": media_type, "Content-Type": media_type}
    label = {"label": {"key": "region", "value": "emea", "description": "Europe"}}
    url = f"{admin.base_url}/api/labels"
    made = requests.post(url, data=json.dumps(label), headers=headers, timeout=20)
    assert (made.status_code, made.json()) == (201, {"data": label})
    shown = requests.get(url, headers=headers, timeout=20)
    assert (shown.status_code, shown.headers["Content-Type"].split(";")[0]) == (200, "application/json")


@pytest.mark.parametrize("path", ["", "/"])
def test_the_workspace_answers_with_and_without_a_slash(admin, idp, path):
    told = admin.request("GET", path, allow_redirects=False)
    assert (told.status_code, told.json()["data"]["workspace"]["slug"]) == (200, idp.workspace.slug)


def test_what_the_models_need_is_never_null(admin, idp):
    nameless = idp.create_user("nameless@corp.example")["id"]
    group = idp.create_group("G", nameless)["id"]
    everything = {"id": str(idp.workspace.id), "type": "WORKSPACE"}
    permissions = [{"roleId": role, "resources": [everything]} for role in ("tracking-plan-admin", "source-admin")]
    for subject in (f"users/{nameless}", f"groups/{group}"):
        answer = admin.request("POST", f"/{subject}/permissions", {"permissions": permissions})
        assert answer.status_code == 200, answer.text
    shown = [*admin.get("/users")["users"], *admin.get("/groups")["userGroups"]]
    assert len(shown) == 2
    for one in shown:
        assert isinstance(one["name"], str)
        assert len(one["permissions"]) >= 2
        for permission in one["permissions"]:
            assert permission["roleId"]
            assert permission["roleName"]
            assert {resource["type"] for resource in permission["resources"]} <= TYPES
            assert all(isinstance(resource["id"], str) for resource in permission["resources"])
    (member,) = admin.get(f"/groups/{group}/users")["users"]
    assert (member["id"], member["email"]) == (nameless, "nameless@corp.example")
    assert isinstance(member["name"], str)
    assert type(admin.get(f"/groups/{group}")["userGroup"]["memberCount"]) is int
    assert all(isinstance(role["description"], str) for role in admin.get("/roles")["roles"])
    for event in admin.get("/audit-events")["events"]:
        for name in ("id", "timestamp", "type", "actor", "resourceId", "resourceType", "resourceName"):
            assert isinstance(event[name], str), (name, event)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/users", {"Authorization": ""}, {401}),
        ("GET", "/users/", {}, {404, 200}),
        ("GET", "/no/such/thing", {}, {404}),
        ("PUT", "/labels", {}, {405}),
        ("POST", "/labels", {"Content-Type": "application/json"}, {400, 422}),
        ("POST", "/labels", {"Content-Type": "text/plain"}, {400, 415, 422}),
    ],
)
def test_however_a_request_fails_there_is_an_error_to_unwrap(admin, method, path, headers, status):
    sent = {"Authorization": f"Bearer {admin.token}", **headers}
    refused = requests.request(method, f"{admin.base_url}/api{path}", data="{", headers=sent, timeout=20)
    assert refused.status_code in status, refused.text
    if refused.status_code != 200:
        errors(refused)


@pytest.mark.parametrize("spelled", [indexed, empty_brackets, repeated])
def test_invitations_are_taken_back_by_every_spelling_of_several(admin, spelled):
    emails = [f"p{number}@corp.example" for number in range(3)]
    # The other SDK's models write what is not set as null.
    sent = {"invites": [{"email": email, "permissions": None} for email in emails]}
    made = admin.request("POST", "/invites", sent)
    assert (made.status_code, made.json()) == (201, {"data": {"emails": emails}})
    gone = admin.request("DELETE", "/invites", params=spelled("emails", emails[1:]))
    assert (gone.status_code, gone.json()["data"]) == (200, {"status": "SUCCESS"})
    told = admin.get("/invites")
    assert (told["invites"], told["pagination"]["totalEntries"]) == (emails[:1], 1)
    for path in ("/invites", "/invites?", "/invites?emails="):
        errors(refused := admin.request("DELETE", path))
        assert refused.status_code == 422, path
    assert admin.get("/invites")["invites"] == emails[:1]
