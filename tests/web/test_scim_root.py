"""Queries at the root (RFC 7644, section 3.4.2.1): people and groups in one list."""

from __future__ import annotations

import pytest

from tests.conftest import ENTERPRISE_URN

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.fixture
def world(idp, new_idp):
    stranger = new_idp()
    stranger.create_user("stranger")
    stranger.create_group("stranger")
    ann = idp.create_user("ann", displayName="Zoe", title="Boss", **{ENTERPRISE_URN: {"department": "R"}})
    idp.create_user("bob", externalId="x1")
    idp.create_group("Ann's", ann["id"], externalId="x1")
    idp.create_group("Empty")
    return idp


def named(answer):
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["itemsPerPage"] == len(shown["Resources"])
    return [one.get("userName") or one["displayName"] for one in shown["Resources"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", ["ann", "bob", "Ann's", "Empty"]),
        ('meta.resourceType eq "User"', ["ann", "bob"]),
        ('meta.resourceType eq "Group"', ["Ann's", "Empty"]),
        ('externalId eq "x1"', ["bob", "Ann's"]),
        ('userName eq "ann" or displayName eq "empty"', ["ann", "Empty"]),
        ("title pr", ["ann"]),
        ("not (title pr)", ["bob", "Ann's", "Empty"]),
        ('title ne "x"', ["ann", "bob", "Ann's", "Empty"]),
        ("title eq null", ["bob", "Ann's", "Empty"]),
        ('emails[value eq "x"] or members pr', ["Ann's"]),
        (f'{ENTERPRISE_URN}:department eq "r"', ["ann"]),
        ('schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group"', ["Ann's", "Empty"]),
        (f'schemas eq "{ENTERPRISE_URN}"', ["ann"]),
        ('schemas co "core:2.0"', ["ann", "bob", "Ann's", "Empty"]),
        ("schemas pr", ["ann", "bob", "Ann's", "Empty"]),
    ],
)
def test_what_one_type_does_not_have_is_absent_there(world, condition, expected):
    query = {"filter": condition} if condition else {}
    assert named(world.request("GET", "", params=query)) == expected
    assert named(world.request("POST", "/.search", {"schemas": [SEARCH_URN], **query})) == expected


def test_it_is_sorted_cut_and_projected_as_one_list(world):
    query = {"sortBy": "displayName", "attributes": "userName,displayName", "startIndex": 2, "count": 2}
    answer = world.request("GET", "", params=query)
    assert named(answer) == ["Empty", "ann"]
    assert answer.json()["totalResults"] == 4
    assert {name for one in answer.json()["Resources"] for name in one} == {"schemas", "id", "userName", "displayName"}
    assert named(world.request("GET", "", params={"sortBy": "title", "count": 1})) == ["ann"]


@pytest.mark.parametrize("query", [{"filter": 'nope eq "x"'}, {"filter": "members"}, {"sortBy": "nope"}])
def test_what_neither_has_is_refused(world, query):
    answer = world.request("GET", "", params=query)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")


@pytest.mark.parametrize("kind", ["User", "Group"])
def test_the_location_and_references_can_be_asked_for(world, kind):
    found = world.find(f"/{kind}s", "")[0]
    by_location = f'meta.location eq "{found["meta"]["location"]}"'
    assert [one["id"] for one in world.find(f"/{kind}s", by_location)] == [found["id"]]
    ann, group = world.find("/Users", 'userName eq "ann"')[0], world.find("/Groups", "members pr")[0]
    assert world.find("/Groups", f'members.$ref eq "{ann["meta"]["location"]}"') == [group]
    assert world.find("/Users", f'groups[$ref eq "{group["meta"]["location"]}"]') == [ann]
