"""What admins set of a connection: paused, rehearsing, strict about members, no faster than allowed."""

from __future__ import annotations

import contextlib
import select
from http.client import HTTPConnection
from urllib.parse import urlsplit

import orjson
import pytest

from tests.conftest import GROUP_URN, USER_URN


@pytest.fixture
def configure(idp, new_admin):
    admin = new_admin(idp.workspace.slug)

    def change(**settings):
        answer = admin.request("PATCH", f"/connections/{idp.connection.id}", settings)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["connection"]

    return change


def test_a_paused_connection_is_put_off_and_goes_on_where_it_was(idp, configure):
    ann = idp.create_user("ann")
    assert configure(paused=True)["paused"] is True
    for method, path, body in (
        ("GET", "/Users", None),
        ("DELETE", f"/Users/{ann['id']}", None),
        ("POST", "/Users", {"schemas": [USER_URN], "userName": "bob"}),
        ("GET", "/ServiceProviderConfig", None),
    ):
        answer = idp.request(method, path, body)
        assert (answer.status_code, answer.headers["Retry-After"], answer.json()["status"]) == (503, "300", "503")
    assert configure(paused=False)["paused"] is False
    assert [user["userName"] for user in idp.request("GET", "/Users").json()["Resources"]] == ["ann"]


def test_a_rehearsal_is_answered_as_if_and_leaves_nothing(idp, configure):
    ann = idp.create_user("ann")
    group = idp.create_group("G")
    configure(dryRun=True)
    bob = idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": "bob"})
    assert (bob.status_code, bob.json()["userName"]) == (201, "bob")
    assert idp.request("POST", "/Users", {"schemas": [USER_URN], "userName": "ANN"}).status_code == 409
    add = {"op": "add", "path": "members", "value": [{"value": ann["id"]}]}
    assert len(idp.patch(f"/Groups/{group['id']}", add).json()["members"]) == 1
    assert idp.request("DELETE", f"/Users/{ann['id']}").status_code == 204
    operation = {"method": "POST", "path": "/Users", "bulkId": "x", "data": {"schemas": [USER_URN], "userName": "eve"}}
    bulk = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
    assert idp.request("POST", "/Bulk", bulk).json()["Operations"][0]["status"] == "201"
    configure(dryRun=False)
    assert idp.request("GET", "/Users").json()["Resources"] == [ann]
    assert idp.request("GET", f"/Groups/{group['id']}").json() == group


def test_who_refuses_unknown_members_awaits_nobody(idp, configure):
    configure(awaitsMembers=False)
    body = {"schemas": [GROUP_URN], "displayName": "G", "members": [{"value": "x1"}]}
    refused = idp.request("POST", "/Groups", body)
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")
    assert "x1" in refused.json()["detail"]
    assert idp.request("GET", "/Groups").json()["totalResults"] == 0
    configure(awaitsMembers=True)
    assert idp.request("POST", "/Groups", body).status_code == 201


def test_who_asks_too_much_is_told_when_to_come_again_and_nobody_else_waits(idp, new_idp, configure):
    configure(requestsPerMinute=5)
    answers = [idp.request("GET", "/Users", params={"count": 0}) for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert len(refused) >= 2
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in refused)
    assert refused[0].json()["status"] == "429"
    assert new_idp().request("GET", "/Users").status_code == 200
    configure(requestsPerMinute=0)
    assert idp.request("GET", "/Users").status_code == 200


@pytest.mark.parametrize(("settings", "status"), [({"paused": True}, 503), ({"requestsPerMinute": 1}, 429)])
def test_who_is_put_off_is_heard_out_first(idp, configure, settings, status):
    """The web server hangs up on what nobody has read, and an answer may be lost with that."""
    configure(**settings)
    body = orjson.dumps({"schemas": [USER_URN], "userName": "ann"})
    headers = {"Authorization": f"Bearer {idp.token}", "Content-Type": "application/scim+json"}
    told = []
    with contextlib.closing(HTTPConnection(urlsplit(idp.base_url).netloc, timeout=20)) as client:
        client.connect()
        # All of it is asked on one connection, or fails.
        client.auto_open = 0
        for _ in range(3):
            client.putrequest("POST", "/scim/v2/Users")
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                client.putheader(name, value)
            client.endheaders(body[:5])
            assert select.select([client.sock], [], [], 0.2)[0] == []
            client.send(body[5:])
            answer = client.getresponse()
            told.append(answer.status)
            answer.read()
    assert status in told


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"dialect": "klingon"}, "dialect"),
        ({"alarmPercent": 0}, "alarmPercent"),
        ({"alarmPercent": 101}, "alarmPercent"),
        ({"requestsPerMinute": -1}, "requestsPerMinute"),
    ],
)
def test_what_cannot_be_set_is_refused(idp, new_admin, settings, field):
    admin = new_admin(idp.workspace.slug)
    refused = admin.request("PATCH", f"/connections/{idp.connection.id}", settings)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


def test_another_workspaces_connection_is_not_there(idp, new_idp, new_admin):
    admin = new_admin(new_idp().workspace.slug)
    assert admin.request("PATCH", f"/connections/{idp.connection.id}", {"paused": True}).status_code == 404
    assert idp.request("GET", "/Users").status_code == 200


def test_the_command_line_sets_pauses_and_resumes(idp, facts_of):
    name = ("idp", "--workspace", idp.workspace.slug)
    told = facts_of("connection", "set", *name, "--dry-run", "--refuse-members", "--alarm-percent", "5", "--hold")
    assert (told["dry_run"], told["awaits_members"], told["alarm_percent"]) == (True, False, 5)
    assert facts_of("connection", "set", *name, "--no-dry-run")["holds_mass_changes"] is True
    assert facts_of("connection", "pause", *name)["paused"] is True
    assert idp.request("GET", "/Users").status_code == 503
    assert facts_of("connection", "resume", *name)["paused"] is False
    assert idp.request("GET", "/Users").status_code == 200
