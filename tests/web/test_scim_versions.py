from __future__ import annotations

import pytest

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.fixture(params=["Users", "Groups"])
def resource(request, idp):
    """A resource of either kind: its address, and what it is like."""
    made = idp.create_user("a@corp.example") if request.param == "Users" else idp.create_group("G")
    return f"/{request.param}/{made['id']}", made


def rename(idp, path, **headers):
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": "New"}],
    }
    return idp.request("PATCH", path, body, headers=headers)


def test_the_version_stands_in_the_header_and_is_not_sent_again_to_who_has_it(idp, resource):
    path, made = resource
    tag = made["meta"]["version"]
    assert idp.request("GET", path).headers["ETag"] == tag
    for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = idp.request("GET", path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert idp.request("GET", path, headers={"If-None-Match": 'W/"0"'}).status_code == 200


def test_who_has_seen_an_older_version_changes_nothing(idp, resource):
    path, made = resource
    old = made["meta"]["version"]
    changed = rename(idp, path, **{"If-Match": old})
    assert (changed.status_code, changed.headers["ETag"] != old) == (200, True)
    now = idp.request("GET", path).json()
    late = [rename(idp, path, **{"If-Match": old})]
    late += [idp.request("PUT", path, now, headers={"If-Match": old})]
    late += [idp.request("DELETE", path, headers={"If-Match": old})]
    assert [(a.status_code, a.json()["status"]) for a in late] == [(412, "412")] * 3
    assert idp.request("GET", path).json() == now
    assert idp.request("DELETE", path, headers={"If-Match": now["meta"]["version"]}).status_code == 204


def test_joining_a_group_is_a_new_version_of_both(idp):
    user, group = idp.create_user("a@corp.example"), idp.create_group("G")
    idp.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": user["id"]}]})
    for path, made in ((f"/Users/{user['id']}", user), (f"/Groups/{group['id']}", group)):
        assert idp.request("GET", path, headers={"If-None-Match": made["meta"]["version"]}).status_code == 200


def test_who_joined_a_group_in_the_meantime_can_be_changed_by_who_has_seen_them_before(idp):
    user = idp.create_user("a@corp.example")
    idp.create_group("G", user["id"])
    path = f"/Users/{user['id']}"
    assert rename(idp, path, **{"If-Match": user["meta"]["version"]}).status_code == 200
    assert rename(idp, path, **{"If-Match": user["meta"]["version"]}).status_code == 412
    assert rename(idp, path, **{"If-Match": "*"}).status_code == 200


def test_a_projection_without_meta_still_tells_where_the_new_resource_is(idp):
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a@corp.example"}
    made = idp.request("POST", "/Users", body, params={"attributes": "userName"})
    assert set(made.json()) == {"schemas", "id", "userName"}
    assert made.headers["Location"].endswith(made.json()["id"])
    assert made.headers["ETag"]


def test_a_search_finds_what_the_same_query_in_the_address_finds(idp):
    for number in range(4):
        idp.create_user(f"p{number}@corp.example", title="T")
    query = {"filter": 'title eq "t"', "startIndex": 2, "count": 2, "attributes": ["userName", "name.familyName"]}
    searched = idp.request("POST", "/Users/.search", {"schemas": [SEARCH_URN], **query})
    in_address = idp.request("GET", "/Users", params={**query, "attributes": "userName,name.familyName"})
    assert searched.status_code == 200
    assert searched.json() == in_address.json()
    assert searched.json()["itemsPerPage"] == 2
    idp.create_group("G")
    found = idp.request("POST", "/Groups/.search", {"schemas": [SEARCH_URN], "filter": 'displayName eq "g"'}).json()
    assert found["totalResults"] == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"schemas": ["x"]}, {"schemas": [SEARCH_URN], "filter": 5}, {"schemas": [SEARCH_URN], "count": "many"}],
)
def test_what_is_no_search_is_refused(idp, body):
    assert idp.request("POST", "/Users/.search", body).status_code == 400


def test_nobody_is_me(idp):
    assert idp.request("GET", "/Me").status_code == 501
