from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import GROUP_URN


@pytest.fixture
def people(idp) -> list[str]:
    return [idp.create_user(f"p{number}@corp.example")["id"] for number in range(4)]


def members(idp, group: dict) -> set[str]:
    read = idp.request("GET", f"/Groups/{group['id']}").json()
    return {member["value"] for member in read.get("members", [])}


def test_a_group_shows_its_members_and_its_members_show_the_group(idp, people):
    group = idp.create_group("Équipe", *people[:2], externalId="g1")
    assert members(idp, group) == set(people[:2])
    shown = idp.request("GET", f"/Users/{people[0]}").json()["groups"]
    assert shown == [
        {
            "value": group["id"],
            "$ref": f"{idp.base_url}/scim/v2/Groups/{group['id']}",
            "display": "Équipe",
            "type": "direct",
        }
    ]


REMOVALS = {
    "by filter path": lambda who: {"op": "remove", "path": f'members[value eq "{who}"]'},
    "by value list": lambda who: {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": who}]},
    "by bare value": lambda who: {"op": "remove", "path": "members", "value": who},
    "by wrapped list": lambda who: {"op": "remove", "path": "members", "value": {"members": [{"value": who}]}},
}


@pytest.mark.parametrize("form", REMOVALS)
def test_removing_one_member_removes_that_one_alone_and_twice_does_no_harm(idp, people, form):
    group = idp.create_group("G", *people)
    removal = REMOVALS[form](people[0])
    assert idp.patch(f"/Groups/{group['id']}", removal).status_code in {200, 204}
    assert members(idp, group) == set(people[1:])
    version = idp.request("GET", f"/Groups/{group['id']}").json()["meta"]
    assert idp.patch(f"/Groups/{group['id']}", removal).status_code in {200, 204}
    assert idp.request("GET", f"/Groups/{group['id']}").json()["meta"] == version


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([("add", "members", [0]), ("add", "members", [0, 1])], {0, 1, 3}),
        ([("replace", "members", [1, 2])], {1, 2}),
        ([("replace", "members", [])], set()),
        ([("remove", "members", None)], set()),
        ([("remove", "members", [])], {3}),
        ([("add", "members", [])], {3}),
        ([("replace", "members", [0]), ("add", "members", [1])], {0, 1}),
        ([("add", "members", [0]), ("remove", "members", [0])], {3}),
        ([("remove", "members", [3]), ("add", "members", [3])], {3}),
    ],
)
def test_operations_on_members_in_their_order(idp, people, operations, expected):
    group = idp.create_group("G", people[3])
    sent = []
    for op, path, who in operations:
        value = {} if who is None else {"value": [{"value": people[number]} for number in who]}
        sent.append({"op": op, "path": path, **value})
    assert idp.patch(f"/Groups/{group['id']}", *sent).status_code in {200, 204}
    assert members(idp, group) == {people[number] for number in expected}


def test_okta_renames_along_with_the_id_and_members_stay(idp, people):
    group = idp.create_group("G", *people)
    renamed = idp.patch(f"/Groups/{group['id']}", {"op": "replace", "value": {"id": group["id"], "displayName": "H"}})
    assert renamed.json()["displayName"] == "H"
    assert members(idp, group) == set(people)


def test_replacing_a_group_without_the_key_members_leaves_them(idp, people):
    group = idp.create_group("G", *people, externalId="g1")
    idp.request("PUT", f"/Groups/{group['id']}", {"schemas": [GROUP_URN], "displayName": "H"})
    assert members(idp, group) == set(people)
    body = {"schemas": [GROUP_URN], "displayName": "H", "members": [{"value": people[0]}]}
    idp.request("PUT", f"/Groups/{group['id']}", body)
    assert members(idp, group) == {people[0]}
    idp.request("PUT", f"/Groups/{group['id']}", {**body, "members": None})
    assert members(idp, group) == {people[0]}
    idp.request("PUT", f"/Groups/{group['id']}", {**body, "members": []})
    assert members(idp, group) == set()


def test_a_member_of_another_workspace_is_nobody_here(new_idp, idp, people):
    group = idp.create_group("G", people[0])
    other = new_idp()
    stranger = other.create_user("s@corp.example", externalId="s")["id"]
    for who in (stranger, "s", "no-id", "00000000-0000-7000-8000-000000000000"):
        add = {"op": "add", "path": "members", "value": [{"value": people[1]}, {"value": who}]}
        assert idp.patch(f"/Groups/{group['id']}", add).status_code == 200
    assert members(idp, group) == {people[0], people[1]}
    other.create_user("t@corp.example", externalId="no-id")
    assert members(idp, group) == {people[0], people[1]}
    assert "groups" not in other.request("GET", f"/Users/{stranger}").json()


def test_eight_at_once_lose_nobody(idp):
    everybody = [idp.create_user(f"m{number}@corp.example")["id"] for number in range(40)]
    leaving, coming = everybody[:20], everybody[20:]
    group = idp.create_group("G", *leaving)

    def change(pair: tuple[str, str]) -> int:
        out, into = pair
        remove = {"op": "remove", "path": f'members[value eq "{out}"]'}
        return idp.patch(
            f"/Groups/{group['id']}", remove, {"op": "add", "path": "members", "value": [{"value": into}]}
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(change, zip(leaving, coming, strict=True))) == {200}
    assert members(idp, group) == set(coming)


