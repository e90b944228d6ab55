from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import USER_URN

ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def test_a_created_user_comes_back_as_sent_with_what_the_service_adds(idp):
    sent = {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "userName": "Ada@Corp.example",
        "externalId": "00u1",
        "name": {"givenName": "Zoë", "familyName": "O'Brien-García Márquez"},
        "displayName": "明 Ada 👩🏽‍🚀",
        "emails": [{"value": "b@x.example", "type": "home"}, {"value": "a@x.example", "type": "work", "primary": True}],
        "active": True,
        ENTERPRISE_URN: {"department": "R&D"},
    }
    response = idp.request("POST", "/Users", sent)
    assert (response.status_code, response.headers["Content-Type"]) == (201, "application/scim+json")
    made = response.json()
    assert {name: made[name] for name in sent} == sent
    assert response.headers["Location"] == made["meta"]["location"] == f"{idp.base_url}/scim/v2/Users/{made['id']}"
    assert made["meta"]["resourceType"] == "User"
    assert idp.request("GET", f"/Users/{made['id']}").json() == made
    assert idp.request("GET", f"/Users/{made['id']}/").json() == made


def test_user_names_are_compared_without_case_and_are_unique(idp):
    idp.create_user("Straße@corp.example")
    twin = idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": "STRASSE@corp.example"})
    assert (twin.status_code, twin.json()["scimType"], twin.json()["status"]) == (409, "uniqueness", "409")
    assert len(idp.find("/Users", 'userName eq "strasse@CORP.example"')) == 1


def test_two_workspaces_may_know_the_same_person_each_with_its_own_profile(new_idp):
    first, second = new_idp(), new_idp()
    here = first.create_user("both@corp.example", displayName="Here")
    there = second.create_user("both@corp.example", displayName="There")
    first.patch(f"/Users/{here['id']}", {"op": "replace", "path": "displayName", "value": "Changed"})
    assert second.request("GET", f"/Users/{there['id']}").json() == there


def test_attributes_that_a_client_may_not_write_are_ignored_in_any_spelling(idp):
    made = idp.create_user(
        "a@corp.example",
        id="mine",
        ID="mine",
        meta={"created": "2000-01-01T00:00:00Z"},
        groups=[{"value": "x"}],
        owner=True,
        isOwner=True,
        workspace_id="x",
        password="never-kept",
        __class__="x",
    )
    assert made["id"] != "mine"
    assert not {"groups", "owner", "isOwner", "workspace_id", "password", "__class__", "ID"} & set(made)
    assert not made["meta"]["created"].startswith("2000")


def test_replacing_clears_what_is_left_out_but_not_active(idp):
    made = idp.create_user("a@corp.example", displayName="A", title="T")
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
    replaced = idp.request("PUT", f"/Users/{made['id']}", {"schemas": [USER_URN], "userName": "a@corp.example"}).json()
    assert "title" not in replaced
    assert replaced["active"] is False


def test_a_change_that_changes_nothing_leaves_the_version_alone(idp):
    made = idp.create_user("a@corp.example", displayName="A")
    same = idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "displayName", "value": "A"}).json()
    assert same["meta"] == made["meta"]
    changed = idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "displayName", "value": "B"}).json()
    assert changed["meta"]["version"] != made["meta"]["version"]


def test_who_is_suspended_stays_so_where_active_is_taken_away(idp):
    user = idp.create_user("ann@corp.example", active=False)
    path = f"/Users/{user['id']}"
    assert "active" not in idp.patch(path, {"op": "remove", "path": "active"}).json()
    assert "active" not in idp.patch(path, {"op": "replace", "path": "title", "value": "x"}).json()
    assert [one["id"] for one in idp.find("/Users", "active eq false")] == [user["id"]]
    assert idp.patch(path, {"op": "replace", "path": "active", "value": True}).json()["active"] is True
    assert idp.find("/Users", "active eq false") == []


def test_okta_and_entra_forms_of_deactivation_and_return(idp):
    made = idp.create_user("a@corp.example", externalId="e1")
    path = f"/Users/{made['id']}"
    for operation, active in [
        ({"op": "replace", "value": {"active": False}}, False),
        ({"op": "Replace", "path": "active", "value": "True"}, True),
        ({"op": "Replace", "path": "active", "value": "False"}, False),
        ({"op": "replace", "value": {"active": "true", "name.familyName": "L"}}, True),
    ]:
        assert idp.patch(path, operation).json()["active"] is active
    assert idp.request("GET", path).json()["name"] == {"familyName": "L"}


