"""The provisioning log: what an identity provider asked, what changed, and why somebody did not arrive."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from provisioning import clock
from provisioning.database import transaction
from provisioning.journal import entries
from tests.conftest import ENTERPRISE_URN, GROUP_URN, PATCH_URN, USER_URN
from tests.waiting import eventually


@pytest.fixture
def log(idp, new_admin):
    """The log as an admin reads it, once it has as many entries."""
    admin = new_admin(idp.workspace.slug)

    def read(at_least, **query):
        def told():
            return admin.get(f"/connections/{idp.connection.id}/log", **query)["entries"]

        eventually(lambda: len(told()) >= at_least)
        return told()

    return read


def test_every_request_is_told_with_what_it_changed(idp, log):
    ann = idp.create_user("ann@corp.example", title="A", password="geheim-1", externalId="x1")
    idp.patch(f"/Users/{ann['id']}", {"op": "Replace", "path": "title", "value": "B"})
    group = idp.create_group("G", ann["id"])
    idp.find("/Users", 'userName eq "nobody"')
    idp.request("DELETE", f"/Groups/{group['id']}")
    deleted, looked, made, changed, created = log(5)
    assert (created["method"], created["path"], created["status"]) == ("POST", "/scim/v2/Users", 201)
    assert created["changes"]["userName"] == [None, "ann@corp.example"]
    assert (created["resourceType"], created["resourceId"]) == ("User", ann["id"])
    assert changed["changes"] == {"title": ["A", "B"]}
    assert "op_in_capitals" in changed["notes"]
    assert made["changes"]["members.added"] == [ann["id"]]
    assert (looked["filter"], looked["changes"]) == ('userName eq "nobody"', {})
    assert (deleted["status"], deleted["resourceId"]) == (204, group["id"])
    assert "geheim" not in str(log(5))


def test_what_was_refused_tells_why_and_has_changed_nothing(idp, log):
    idp.create_user("ann@corp.example")
    idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": "ANN@corp.example"})
    idp.request("POST", "/Users", ["no object"])
    idp.request("GET", "/Users/none")
    idp.request("GET", "/nowhere")
    missing, broken, taken = log(3, errors=True)
    assert (taken["status"], taken["scimType"], taken["changes"]) == (409, "uniqueness", {})
    assert "userName" in taken["detail"]
    assert (broken["status"], missing["status"]) == (400, 404)
    assert [entry["status"] for entry in log(1, search="userName already")] == [409]
    assert len(log(2, count=2)) == 2
    assert taken["id"] not in {entry["id"] for entry in log(1, before=taken["id"])}


def ignored(entry):
    return [note.removeprefix("ignored ") for note in entry["notes"] if note.startswith("ignored ")]


def test_what_no_schema_knows_is_told_by_its_name_alone_wherever_it_stands(idp, log):
    secret = "geheim-2"
    odd = {"favouriteColour": secret, "name": {"givenName": "A", "petName": secret}}
    inside = {"department": "D", "shoeSize": secret, "manager": {"value": "m", "mood": secret}}
    emails = [{"value": "a@corp.example", "display": "A", "carrier": secret}, {"value": "b@corp.example", "x": 1}]
    ann = idp.create_user("ann", **odd, **{ENTERPRISE_URN: inside}, emails=emails)
    told = [
        "favouriteColour",
        "name.petName",
        f"{ENTERPRISE_URN}:shoeSize",
        f"{ENTERPRISE_URN}:manager.mood",
        "emails.carrier",
        "emails.x",
    ]
    assert ignored(log(1)[0]) == told
    whole = {"schemas": [USER_URN], "userName": "ann", **odd, ENTERPRISE_URN: inside, "emails": emails}
    assert idp.request("PUT", f"/Users/{ann['id']}", whole).status_code == 200
    assert ignored(log(2)[0]) == told
    assert idp.patch(f"/Users/{ann['id']}", {"op": "replace", "value": whole}).status_code == 200
    assert ignored(log(3)[0]) == told
    more = (
        {
            "op": "add",
            "value": {"name.petName": secret, f"{ENTERPRISE_URN}:shoeSize": secret, "urn:x:y:colour": secret},
        },
        {"op": "replace", "path": "name", "value": {"givenName": "B", "petName": secret}},
        {"op": "replace", "path": ENTERPRISE_URN, "value": inside},
    )
    assert idp.patch(f"/Users/{ann['id']}", *more).status_code == 200
    newest = log(4)[0]
    assert set(ignored(newest)) == {
        *("name.petName", f"{ENTERPRISE_URN}:shoeSize", "urn:x:y:colour", f"{ENTERPRISE_URN}:manager.mood"),
    }
    assert secret not in str(log(4))


def test_what_is_known_is_told_of_nobody_and_of_very_many_names_only_the_first(idp, log):
    ann = idp.create_user("ann", title="T", emails=[{"value": "a@corp.example", "type": "work", "primary": True}])
    members = [{"value": ann["id"], "display": "Ann", "$ref": "x", "type": "User"}]
    group = {"schemas": [GROUP_URN], "displayName": "G", "members": members}
    assert idp.request("POST", "/Groups", group).status_code == 201
    assert [ignored(entry) for entry in log(2)] == [[], []]
    idp.create_user("bob", **{f"odd{number:04}": 1 for number in range(2000)})
    newest = ignored(log(3)[0])
    assert (newest[0], newest[-1], len(newest)) == ("odd0000", "1950 more", 51)


def test_each_operation_of_a_bulk_has_an_entry_of_its_own(idp, log):
    user = {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER_URN], "userName": "ann"}}
    twice = [user, {**user, "bulkId": "b"}]
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    idp.request("POST", "/Bulk", {"schemas": schemas, "Operations": twice})
    whole, refused, made = log(3)
    assert [(entry["path"], entry["status"]) for entry in (made, refused, whole)] == [
        ("/Bulk/Users", 201),
        ("/Bulk/Users", 409),
        ("/scim/v2/Bulk", 200),
    ]


def test_who_is_not_known_leaves_no_entry_and_nobody_else_sees_it(idp, new_idp, new_admin, log):
    idp.request("GET", "/Users", headers={"Authorization": "Bearer wrong"})
    idp.create_user("ann")
    assert [entry["path"] for entry in log(1)] == ["/scim/v2/Users"]
    stranger = new_admin(new_idp().workspace.slug)
    assert stranger.request("GET", f"/connections/{idp.connection.id}/log").status_code == 404
    assert stranger.request("GET", f"/connections/{idp.connection.id}/check").status_code == 404


def test_a_connection_is_checked_at_a_glance(idp, new_admin, log):
    admin = new_admin(idp.workspace.slug)
    (listed,) = admin.get("/connections")["connections"]
    path = f"/connections/{listed['id']}/check"
    assert admin.get(path)["check"] == {
        **dict.fromkeys(("credentialSeen", "firstUser", "firstGroup", "lastActivity", "lastError")),
        "requestsInADay": 0,
        "errorsInADay": 0,
        "advice": [],
    }
    idp.create_group("G", idp.create_user("ann")["id"])
    idp.request("GET", "/Users/none")
    log(3)
    seen = admin.get(path)["check"]
    assert all(seen[name] for name in ("credentialSeen", "firstUser", "firstGroup", "lastActivity"))
    assert (seen["requestsInADay"], seen["errorsInADay"]) == (3, 1)
    assert "no User none" in seen["lastError"]


@pytest.mark.parametrize(
    ("headers", "op", "dialect"),
    [
        ({"User-Agent": "Okta SCIM Client 1.0.0"}, "replace", "okta"),
        ({"User-Agent": "goauthentik.io/2026.2.1"}, "replace", "authentik"),
        ({"User-Agent": ""}, "Replace", "entra"),
        ({"User-Agent": "curl/8"}, "replace", None),
    ],
)
def test_who_speaks_is_learned_from_what_is_heard(idp, facts_of, headers, op, dialect):
    user = idp.create_user("ann")
    operation = {"op": op, "path": "title", "value": "x"}
    body = {"schemas": [PATCH_URN], "Operations": [operation]}
    assert idp.request("PATCH", f"/Users/{user['id']}", body, headers=headers).status_code == 200
    assert facts_of("connection", "set", "idp", "--workspace", idp.workspace.slug)["learned_dialect"] == dialect


def test_habits_that_make_for_trouble_come_with_advice(idp, facts_of, log):
    for name in ("ann", "bob", "eve"):
        idp.create_user(f"{name}@corp.example", externalId=name.upper(), password="x")
    log(3)
    advice = facts_of("connection", "check", "idp", "--workspace", idp.workspace.slug)["advice"]
    assert ["object id" in one or "passwords" in one for one in advice] == [True, True]


def test_everybody_inactive_looks_like_a_flag_mapped_the_wrong_way_round(idp, new_admin):
    admin = new_admin(idp.workspace.slug)

    def advice():
        return admin.get(f"/connections/{idp.connection.id}/check")["check"]["advice"]

    people = [idp.create_user(f"{name}@corp.example", externalId=f"{name}-1", active=False) for name in ("ann", "bob")]
    assert advice() == []
    people.append(idp.create_user("eve@corp.example", externalId="eve-1", active=False))
    (told,) = advice()
    assert "inactive" in told
    idp.patch(f"/Users/{people[0]['id']}", {"op": "replace", "path": "active", "value": True})
    assert advice() == []


def test_the_command_line_shows_both(idp, facts_of, command, log):
    idp.create_user("ann")
    idp.request("PATCH", "/Users/none", {"schemas": [PATCH_URN], "Operations": [{"op": "remove"}]})
    log(2)
    name = ("idp", "--workspace", idp.workspace.slug)
    assert facts_of("connection", "log", *name)["total"] == 2
    (refused,) = facts_of("connection", "log", *name, "--errors")["entries"]
    assert refused["status"] == 404
    assert facts_of("connection", "check", *name)["errors_in_a_day"] == 1
    shown = command("connection", "log", *name)
    assert (shown.returncode, "POST /scim/v2/Users" in shown.stdout) == (0, True)


def test_odd_texts_do_not_stop_the_log(idp, log):
    idp.request("GET", "/Users/%00%ed%a0%80", params={"filter": "a\0b"})
    body = {"schemas": [USER_URN], "userName": "ann", "odd\0name": 1}
    assert idp.request("POST", "/Users", body).status_code == 201
    assert [entry["status"] for entry in log(2)] == [201, 404]


def test_old_entries_are_forgotten(idp, app, log):
    idp.create_user("ann")
    log(1)
    with transaction() as database:
        assert entries.forget(database, older_than=timedelta(days=1), most=1000) == 0
        entries.forget(database, older_than=timedelta(0), most=100_000)
    assert log(0) == []


@pytest.mark.usefixtures("app")
def test_the_entries_of_a_connection_that_is_gone_take_no_others_with_them(idp, log):
    nothing = dict.fromkeys(entries.Entry._fields)
    about = {"at": clock.now(), "method": "GET", "path": "/x", "status": 200, "milliseconds": 1}
    about |= {"workspace_id": idp.workspace.id, "changes": {}, "notes": []}
    told = [
        entries.Entry(**{**nothing, **about, "id": uuid4(), "connection_id": connection_id})
        for connection_id in (uuid4(), idp.connection.id)
    ]
    with transaction() as database:
        entries.write(database, told)
    assert [entry["id"] for entry in log(1)] == [str(told[1].id)]
