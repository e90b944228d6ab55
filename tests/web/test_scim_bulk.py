"""Bulk (RFC 7644, section 3.7) over HTTP."""

from __future__ import annotations

import pytest

from tests.conftest import ERROR_URN, GROUP_URN, PATCH_URN, USER_URN

BULK_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def bulk(idp, *operations, **envelope):
    return idp.request("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": list(operations), **envelope})


def results(idp, *operations, **envelope):
    answer = bulk(idp, *operations, **envelope)
    assert answer.status_code == 200, answer.text
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]
    return answer.json()["Operations"]


def statuses(done):
    return [operation["status"] for operation in done]


def user(bulk_id, name=None, **attributes):
    data = {"schemas": [USER_URN], "userName": name or f"{bulk_id}@corp.example", **attributes}
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def group(bulk_id, *members, **attributes):
    named = [{"value": member} for member in members]
    data = {"schemas": [GROUP_URN], "displayName": bulk_id, "members": named, **attributes}
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def managed_by(bulk_id):
    return {ENTERPRISE: {"manager": {"value": f"bulkId:{bulk_id}"}}}


def test_a_group_may_name_people_who_come_after_it(idp):
    made = results(idp, group("team", "bulkId:ann", "bulkId:bob"), user("ann"), user("bob"))
    assert statuses(made) == ["201"] * 3
    assert [operation["bulkId"] for operation in made] == ["team", "ann", "bob"]
    team = idp.request("GET", f"/Groups/{made[0]['location'].rpartition('/')[2]}").json()
    assert {member["$ref"] for member in team["members"]} == {made[1]["location"], made[2]["location"]}
    assert team["meta"]["version"] == made[0]["version"]


def test_people_who_manage_one_another_and_themselves(idp):
    made = results(
        idp,
        user("ann", **managed_by("bob")),
        user("bob", **managed_by("ann")),
        user("own", **managed_by("own")),
    )
    assert statuses(made) == ["201"] * 3
    ids = [operation["location"].rpartition("/")[2] for operation in made]
    shown = [idp.request("GET", f"/Users/{identifier}").json() for identifier in ids]
    assert [one[ENTERPRISE]["manager"]["value"] for one in shown] == [ids[1], ids[0], ids[2]]
    assert [one["meta"]["version"] for one in shown] == [operation["version"] for operation in made]


def test_a_circle_stands_or_falls_together_and_nothing_else_with_it(idp):
    made = results(
        idp,
        user("ann", **managed_by("bob")),
        user("bob", name=" ", **managed_by("ann")),
        user("eve"),
        group("team", "bulkId:ann"),
    )
    assert statuses(made) == ["409", "400", "201", "409"]
    assert made[1]["response"]["scimType"] == "invalidValue"
    assert all("location" not in operation for operation in (made[0], made[1], made[3]))
    assert [one["userName"] for one in idp.request("GET", "/Users").json()["Resources"]] == ["eve@corp.example"]
    assert idp.request("GET", "/Groups").json()["totalResults"] == 0


def test_every_method_and_one_bad_operation_spoils_no_other(idp):
    ann, bob, team = idp.create_user("ann"), idp.create_user("bob"), idp.create_group("T")
    operations = [{"op": "add", "path": "members", "value": [{"value": "bulkId:new"}, {"value": ann["id"]}]}]
    renamed = {"schemas": [USER_URN], "userName": "anna"}
    made = results(
        idp,
        {"method": "PUT", "path": f"/Users/{ann['id']}", "data": renamed, "version": ann["meta"]["version"]},
        {"method": "PUT", "path": f"/Users/{bob['id']}", "data": renamed},
        {
            "method": "patch",
            "path": f"/Groups/{team['id']}",
            "data": {"schemas": [PATCH_URN], "Operations": operations},
        },
        user("new"),
        {"method": "DELETE", "path": f"/Users/{bob['id']}", "version": 'W/"999"'},
        {"method": "DELETE", "path": f"/Users/{bob['id']}"},
        {"method": "DELETE", "path": f"/Users/{bob['id']}"},
        {"method": "POST", "path": "/Bulk", "bulkId": "x", "data": {}},
        {"method": "POST", "path": "/Me", "bulkId": "y", "data": {}},
    )
    assert statuses(made) == ["200", "409", "200", "201", "412", "204", "404", "400", "400"]
    for operation in made:
        failed = not operation["status"].startswith("2")
        assert ("response" in operation) == failed
        if failed:
            assert operation["response"]["schemas"] == [ERROR_URN]
            assert operation["response"]["status"] == operation["status"]
    assert made[0]["version"] != ann["meta"]["version"]
    assert len(idp.request("GET", f"/Groups/{team['id']}").json()["members"]) == 2


def test_it_stops_after_as_many_errors_as_were_asked_for(idp):
    idp.create_user("taken")
    bad = [user(f"b{number}", name="TAKEN") for number in range(3)]
    assert statuses(results(idp, bad[0], user("ok"), bad[1], bad[2], user("late"), failOnErrors=2)) == [
        "409",
        "201",
        "409",
    ]
    assert idp.find("/Users", 'userName sw "late"') == []


def test_another_connections_resources_are_not_there(idp, new_idp):
    other = new_idp()
    theirs = other.create_group("theirs", other.create_user("x")["id"])
    made = results(
        idp,
        group("mine", theirs["members"][0]["value"]),
        {"method": "DELETE", "path": f"/Groups/{theirs['id']}"},
        {"method": "DELETE", "path": f"/Users/{theirs['members'][0]['value']}"},
    )
    assert statuses(made) == ["201", "404", "404"]
    assert "members" not in idp.find("/Groups", 'displayName eq "mine"')[0]
    assert other.request("GET", f"/Groups/{theirs['id']}").json() == theirs


@pytest.mark.parametrize(
    ("envelope", "status"),
    [
        ({"Operations": []}, 400),
        ({"schemas": ["x"]}, 400),
        ({"Operations": "x"}, 400),
        ({"failOnErrors": 0}, 400),
        ({"failOnErrors": "1"}, 400),
        ({"Operations": [{"method": "DELETE", "path": "/Users/1"}] * 1001}, 413),
        ({"padding": "x" * 4 * 1024 * 1024}, 413),
    ],
)
def test_an_envelope_that_is_none_or_too_large_is_refused(idp, envelope, status):
    answer = idp.request("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": [user("a")], **envelope})
    assert (answer.status_code, answer.json()["schemas"]) == (status, [ERROR_URN])
    assert idp.request("GET", "/Users").json()["totalResults"] == 0


def test_the_limits_are_told_and_kept_to(idp):
    told = idp.request("GET", "/ServiceProviderConfig").json()["bulk"]
    assert told == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 4 * 1024 * 1024}
    assert statuses(results(idp, *[user(f"u{number}") for number in range(60)])) == ["201"] * 60
