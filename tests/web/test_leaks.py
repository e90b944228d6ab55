"""Secrets that somebody has found are ended at once, whoever tells, and telling finds out nothing."""

from __future__ import annotations

import base64
import dataclasses
import hashlib

import pytest

from provisioning.app import create_app
from provisioning.cli.service import settings_of
from provisioning.credentials import Keyring, Kind
from provisioning.database import db
from tests.conftest import Admin
from tests.letters import accept, secret_to
from tests.web.tokens import OWNER, events, made_by, names, status

OTHERS = Keyring(b"o" * 32)


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def client(service, app):
    """The same service at another process, asked from an address of the test's own: each has a measure."""
    made = create_app(settings_of(str(service.data_dir)))
    yield made.test_client()
    with made.app_context():
        db.engine.dispose()


def report(client, *texts, address="203.0.113.1", **more):
    body = [{"token": text, "type": "t", "url": None, **more} for text in texts]
    return client.post("/api/tokens/reported-leak", json=body, environ_overrides={"REMOTE_ADDR": address})


def labels(answer):
    assert answer.status_code == 200, answer.text
    return [one["label"] for one in answer.json]


def test_a_found_token_is_ended_and_told_of(idp, admin, client):
    owner = idp.create_user("owner@corp.example")["id"]
    assert admin.request("PUT", f"/users/{owner}/permissions", {"permissions": OWNER}).status_code == 200
    made, program = made_by(admin)
    where = f"https://git.example/o/r/blob/main/x?token={program.token}"
    answer = report(client, program.token, url=where, source="content", type="pva")
    assert status(program) == 401
    digest = base64.b64encode(hashlib.sha256(program.token.encode()).digest()).decode()
    assert answer.json == [{"token_hash": digest, "token_type": "pva", "label": "true_positive"}]
    assert names(admin, made["id"]) == ["api_token.issued", "api_token.revoked", "api_token.leaked"]
    told = events(admin, made["id"])[-1]["details"]
    assert told["found_at"] == "https://git.example/o/r/blob/main/x?token=pva_..."
    assert (told["source"], told["to"], told["token_name"]) == ("content", [owner], "t")
    assert program.token[10:] not in admin.request("GET", "/audit-events").text
    assert labels(report(client, program.token)) == ["true_positive"]
    assert len(names(admin, made["id"])) == 3


def test_a_secret_in_its_overlap_ends_the_whole_token(idp, admin, client):
    made, old = made_by(admin)
    new = admin.request("POST", f"/tokens/{made['id']}/rotate", {}).json()["data"]["token"]["secret"]
    assert labels(report(client, old.token)) == ["true_positive"]
    assert status(Admin(admin.base_url, new)) == 401


def test_what_identity_providers_and_people_hold_is_ended_too(idp, admin, client, facts_of):
    idp.create_user("a@corp.example")
    slug = idp.workspace.slug
    session = admin.request("POST", "/sessions", {"email": "a@corp.example"}).json()["data"]["session"]["token"]
    assert labels(report(client, idp.token, session)) == ["true_positive", "true_positive"]
    assert idp.request("GET", "/Users").status_code == 401
    assert admin.request("POST", "/sessions/check", {"token": session}).json()["data"]["session"]["active"] is False
    made = facts_of("connection", "secret", "idp", "--workspace", slug)
    granted = client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(str(made["client_id"]), made["client_secret"]),
    )
    access = dataclasses.replace(idp, token=granted.json["access_token"])
    assert access.request("GET", "/Users").status_code == 200
    assert labels(report(client, made["client_secret"])) == ["true_positive"]
    assert access.request("GET", "/Users").status_code == 401
    told = admin.get("/audit-events", resourceType="connection")["events"]
    leaked = [event["details"]["what"] for event in told if event["type"] == "connection.secret_leaked"]
    assert leaked == ["client_secret", "token"]


def test_what_lets_people_in_is_ended_too(service, idp, admin, client, facts_of):
    email, here = f"ann@{idp.workspace.slug}.example", f"bob@{idp.workspace.slug}.example"
    idp.create_user(here)
    assert admin.request("POST", "/invites", {"invites": [{"email": email, "permissions": []}]}).status_code == 201
    invitation, link = secret_to(service, email), facts_of("sign-in-link", here)["url"].partition("#")[2]
    assert labels(report(client, invitation, link)) == ["true_positive", "true_positive"]
    assert accept(service, invitation).status_code == 401
    assert admin.get("/invites")["invites"] == []
    assert client.post("/sign-in/link", data={"secret": link}).status_code == 401
    told = [event for event in admin.get("/audit-events")["events"] if event["type"] == "invitation.revoked"]
    assert [event["actor"] for event in told] == ["system"]
    assert labels(report(client, link)) == ["true_positive"]


def test_what_is_not_ours_is_told_apart_by_nothing(admin, client):
    unknown = [OTHERS.mint(kind).text for kind in Kind]
    wrong = [unknown[0][:-1], unknown[0] + "a", "x", "pva_", "\0", "\u00e9" * 100, "\ud800"]
    answer = report(client, *unknown, *wrong[:-1])
    assert set(labels(answer)) == {"false_positive"}
    assert {frozenset(one) for one in answer.json} == {frozenset({"token_hash", "token_type", "label"})}
    assert status(admin) == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"token": "x"},
        [{}],
        [{"token": 1}],
        [{"token": ""}],
        [{"token": "x" * 513}],
        [{"token": "x", "url": 1}],
        [None],
        "x",
        [{"token": "x"}] * 101,
    ],
)
def test_a_report_that_cannot_be_is_refused_whole(idp, admin, client, body):
    if body == [{}]:
        body = [{"token": admin.token}, {}]
    refused = client.post("/api/tokens/reported-leak", json=body, environ_overrides={"REMOTE_ADDR": "203.0.113.2"})
    assert refused.status_code == 422, refused.text
    assert refused.json["errors"]
    assert status(admin) == 200


def test_one_address_reports_so_much_a_minute_and_others_are_not_kept_waiting(admin, client):
    answers = [report(client, "x", address="203.0.113.3") for _ in range(130)]
    # A minute may end in between; then each minute has its own measure.
    assert 60 <= [answer.status_code for answer in answers].count(200) <= 120
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert report(client, "x", address="203.0.113.4").status_code == 200


def test_nobody_has_to_say_who_they_are_and_a_bad_credential_does_no_harm(client, admin):
    body, path = [{"token": "x"}], "/api/tokens/reported-leak"
    for headers in ({}, {"Authorization": "Bearer none"}, {"Github-Public-Key-Signature": "x"}):
        answer = client.post(path, json=body, headers=headers, environ_overrides={"REMOTE_ADDR": "203.0.113.5"})
        assert answer.status_code == 200
    assert client.get(path).status_code in {404, 405}