def test_names_are_unique_among_the_groups_of_a_connection(idp):
    idp.create_group("Finance")
    twin = idp.request("POST", "/Groups", {"schemas": [GROUP_URN], "displayName": "FINANCE "})
    assert (twin.status_code, twin.json()["scimType"]) == (409, "uniqueness")


def test_a_large_group_is_not_sent_back_after_a_change(idp):
    everybody = [idp.create_user(f"l{number}@corp.example")["id"] for number in range(202)]
    group = idp.create_group("Large", *everybody)
    rename = {"op": "replace", "path": "displayName", "value": "Larger"}
    assert idp.patch(f"/Groups/{group['id']}", rename).status_code == 204
    asked = idp.request(
        "PATCH",
        f"/Groups/{group['id']}",
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [rename]},
        params={"attributes": "displayName"},
    )
    assert (asked.status_code, asked.json()["displayName"]) == (200, "Larger")


def test_deleting_a_group_leaves_its_members(idp, people):
    group = idp.create_group("G", *people)
    assert idp.request("DELETE", f"/Groups/{group['id']}").status_code == 204
    assert idp.request("GET", f"/Groups/{group['id']}").status_code == 404
    assert "groups" not in idp.request("GET", f"/Users/{people[0]}").json()


def test_membership_is_asked_by_a_filter_without_reading_the_group(idp, people):
    group = idp.create_group("G", people[0])
    for who, found in ((people[0], 1), (people[1], 0), ("nonsense", 0)):
        condition = f'id eq "{group["id"]}" and members eq "{who}"'
        assert len(idp.find("/Groups", condition)) == found


@pytest.mark.parametrize("form", ["POST", "PUT", "add", "replace"])
def test_a_member_who_is_named_twice_is_in_once(idp, people, form):
    twice = [{"value": people[0]}, {"value": people[1], "type": "User"}, {"value": people[0], "display": "Again"}]
    body = {"schemas": [GROUP_URN], "displayName": "G", "members": twice}
    if form == "POST":
        answer = idp.request("POST", "/Groups", body)
    else:
        path = f"/Groups/{idp.create_group('G')['id']}"
        operation = {"op": form, "path": "members", "value": twice}
        answer = idp.request("PUT", path, body) if form == "PUT" else idp.patch(path, operation, operation)
    assert answer.status_code in {200, 201}, answer.text
    assert sorted(member["value"] for member in answer.json()["members"]) == sorted(people[:2])
    path = f"/Groups/{answer.json()['id']}"
    assert idp.request("GET", path).json() == answer.json()
    idp.patch(path, {"op": "remove", "path": "members", "value": [twice[0], twice[2]]})
    assert [member["value"] for member in idp.request("GET", path).json()["members"]] == [people[1]]


def test_who_is_added_again_is_answered_with_the_group_as_it_is(idp, people):
    group = idp.create_group("G", *people[:2], externalId="g1")
    path = f"/Groups/{group['id']}"
    for again in (
        {"op": "add", "path": "members", "value": [{"value": people[0]}]},
        {"op": "add", "value": {"members": [{"value": one} for one in people[:2]]}},
        {"op": "replace", "path": "members", "value": [{"value": one} for one in people[:2]]},
    ):
        assert idp.patch(path, again).json() == group
    assert {member["$ref"] for member in group["members"]} == {
        f"{idp.base_url}/scim/v2/Users/{one}" for one in people[:2]
    }


def test_groups_that_others_keep_are_neither_listed_nor_reached(idp, new_admin, people):
    admin = new_admin(idp.workspace.slug)
    local = admin.request("POST", "/groups", {"name": "Local"}).json()["data"]["userGroup"]["id"]
    assert admin.request("POST", f"/groups/{local}/users", {"emails": ["p0@corp.example"]}).status_code == 200
    own = idp.create_group("Own", people[1])
    assert [group["id"] for group in idp.request("GET", "/Groups").json()["Resources"]] == [own["id"]]
    path = f"/Groups/{local}"
    emptied = {"op": "replace", "path": "members", "value": []}
    body = {"schemas": [GROUP_URN], "displayName": "Taken", "members": []}
    for answer in (
        idp.request("GET", path),
        idp.patch(path, emptied),
        idp.request("PUT", path, body),
        idp.request("DELETE", path),
    ):
        assert answer.status_code == 404
    assert [user["id"] for user in admin.get(f"/groups/{local}/users")["users"]] == [people[0]]


def test_a_group_may_keep_its_own_name_in_another_spelling(idp, people):
    group = idp.create_group("Finance", *people[:2])
    path = f"/Groups/{group['id']}"
    renamed = idp.patch(path, {"op": "replace", "path": "displayName", "value": "FINANCE"})
    assert (renamed.status_code, renamed.json()["displayName"]) == (200, "FINANCE")
    replaced = idp.request("PUT", path, {"schemas": [GROUP_URN], "displayName": "Finance "})
    assert (replaced.status_code, replaced.json()["displayName"]) == (200, "Finance ")
    assert [one["id"] for one in idp.find("/Groups", 'displayName eq "finance"')] == [group["id"]]