def test_a_patch_is_whole_or_nothing(idp):
    made = idp.create_user("a@corp.example", displayName="A")
    good = {"op": "replace", "path": "displayName", "value": "B"}
    for bad in ({"op": "replace", "path": "nope", "value": 1}, {"op": "remove", "path": "userName"}):
        for order in ([good, bad], [bad, good]):
            assert idp.patch(f"/Users/{made['id']}", *order).status_code == 400
    assert idp.request("GET", f"/Users/{made['id']}").json() == made


def test_a_suspended_person_is_restored_by_the_external_id_and_keeps_the_groups(idp):
    made = idp.create_user("a@corp.example", externalId="e1")
    group = idp.create_group("G", made["id"])
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}})
    again = idp.create_user("new-name@corp.example", externalId="e1")
    assert again["id"] == made["id"]
    assert [g["value"] for g in again["groups"]] == [group["id"]]


def test_a_suspended_person_is_not_restored_by_the_name_alone(idp):
    made = idp.create_user("a@corp.example", externalId="e1")
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}})
    other = idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": "a@corp.example", "active": True})
    assert other.status_code == 409
    assert idp.request("GET", f"/Users/{made['id']}").json()["active"] is False


def test_a_deleted_user_is_gone_and_the_name_is_free_for_somebody_new(idp):
    made = idp.create_user("a@corp.example", externalId="e1")
    assert idp.request("DELETE", f"/Users/{made['id']}").status_code == 204
    for method in ("GET", "DELETE"):
        assert idp.request(method, f"/Users/{made['id']}").status_code == 404
    assert idp.find("/Users", 'userName eq "a@corp.example"') == []
    assert idp.create_user("a@corp.example", externalId="e1")["id"] != made["id"]


@pytest.mark.parametrize(
    ("query", "total", "first", "shown"),
    [
        ({}, 5, 1, 5),
        ({"count": "2"}, 5, 1, 2),
        ({"startIndex": "4", "count": "2"}, 5, 4, 2),
        ({"startIndex": "5", "count": "2"}, 5, 5, 1),
        ({"startIndex": "9"}, 5, 9, 0),
        ({"count": "0"}, 5, 1, 0),
        ({"count": "-3"}, 5, 1, 0),
        ({"startIndex": "-7", "count": "1"}, 5, 1, 1),
        ({"count": "999999999999999999999"}, 5, 1, 5),
        ({"filter": 'userName sw "a1"'}, 1, 1, 1),
        ({"filter": 'userName eq "nobody@x.example"'}, 0, 1, 0),
        ({"filter": "externalId eq e3"}, 1, 1, 1),
        ({"filter": 'externalId eq "E3"'}, 0, 1, 0),
        ({"filter": 'not (userName co "a1") and active eq "True"'}, 4, 1, 4),
        ({"filter": 'displayName co "%"'}, 1, 1, 1),
    ],
)
def test_pages_and_filters(idp, query, total, first, shown):
    for number in range(5):
        idp.create_user(f"a{number}@corp.example", externalId=f"e{number}", displayName="100%" if number == 2 else "x")
    page = idp.request("GET", "/Users", params=query).json()
    counted = (page["totalResults"], page["startIndex"], page["itemsPerPage"], len(page["Resources"]))
    assert counted == (total, first, shown, shown)


def test_projection_shows_what_is_asked_for_and_always_the_id(idp):
    made = idp.create_user("a@corp.example", displayName="A", name={"givenName": "G", "familyName": "F"})
    path = f"/Users/{made['id']}"
    only = idp.request("GET", path, params={"attributes": "name.familyName"}).json()
    assert only == {"schemas": made["schemas"], "id": made["id"], "name": {"familyName": "F"}}
    without = idp.request("GET", path, params={"excludedAttributes": f"{USER_URN}:displayName,id"}).json()
    assert (without["id"], "displayName" in without) == (made["id"], False)
    both = idp.request("GET", path, params={"attributes": "id", "excludedAttributes": "name"})
    assert both.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"externalId": 1},
        {"externalId": True},
        {"externalId": ["1"]},
        {"externalId": {"value": "1"}},
        {"userName": 7},
        {"userName": ""},
        {"userName": "  "},
        {"userName": "x" * 2001},
        {"userName": "nul\0"},
        {"active": "no"},
        {"active": 1},
        {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
        {"emails": [7]},
        {"name": "Ada"},
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_nothing_is_stored(idp, body):
    response = idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": "a@corp.example", **body})
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidValue")
    assert next(iter(body)) in response.json()["detail"]
    assert idp.request("GET", "/Users").json()["totalResults"] == 0


def test_ids_of_the_identity_provider_never_meet_ours(idp):
    victim = idp.create_user("victim@corp.example")
    attacker = idp.create_user("attacker@corp.example", externalId=victim["id"])
    assert attacker["id"] != victim["id"]
    assert [u["id"] for u in idp.find("/Users", f'externalId eq "{victim["id"]}"')] == [attacker["id"]]
    assert [u["id"] for u in idp.find("/Users", f'id eq "{victim["id"]}"')] == [victim["id"]]


def test_of_many_who_create_the_same_person_at_once_one_succeeds(idp):
    names = ["Same@corp.example", "same@CORP.example", "SAME@corp.example", "same@corp.example"]

    def create(number: int) -> int:
        body = {"schemas": [USER_URN], "userName": names[number % 4], "active": True}
        return idp.request("POST", "/Users", body).status_code

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(create, range(16))) == [201] + [409] * 15
    assert idp.request("GET", "/Users").json()["totalResults"] == 1


