"""Members ask for access, owners answer, and what somebody gets in another way closes their request by itself."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.waiting import eventually

WHOLE = [{"type": "WORKSPACE"}]
LEAST = {"minimal-workspace-access"}


@pytest.fixture
def admin(idp, new_admin):
    made = new_admin(idp.workspace.slug)
    told = [{"type": "source", "id": name, "name": name} for name in ("shop", "app")]
    assert made.request("PUT", "/resources", {"resources": told}).status_code == 200
    return made


@pytest.fixture
def user(idp):
    return idp.create_user("a@corp.example", displayName="A")["id"]


@pytest.fixture
def wish(user):
    return {"userId": user, "role": "source-admin", "resources": ["source:shop"], "reason": "on call"}


def ask(admin, wish):
    made = admin.request("POST", "/access-requests", wish)
    assert made.status_code == 201, made.text
    return made.json()["data"]["accessRequest"]


def roles(admin, user_id):
    return {line["role"] for line in admin.get(f"/users/{user_id}/access")["access"]}


def events(admin):
    return [event["type"] for event in admin.get("/audit-events")["events"] if "access_request" in event["type"]]


def open_requests(admin):
    return admin.get("/access-requests", state="open")["accessRequests"]


def test_what_is_asked_for_is_told_and_given_when_an_owner_approves(admin, user, wish):
    made = ask(admin, wish)
    assert (made["state"], made["userId"], made["reason"], made["email"]) == ("open", user, "on call", "a@corp.example")
    assert roles(admin, user) == LEAST
    assert admin.get("/access-requests")["accessRequests"] == [made]
    told = admin.request("POST", f"/access-requests/{made['id']}/approve", params={"dryRun": "true"})
    (line,) = told.json()["data"]["preview"]["changes"]
    assert (line["userId"], line["change"], line["resource"]) == (user, "gains", "source:shop")
    assert roles(admin, user) == LEAST
    done = admin.request("POST", f"/access-requests/{made['id']}/approve").json()["data"]["accessRequest"]
    assert done["state"] == "approved"
    (permission,) = admin.get(f"/users/{user}/permissions")["permissions"]
    assert (permission["policyId"], permission["reason"]) == (done["policyId"], "on call")
    assert events(admin) == ["access_request.approved", "access_request.created"]
    again = admin.request("POST", f"/access-requests/{made['id']}/approve")
    assert (again.status_code, "it is approved" in again.json()["errors"][0]["message"]) == (409, True)


def test_access_can_be_given_for_a_time(admin, user, wish):
    made = ask(admin, wish)
    past = {"endsAt": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    refused = admin.request("POST", f"/access-requests/{made['id']}/approve", past)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "endsAt")
    assert [one["state"] for one in open_requests(admin)] == ["open"]
    soon = {"endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    assert admin.request("POST", f"/access-requests/{made['id']}/approve", soon).status_code == 200
    assert "endsAt" in admin.get(f"/users/{user}/permissions")["permissions"][0]


def test_the_same_wish_is_one_request_also_when_it_is_asked_at_once(admin, wish):
    barrier, told = threading.Barrier(4), []

    def one_of_many():
        barrier.wait()
        told.append(ask(admin, wish)["id"])

    threads = [threading.Thread(target=one_of_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told) == {ask(admin, {**wish, "reason": "again"})["id"]}
    assert len(open_requests(admin)) == 1
    other = ask(admin, {**wish, "resources": ["source:app"]})
    assert other["id"] not in told


def test_who_is_told_no_is_told_why_and_may_ask_again(admin, user, wish):
    made = ask(admin, wish)
    done = admin.request("POST", f"/access-requests/{made['id']}/deny", {"reason": "not you"})
    assert (done.status_code, done.json()["data"]["accessRequest"]["answer"]) == (200, "not you")
    assert roles(admin, user) == LEAST
    assert admin.request("POST", f"/access-requests/{made['id']}/approve").status_code == 409
    assert ask(admin, wish)["id"] != made["id"]


def test_what_comes_another_way_closes_the_request_at_once_for_whoever_looks(idp, admin, user, wish):
    made = ask(admin, wish)
    narrower = ask(admin, {**wish, "role": "source-read-only"})
    wider = ask(admin, {**wish, "resources": []})
    idp.create_group("On call", user)
    given = {"group": "On call", "role": "source-admin", "resources": ["source:shop"]}
    assert admin.request("POST", "/mappings", given).status_code == 201
    states = {one["id"]: one["state"] for one in admin.get("/access-requests")["accessRequests"]}
    assert states == {made["id"]: "granted", narrower["id"]: "granted", wider["id"]: "open"}
    refused = admin.request("POST", f"/access-requests/{made['id']}/approve")
    assert (refused.status_code, "it is granted" in refused.json()["errors"][0]["message"]) == (409, True)
    assert admin.request("POST", "/access-requests", wish).status_code == 409
    # Beat writes it down.
    eventually(lambda: [one["id"] for one in open_requests(admin)] == [wider["id"]], within=30)
    assert events(admin).count("access_request.closed") == 2


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"role": "workspace-owner", "resources": []}, 422, "role"),
        ({"role": "nonsense"}, 422, "role"),
        ({"role": "tracking-plan-admin"}, 422, "scope"),
        ({"resources": ["source:none"]}, 422, "resources"),
        ({"resources": ["shop"]}, 422, "resources"),
        ({"labels": ["environment:none"], "resources": []}, 422, "labels"),
        ({"reason": " "}, 422, "reason"),
        ({"reason": "x" * 501}, 422, "reason"),
        ({"reason": "\0"}, 422, "reason"),
        ({"userId": "nobody"}, 422, "userId"),
        ({"more": 1}, 422, "more"),
        ({"role": "minimal-workspace-access", "resources": []}, 409, "role"),
    ],
)
def test_what_cannot_be_asked_for_is_named_and_nothing_is_stored(admin, wish, change, status, field):
    refused = admin.request("POST", "/access-requests", wish | change)
    assert (refused.status_code, refused.json()["errors"][0].get("field")) == (status, field), refused.text
    assert admin.get("/access-requests")["accessRequests"] == []


def test_the_suspended_and_the_unknown_ask_for_nothing(idp, admin, user, wish, new_idp, new_admin):
    waiting = ask(admin, wish)
    idp.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    assert admin.request("POST", "/access-requests", {**wish, "resources": []}).status_code == 409
    assert admin.request("POST", f"/access-requests/{waiting['id']}/approve").status_code == 409
    foreign = new_idp()
    stranger = foreign.create_user("b@corp.example")["id"]
    assert admin.request("POST", "/access-requests", {**wish, "userId": stranger}).status_code == 404
    elsewhere = new_admin(foreign.workspace.slug)
    path = f"/access-requests/{waiting['id']}"
    assert elsewhere.request("GET", path).status_code == 404
    assert [elsewhere.request("POST", f"{path}/{verb}").status_code for verb in ("approve", "deny")] == [404, 404]
    assert elsewhere.get("/access-requests")["accessRequests"] == []
    idp.request("DELETE", f"/Users/{user}")
    assert admin.get("/access-requests")["accessRequests"] == []


def test_only_owners_see_and_settle_what_is_asked_for(idp, admin, wish, new_admin):
    made, weak = ask(admin, wish), new_admin(idp.workspace.slug, "source-admin")
    assert weak.request("GET", "/access-requests").status_code == 403
    assert weak.request("POST", f"/access-requests/{made['id']}/approve").status_code == 403
    assert weak.request("POST", "/access-requests", wish).status_code == 403


def test_the_operator_lists_and_answers_on_the_command_line(idp, admin, user, wish, facts_of):
    where = ("--workspace", idp.workspace.slug)
    first = facts_of("access-request", "create", "a@corp.example", *where, "--role", "pii-access", "--reason", "r")
    second = ask(admin, wish)
    listed = facts_of("access-request", "list", *where)
    assert [one["id"] for one in listed["access_requests"]] == [second["id"], first["id"]]
    assert facts_of("access-request", "deny", first["id"], *where, "--reason", "no")["answer"] == "no"
    told = facts_of("access-request", "approve", second["id"], *where, "--for", "8h", "--dry-run")
    assert (told["gains"], roles(admin, user)) == (1, LEAST)
    assert facts_of("access-request", "approve", second["id"], *where, "--for", "8h")["state"] == "approved"
    assert roles(admin, user) == {*LEAST, "source-admin"}
