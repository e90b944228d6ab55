"""Members whom a group names before they are pushed: they are awaited by their externalId, and join when they come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from provisioning.database import reading
from tests.conftest import GROUP_URN, USER_URN


def named(*names):
    return [{"value": name} for name in names]


def add(*names):
    return {"op": "add", "path": "members", "value": named(*names)}


def remove(*names):
    return {"op": "remove", "path": "members", "value": named(*names)}


def members(idp, group):
    return {one["value"] for one in idp.request("GET", f"/Groups/{group['id']}").json().get("members", [])}


def test_who_comes_later_joins_every_group_that_waits(idp):
    first, second = idp.create_group("A", "x1", "x2"), idp.create_group("B")
    assert idp.patch(f"/Groups/{second['id']}", add("x1")).status_code == 200
    assert members(idp, first) == members(idp, second) == set()
    ann = idp.create_user("ann", externalId="x1")
    assert {group["display"] for group in ann["groups"]} == {"A", "B"}
    assert members(idp, first) == members(idp, second) == {ann["id"]}
    changed = idp.request("GET", f"/Groups/{first['id']}").json()["meta"]
    assert changed["version"] != first["meta"]["version"]
    bob = idp.create_user("bob")
    told = idp.patch(f"/Users/{bob['id']}", {"op": "add", "path": "externalId", "value": "x2"}).json()
    assert [group["display"] for group in told["groups"]] == ["A"]


def test_a_person_may_be_named_by_the_external_id_from_the_start(idp):
    ann = idp.create_user("ann", externalId="x1")
    assert members(idp, idp.create_group("A", "x1")) == {ann["id"]}


def test_naming_somebody_who_is_to_come_changes_nothing_that_is_shown(idp):
    group = idp.create_group("A", "x1")
    assert idp.patch(f"/Groups/{group['id']}", add("x1", "x2")).json() == group
    body = {"schemas": [GROUP_URN], "displayName": "A", "members": named("x2")}
    assert idp.request("PUT", f"/Groups/{group['id']}", body).json() == group


@pytest.mark.parametrize(
    "operation",
    [
        remove("x1"),
        {"op": "remove", "path": 'members[value eq "x1"]'},
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": named("x2")},
    ],
)
def test_who_is_taken_out_is_not_awaited_any_more(idp, operation):
    group = idp.create_group("A", "x1")
    assert idp.patch(f"/Groups/{group['id']}", operation).status_code == 200
    idp.create_user("ann", externalId="x1")
    assert members(idp, group) == set()


def test_a_group_that_is_gone_awaits_nobody(idp):
    group = idp.create_group("A", "x1")
    idp.request("DELETE", f"/Groups/{group['id']}")
    assert "groups" not in idp.create_user("ann", externalId="x1")


def test_awaited_people_are_told_in_the_audit_trail_once(idp, app):
    group = idp.create_group("A", "x1")
    idp.patch(f"/Groups/{group['id']}", add("x1"))
    told = text("SELECT payload FROM event WHERE name = 'group.members_awaited' AND subject = :subject")
    with reading() as database:
        (payload,) = database.execute(told, {"subject": f"group:{group['id']}"}).scalars()
    assert payload["names"] == ["x1"]


def test_neither_side_misses_the_other_when_both_come_at_once(idp):
    """Each person is pushed while the group that names them is: whoever is first, all are in at the end."""
    group = idp.create_group("A")

    def push(number):
        body = {"schemas": [USER_URN], "userName": f"p{number // 2}", "externalId": f"x{number // 2}"}
        if number % 2:
            return idp.request("POST", "/Users", body).status_code
        return idp.patch(f"/Groups/{group['id']}", add(f"x{number // 2}")).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(push, range(120)))
    assert set(statuses) == {200, 201}
    assert len(members(idp, group)) == 60