def test_nobody_is_a_duplicate_of_themselves(idp):
    user = idp.create_user("ann@corp.example", externalId="1")
    path = f"/Users/{user['id']}"
    for name in ("ann@corp.example", "Ann@Corp.example", " ann@corp.example"):
        changed = idp.patch(path, {"op": "Replace", "path": "userName", "value": name})
        assert (changed.status_code, changed.json()["userName"]) == (200, name)
        whole = {"schemas": [USER_URN], "userName": name, "externalId": "1"}
        replaced = idp.request("PUT", path, whole)
        assert (replaced.status_code, replaced.json()["userName"]) == (200, name)
    assert [one["id"] for one in idp.find("/Users", 'userName eq "ANN@corp.example"')] == [user["id"]]


def test_who_is_suspended_is_read_found_and_changed_like_anybody(idp):
    user = idp.create_user("ann@corp.example", externalId="1", active=False)
    group = idp.create_group("G", user["id"])
    path = f"/Users/{user['id']}"
    named = ('userName eq "ann@corp.example"', 'externalId eq "1"', f'id eq "{user["id"]}"')
    for condition in (*named, "active eq false"):
        assert [one["active"] for one in idp.find("/Users", condition)] == [False]
    assert [one["id"] for one in idp.request("GET", "/Users").json()["Resources"]] == [user["id"]]
    changed = idp.patch(path, {"op": "replace", "path": "title", "value": "T"}).json()
    assert (changed["title"], changed["active"]) == ("T", False)
    replaced = idp.request("PUT", path, {**changed, "title": "U"}).json()
    assert (replaced["title"], replaced["active"]) == ("U", False)
    assert [one["value"] for one in replaced["groups"]] == [group["id"]]
    other = idp.create_group("H")
    idp.patch(f"/Groups/{other['id']}", {"op": "add", "path": "members", "value": [{"value": user["id"]}]})
    restored = idp.patch(path, {"op": "replace", "value": {"active": True}}).json()
    assert {one["display"] for one in restored["groups"]} == {"G", "H"}
    assert idp.request("DELETE", path).status_code == 204


@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_an_external_id_comes_back_in_every_answer(idp, kind):
    make = idp.create_user if kind == "Users" else idp.create_group
    made = make("ann", externalId="x/1 Ä")
    path = f"/{kind}/{made['id']}"
    name = "userName" if kind == "Users" else "displayName"
    answers = [made, idp.request("GET", path).json(), *idp.request("GET", f"/{kind}").json()["Resources"]]
    answers += idp.find(f"/{kind}", f'{name} eq "ANN"') + idp.find(f"/{kind}", 'externalId eq "x/1 Ä"')
    answers.append(idp.patch(path, {"op": "replace", "path": name, "value": "bob"}).json())
    whole = {"schemas": made["schemas"], name: "eve", "externalId": "x/1 Ä"}
    answers.append(idp.request("PUT", path, whole).json())
    assert [answer["externalId"] for answer in answers] == ["x/1 Ä"] * 7


def test_an_import_by_pages_meets_everybody_once_though_people_change_meanwhile(idp):
    made = [
        {"method": "POST", "path": "/Users", "bulkId": str(n), "data": {"schemas": [USER_URN], "userName": f"m{n}"}}
        for n in range(450)
    ]
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    assert idp.request("POST", "/Bulk", {"schemas": schemas, "Operations": made}).status_code == 200
    seen, start, total = [], 1, 1
    while start <= total:
        page = idp.request("GET", "/Users", params={"startIndex": start, "count": 100}).json()
        total = page["totalResults"]
        seen += [one["id"] for one in page["Resources"]]
        start += page["itemsPerPage"]
        for one in (seen[0], seen[-1]):
            assert idp.patch(f"/Users/{one}", {"op": "replace", "path": "title", "value": str(start)}).ok
    assert (total, len(seen), len(set(seen))) == (450, 450, 450)
