"""When one connection takes something from many people at once: an alarm, and a hold where an admin wants one."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from provisioning.database import reading
from tests.waiting import eventually

OFF = {"op": "replace", "path": "active", "value": False}


@pytest.fixture
def people(idp):
    return [idp.create_user(f"p{number}")["id"] for number in range(30)]


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def alarms(idp):
    told = text("SELECT payload FROM event WHERE name = 'connection.mass_change' AND subject = :subject")
    with reading() as database:
        return database.execute(told, {"subject": f"connection:{idp.connection.id}"}).scalars().all()


def test_an_alarm_names_who_lost_something_once_an_hour(app, idp, people):
    group = idp.create_group("G", *people[:6])
    for one in people[6:10]:
        assert idp.patch(f"/Users/{one}", OFF).status_code == 200
    idp.patch(f"/Groups/{group['id']}", {"op": "remove", "path": "members"})
    eventually(lambda: alarms(idp), within=30)
    (told,) = alarms(idp)
    assert (told["count"], told["of"], sorted(told["members"])) == (10, 30, sorted(people[:10]))
    idp.patch(f"/Users/{people[11]}", OFF)
    assert len(alarms(idp)) == 1


def held_back(answer):
    assert answer.status_code == 403, answer.text
    assert "confirm" in answer.json()["detail"]


def test_what_goes_too_far_is_held_until_it_is_confirmed(idp, people, admin):
    path = f"/connections/{idp.connection.id}"
    assert admin.request("PATCH", path, {"holdsMassChanges": True}).status_code == 200
    group = idp.create_group("G", *people[12:20])
    for one in people[:9]:
        assert idp.patch(f"/Users/{one}", OFF).status_code == 200
    held_back(idp.patch(f"/Users/{people[9]}", OFF))
    held_back(idp.patch(f"/Users/{people[9]}", OFF))
    held_back(idp.request("DELETE", f"/Users/{people[10]}"))
    held_back(idp.patch(f"/Groups/{group['id']}", {"op": "remove", "path": f'members[value eq "{people[12]}"]'}))
    held_back(idp.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "members", "value": []}))
    assert idp.patch(f"/Users/{people[0]}", {"op": "replace", "path": "title", "value": "x"}).status_code == 200
    assert idp.request("GET", f"/Users/{people[9]}").json()["active"] is True
    waiting = admin.get(f"{path}/held-changes")["changes"]
    assert [(one["kind"], one["userId"]) for one in waiting[:3]] == [
        ("suspend", people[9]),
        ("remove", people[10]),
        ("take_out", people[12]),
    ]
    assert len(waiting) == 10
    done = admin.request("POST", f"{path}/held-changes", {"confirmed": True}).json()
    assert done == {"data": {"settled": 10}}
    assert idp.request("GET", f"/Users/{people[9]}").json()["active"] is False
    assert idp.request("GET", f"/Users/{people[10]}").status_code == 404
    assert "members" not in idp.request("GET", f"/Groups/{group['id']}").json()
    assert admin.get(f"{path}/held-changes")["changes"] == []


def test_what_is_dropped_is_not_done(idp, people, facts_of):
    name = ("idp", "--workspace", idp.workspace.slug)
    facts_of("connection", "set", *name, "--hold", "--alarm-percent", "1")
    for one in people[:9]:
        idp.patch(f"/Users/{one}", OFF)
    held_back(idp.patch(f"/Users/{people[9]}", OFF))
    assert facts_of("connection", "held", *name)["changes"][0]["member_id"] == people[9]
    assert facts_of("connection", "settle", *name, "--drop") == {"settled": 1, "confirmed": False}
    assert idp.request("GET", f"/Users/{people[9]}").json()["active"] is True


def test_a_suspension_that_is_held_ends_nothing_and_a_small_workspace_may_change(idp, admin):
    admin.request("PATCH", f"/connections/{idp.connection.id}", {"holdsMassChanges": True})
    people = [idp.create_user(f"q{number}")["id"] for number in range(5)]
    assert {idp.patch(f"/Users/{one}", OFF).status_code for one in people} == {200}
