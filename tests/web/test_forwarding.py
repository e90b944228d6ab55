"""Owners have addresses told what happens: through the admin API, the command line, and the running service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func
from standardwebhooks import Webhook

from provisioning import clock, outbox, progress
from provisioning.database import transaction
from provisioning.directory.events import HipaaEligibilityChanged
from provisioning.outbox import Claimed, Event
from provisioning.progress import Come
from tests.conftest import TEST
from tests.receiver import Receiver, running
from tests.waiting import eventually

PATH = "/forwarding-endpoints"
# What never happens here, so that nobody is called.
NOTHING = {"events": ["workspace.deleted"]}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def receiver():
    with running(Receiver()) as server:
        yield server


def register(admin, url, **terms):
    answer = admin.request("POST", PATH, {"url": url, **terms})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def refused(answer):
    error = answer.json()["errors"][0]
    return answer.status_code, error["type"], error.get("field")


def test_what_happens_is_sent_as_the_api_shows_it_and_owners_are_told_of_the_address(idp, admin, receiver):
    made = register(admin, f"{receiver.url}?code=hush", events=["member.*", "forwarding_endpoint.*"])
    ann = idp.create_user("ann@corp.example")["id"]
    eventually(lambda: "member.added" in receiver.names(), within=60)
    sent = {event["id"]: event for one in receiver.received for event in one.events}
    shown = {event["id"]: event for event in admin.get("/audit-events")["events"]}
    assert sent == {identifier: shown[identifier] for identifier in sent}
    assert {event["details"]["member_id"] for event in sent.values() if event["type"] == "member.added"} == {ann}
    assert all(Webhook(made["secret"]).verify(one.body, one.headers) for one in receiver.received)
    assert {one.path for one in receiver.received} == {"/audit?code=hush"}
    told = [event for event in shown.values() if event["type"] == "forwarding_endpoint.registered"]
    assert [event["details"]["origin"] for event in told] == [receiver.url.removesuffix("/audit")]
    everything = str(shown.values())
    assert made["secret"] not in everything
    assert "hush" not in everything


def test_an_endpoint_is_shown_without_its_secret_and_can_be_changed_and_taken_away(admin, receiver):
    made = register(admin, receiver.url, **NOTHING)
    path = f"{PATH}/{made['endpoint']['id']}"
    assert admin.get(PATH)["endpoints"] == [admin.get(path)["endpoint"]]
    assert made["secret"] not in str(admin.get(path))
    changed = admin.request("PATCH", path, {"events": ["policy.*", "member.added"], "enabled": False}).json()["data"]
    assert (changed["endpoint"]["events"], changed["endpoint"]["state"]) == (["member.added", "policy.*"], "disabled")
    assert changed["endpoint"]["disabledBecause"] == "owner"
    again = admin.request("PATCH", path, {"enabled": True}).json()["data"]["endpoint"]
    assert (again["events"], again["state"], again["disabledBecause"]) == (
        ["member.added", "policy.*"],
        "enabled",
        None,
    )
    assert admin.request("DELETE", path).status_code == 200
    assert admin.request("GET", path).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://siem.example/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
        "https://user:secret@siem.example/",
        "ftp://siem.example/",
        "https://siem.example/\nx",
        "https://" + "x" * 2000,
        "",
    ],
)
def test_an_address_that_may_not_be_called_is_refused(admin, url):
    assert refused(admin.request("POST", PATH, {"url": url})) == (422, "invalid", "url")
    assert admin.get(PATH)["endpoints"] == []


@pytest.mark.parametrize(
    "sent", [{}, {"url": 1}, {"url": "https://a.example", "secret": "x"}, {"url": "https://a.example", "events": "*"}]
)
def test_what_has_not_the_form_is_refused(admin, sent):
    assert admin.request("POST", PATH, sent).status_code == 422
    assert admin.get(PATH)["endpoints"] == []


def test_events_that_nobody_knows_doubles_and_too_long_overlaps_are_refused(admin):
    url = "https://siem.example/"
    assert refused(admin.request("POST", PATH, {"url": url, "events": ["member.adedd"]})) == (422, "invalid", "events")
    made = register(admin, url, **NOTHING)["endpoint"]
    assert refused(admin.request("POST", PATH, {"url": url})) == (409, "conflict", "url")
    path = f"{PATH}/{made['id']}"
    assert refused(admin.request("PATCH", path, {"events": []})) == (422, "invalid", "events")
    assert refused(admin.request("POST", f"{path}/rotate", {"overlap": 8 * 86400})) == (422, "invalid", "overlap")
    assert admin.request("POST", f"{path}/replay", {"since": "yesterday"}).status_code == 422
    assert admin.get(path)["endpoint"] == made


def test_a_workspace_has_so_many_and_no_more(admin):
    for number in range(20):
        register(admin, f"https://siem{number}.example/", **NOTHING)
    assert refused(admin.request("POST", PATH, {"url": "https://one-more.example/"}))[:2] == (409, "conflict")


def test_who_may_not_manage_access_is_told_which_action_is_lacking(idp, admin, new_admin):
    weak = new_admin(idp.workspace.slug, role="source-admin")
    path = f"{PATH}/{register(admin, 'https://siem.example/', **NOTHING)['endpoint']['id']}"
    for method, where, sent, action in (
        ("GET", PATH, None, "read"),
        ("GET", path, None, "read"),
        ("POST", PATH, {"url": "https://x.example"}, "create"),
        ("PATCH", path, {"enabled": False}, "update"),
        ("POST", f"{path}/rotate", {}, "update"),
        ("POST", f"{path}/test", None, "update"),
        ("POST", f"{path}/replay", {"since": datetime.now(UTC).isoformat()}, "update"),
        ("DELETE", path, None, "delete"),
    ):
        answer = weak.request(method, where, sent)
        assert answer.status_code == 403, (method, where)
        assert f"forwarding-endpoint.{action}" in answer.json()["errors"][0]["message"]
    composed = admin.request("POST", "/roles", {"id": "y", "name": "Y", "actions": ["forwarding-endpoint.create"]})
    assert composed.status_code == 422


def test_a_token_that_is_bound_to_addresses_has_nothing_told(admin):
    owner = [{"roleId": "workspace-owner", "resources": [{"type": "WORKSPACE"}]}]
    sent = {"name": "bound", "addressRanges": ["127.0.0.0/8"], "permissions": owner}
    bound = admin.request("POST", "/tokens", sent).json()["data"]["token"]
    asking = type(admin)(admin.base_url, bound["secret"])
    answer = asking.request("POST", PATH, {"url": "https://siem.example/"})
    assert (answer.status_code, admin.get(PATH)["endpoints"]) == (403, [])
    made = register(admin, "https://siem.example/", **NOTHING)["endpoint"]
    assert asking.request("POST", f"{PATH}/{made['id']}/rotate", {}).status_code == 403
    assert asking.get(PATH)["endpoints"] == [made]


def test_a_test_is_signed_tells_of_nothing_and_says_what_became_of_it(admin, receiver, facts_of, idp):
    made = register(admin, receiver.url)
    path = f"{PATH}/{made['endpoint']['id']}"
    admin.request("PATCH", path, {"enabled": False})
    told = admin.request("POST", f"{path}/test").json()["data"]["test"]
    assert told == {"delivered": True, "status": 204, "error": None}
    (one,) = receiver.received
    assert Webhook(made["secret"]).verify(one.body, one.headers)["type"] == "audit.test"
    assert one.events == []
    receiver.answers = [302]
    told = admin.request("POST", f"{path}/test").json()["data"]["test"]
    assert told == {"delivered": False, "status": 302, "error": "HTTP 302"}
    shown = facts_of("forward", "test", made["endpoint"]["id"], "--workspace", idp.workspace.slug)
    assert shown["delivered"] is True
    assert len({request.id for request in receiver.received}) == 3


def test_the_command_line_does_the_same(idp, receiver, facts_of, command):
    where = ("--workspace", idp.workspace.slug)
    made = facts_of("forward", "create", *where, "--url", receiver.url, "--event", "member.*")
    idp.create_user("ann@corp.example")
    eventually(lambda: receiver.names() == ["member.added"], within=60)
    since = (clock.now() - timedelta(minutes=5)).isoformat()
    facts_of("forward", "replay", made["id"], *where, "--since", since)
    eventually(lambda: receiver.names() == ["member.added"] * 2, within=60)
    assert receiver.received[0].id == receiver.received[1].id
    newest = facts_of("forward", "rotate", made["id"], *where, "--overlap", "1h")
    assert newest["secret"] != made["secret"]
    assert facts_of("forward", "choose", made["id"], *where)["events"] == ["*"]
    assert facts_of("forward", "disable", made["id"], *where)["state"] == "disabled"
    assert facts_of("forward", "enable", made["id"], *where)["state"] == "enabled"
    assert [one["id"] for one in facts_of("forward", "list", *where)["endpoints"]] == [made["id"]]
    facts_of("forward", "delete", made["id"], *where)
    assert facts_of("forward", "list", *where)["endpoints"] == []
    unclear = command("forward", "replay", "--since", since)
    assert (unclear.returncode, unclear.stdout) == (2, "")


def test_owners_see_how_far_long_work_of_their_workspace_has_come_and_no_other(idp, new_idp, admin, new_admin):
    of = idp.workspace.id
    mine = Event.__table__.update().where(Event.workspace_id == of, Event.done_at.is_(None))
    facts = [HipaaEligibilityChanged(workspace_id=of, hipaa_eligible=eligible) for eligible in (True, False)]
    with transaction() as connection:
        outbox.append(connection, *facts, workspace_id=of, by=TEST)
        # Nobody takes them up for now.
        later = mine.values(due_at=func.clock_timestamp() + timedelta(hours=1)).returning(Event.id, Event.seq)
        older, newer = (row.id for row in sorted(connection.execute(later), key=lambda row: row.seq))
        progress.note(connection, Claimed(older, of, facts[0].name, {}, 1), Come(done=2, total=5))
    first = admin.get("/work", **{"pagination[count]": 1})
    following = {"pagination[count]": 1, "pagination[cursor]": first["pagination"]["next"]}
    assert [one["id"] for one in first["work"]] == [str(newer)]
    (item,) = admin.get("/work", **following)["work"]
    assert (item["id"], item["type"], item["resourceId"]) == (str(older), facts[0].name, str(of))
    assert (item["state"], item["progress"]) == ("waiting", {"done": 2, "total": 5})
    assert admin.get(f"/work/{older}")["work"] == item
    assert admin.get("/work", state="parked")["work"] == []
    assert admin.request("GET", "/work", params={"state": "any thing"}).status_code == 422
    stranger = new_admin(new_idp().workspace.slug)
    assert stranger.get("/work")["work"] == []
    assert stranger.request("GET", f"/work/{older}").status_code == 404
    with transaction() as connection:
        connection.execute(mine.values(due_at=func.clock_timestamp()))
    eventually(lambda: admin.get(f"/work/{newer}")["work"]["state"] == "done", within=60)
    assert (admin.get("/work")["work"], admin.get(f"/work/{older}")["work"]["progress"]) == ([], None)
    (plain,) = [one for one in admin.get("/audit-events")["events"] if one["type"] == "workspace.created"]
    assert admin.request("GET", f"/work/{plain['id']}").status_code == 404
