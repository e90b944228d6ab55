"""A Group as a member of a Group is refused in words, however it is told, and nothing of the request is done."""

from __future__ import annotations

import pytest

from tests.conftest import GROUP_URN, PATCH_URN

TOLD = {
    "by its type": lambda inner: {"value": inner, "type": "Group"},
    "by its type in small letters": lambda inner: {"value": inner, "type": "group"},
    "by its address": lambda inner: {"value": inner, "$ref": f"https://idp.example/scim/v2/Groups/{inner}"},
    "by a relative address": lambda inner: {"value": inner, "$ref": f"Groups/{inner}"},
    "by its id alone": lambda inner: {"value": inner},
    "by its id, as Entra ID writes it": lambda inner: {"$ref": None, "value": inner},
}


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_a_group_as_a_member_is_refused_and_changes_nothing(idp, told):
    ann, bob = idp.create_user("ann"), idp.create_user("bob")
    inner, outer = idp.create_group("Inner", bob["id"]), idp.create_group("Outer", ann["id"])
    member = told(inner["id"])
    members = [{"value": bob["id"]}, member]
    whole = {"schemas": [GROUP_URN], "displayName": "Other", "members": members}
    address = f"/Groups/{outer['id']}"
    for answer in (
        idp.request("POST", "/Groups", whole),
        idp.request("PUT", address, whole),
        idp.patch(address, {"op": "Add", "path": "members", "value": members}),
        idp.patch(address, {"op": "replace", "path": "displayName", "value": "Other"}, {"op": "add", "value": whole}),
        idp.patch(address, {"op": "replace", "path": "members", "value": [member]}),
    ):
        assert (answer.status_code, answer.json().get("scimType")) == (400, "invalidValue"), answer.text
        assert "member" in answer.json()["detail"]
        assert "people" in answer.json()["detail"]
    assert idp.request("GET", address).json() == outer
    assert idp.request("GET", "/Groups").json()["totalResults"] == 2
    # What never was a member is taken out like anybody who is none.
    assert idp.patch(address, {"op": "remove", "path": "members", "value": [member]}).status_code == 200
    assert idp.request("GET", address).json() == outer


def test_a_group_that_a_bulk_request_makes_is_no_member_either(idp):
    outer = {"schemas": [GROUP_URN], "displayName": "Outer", "members": [{"value": "bulkId:inner"}]}
    operations = [
        {"method": "POST", "path": "/Groups", "bulkId": "outer", "data": outer},
        {"method": "POST", "path": "/Groups", "bulkId": "inner", "data": {**outer, "displayName": "I", "members": []}},
    ]
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    results = idp.request("POST", "/Bulk", {"schemas": schemas, "Operations": operations}).json()["Operations"]
    assert [result["status"] for result in results] == ["400", "201"]
    assert results[0]["response"]["scimType"] == "invalidValue"


def test_another_workspaces_group_is_a_name_like_any_other(idp, new_idp):
    group = idp.create_group("G")
    stranger = new_idp().create_group("Theirs")
    body = {
        "schemas": [PATCH_URN],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": stranger["id"]}]}],
    }
    answer = idp.request("PATCH", f"/Groups/{group['id']}", body)
    assert answer.status_code == 200
    assert "members" not in answer.json()
