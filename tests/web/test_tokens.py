"""API tokens at the door of admins: who makes, reads, changes, rotates and ends them, and with what refusals."""

from __future__ import annotations

import dataclasses
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.sql import func

from provisioning.app import create_app
from provisioning.cli.service import settings_of
from provisioning.database import db, reading, transaction
from provisioning.tokens.models import ApiToken, ApiTokenSecret
from tests import statements
from tests.conftest import Admin
from tests.waiting import eventually
from tests.web.tokens import DAY, OWNER, SOURCE_ADMIN, WHOLE, events, made_by, names, status


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def own(idp):
    """The id of the only token that there is."""
    with reading() as connection:
        wanted = select(ApiToken.id).where(ApiToken.workspace_id == idp.workspace.id).order_by(ApiToken.id)
        return str(connection.execute(wanted).scalars().first())


def asked(admin, method="GET", path="", body=None, **kwargs):
    answer = admin.request(method, path, body, **kwargs)
    error = answer.json().get("errors", [{}])[0]
    return answer.status_code, error.get("field") or error.get("data", {}).get("action")


def at(written):
    return datetime.fromisoformat(written)


def test_a_token_is_made_read_changed_listed_and_ended(idp, admin):
    made, program = made_by(admin, name="deploy", permissions=SOURCE_ADMIN)
    assert status(program) == 403
    shown = admin.get(f"/tokens/{made['id']}")["token"]
    assert {**made, "lastUsedAt": None, "lastUsedFrom": None} == {**shown, "lastUsedAt": None, "lastUsedFrom": None}
    assert "secret" not in shown
    assert [(p["roleId"], p["subjectType"]) for p in shown["permissions"]] == [("source-admin", "token")]
    assert abs(at(shown["expiresAt"]) - at(shown["createdAt"]) - timedelta(days=90)) < timedelta(minutes=1)
    change = {"name": "deploy 2", "permissions": OWNER, "addressRanges": ["127.0.0.1"]}
    changed = admin.request("PATCH", f"/tokens/{made['id']}", change).json()["data"]["token"]
    assert (changed["name"], changed["addressRanges"]) == ("deploy 2", ["127.0.0.1/32"])
    assert [p["roleId"] for p in changed["permissions"]] == ["workspace-owner"]
    assert status(program) == 200
    first = admin.get("/tokens", **{"pagination[count]": 1})
    page = admin.get("/tokens", **{"pagination[count]": 1, "pagination[cursor]": first["pagination"]["next"]})
    assert (page["tokens"][0]["id"], page["pagination"]["totalEntries"]) == (made["id"], 2)
    assert admin.request("DELETE", f"/tokens/{made['id']}").json()["data"] == {"status": "SUCCESS", "revoked": 1}
    assert status(program) == 401
    ended = admin.get(f"/tokens/{made['id']}")["token"]
    assert ended["endedReason"] == "revoked"
    assert admin.request("DELETE", f"/tokens/{made['id']}").json()["data"]["revoked"] == 0
    assert names(admin, made["id"]) == ["api_token.issued", "api_token.changed", "api_token.revoked"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\0"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 1}, "name"),
        ({}, "name"),
        ({"name": "t", "expiresIn": 0}, "expiresIn"),
        ({"name": "t", "expiresIn": -1}, "expiresIn"),
        ({"name": "t", "expiresIn": 366 * DAY + 1}, "expiresIn"),
        ({"name": "t", "expiresIn": 2**31}, "expiresIn"),
        ({"name": "t", "expiresIn": "90d"}, "expiresIn"),
        ({"name": "t", "expiresIn": 1.5}, "expiresIn"),
        ({"name": "t", "addressRanges": ["192.0.2.1/24"]}, "addressRanges"),
        ({"name": "t", "addressRanges": "192.0.2.0/24"}, "addressRanges"),
        ({"name": "t", "addressRanges": ["10.0.0.0/8"] * 101}, "addressRanges"),
        ({"name": "t", "permissions": [{"roleId": "none", "resources": WHOLE}]}, "role"),
        ({"name": "t", "permissions": [{"roleId": "source-admin"}]}, "permissions.resources"),
        ({"name": "t", "ownerId": "x"}, "ownerId"),
        ({"name": "t", "id": "00000000-0000-4000-8000-000000000000"}, "id"),
        ({"name": "t", "secret": "x"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_makes_nothing(idp, admin, body, field):
    assert asked(admin, "POST", "/tokens", body) == (422, field)
    if "name" in body:
        change = {name: value for name, value in body.items() if name not in {"expiresIn", "ownerId"}}
        if change != {"name": "t"}:
            path = f"/tokens/{own(idp)}"
            before = admin.get(path)["token"]
            assert asked(admin, "PATCH", path, change) == (422, field)
            assert admin.get(path)["token"] | {"lastUsedAt": 0} == before | {"lastUsedAt": 0}
    assert len(admin.get("/tokens")["tokens"]) == 1


@pytest.mark.parametrize("role", ["workspace-member", "source-admin", "end-user-privacy-admin", "asker"])
def test_only_owners_look_at_tokens_make_or_change_them(idp, admin, new_admin, role):
    own_role = {"id": "asker", "name": "Asker", "actions": ["access.read", "audit.read"]}
    assert admin.request("POST", "/roles", own_role).status_code == 201
    made, _ = made_by(admin)
    path = f"/tokens/{made['id']}"
    weak = new_admin(idp.workspace.slug, role)
    for method, where, body, action in (
        ("GET", "/tokens", None, "token.read"),
        ("GET", path, None, "token.read"),
        ("GET", "/tokens/limits", None, "token.read"),
        ("POST", "/tokens", {"name": "t", "permissions": []}, "token.create"),
        ("PATCH", path, {"name": "x"}, "token.update"),
        ("PATCH", "/tokens/limits", {"longestLifetime": None}, "token.limit"),
        ("POST", f"{path}/rotate", {}, "token.rotate"),
        ("DELETE", f"{path}/overlap", None, "token.rotate"),
        ("DELETE", path, None, "token.revoke"),
    ):
        assert asked(weak, method, where, body) == (403, action), (method, where)
    assert admin.get(path)["token"]["name"] == "t"
    assert len(admin.get("/tokens")["tokens"]) == 3


def test_no_credential_is_ever_readable_again(idp, admin):
    made, program = made_by(admin)
    rotated = admin.request("POST", f"/tokens/{made['id']}/rotate", {}).json()["data"]["token"]["secret"]
    everything = "".join(
        admin.request("GET", path).text
        for path in ("/tokens", f"/tokens/{made['id']}", "/audit-events", "/connections", "/access/who-can?action=a")
    )
    assert [s for s in (program.token, rotated, admin.token, idp.token) if s[:20] in everything] == []


# -- nothing stronger, longer or wider than itself -----------------------------------------------------------------


def test_a_token_makes_none_that_lives_longer(idp, admin):
    _, short = made_by(admin, expiresIn=3600)
    assert asked(short, "POST", "/tokens", {"name": "t", "expiresIn": 3700}) == (403, "token.outlive")
    child, _ = made_by(short)
    mother = admin.get(f"/tokens/{child['parentId']}")["token"]
    assert at(child["expiresAt"]) == at(mother["expiresAt"])
    younger, _ = made_by(short, expiresIn=60)
    assert at(younger["expiresAt"]) < at(child["expiresAt"])


def test_a_token_renews_nothing_beyond_its_own_end_not_even_itself(idp, admin):
    made, short = made_by(admin, expiresIn=3600)
    path = f"/tokens/{made['id']}/rotate"
    assert asked(short, "POST", path, {"expiresIn": 3700}) == (403, "token.outlive")
    for _ in range(3):
        rotated = short.request("POST", path, {}).json()["data"]["token"]
        assert rotated["expiresAt"] == made["expiresAt"]
    assert asked(short, "POST", f"/tokens/{own(idp)}/rotate", {}) == (403, "token.outlive")
    longer = admin.request("POST", path, {"expiresIn": 7200}).json()["data"]["token"]
    assert at(longer["expiresAt"]) > at(made["expiresAt"])


def test_a_child_is_renewed_up_to_its_parents_end_and_no_further(idp, admin):
    parent, short = made_by(admin, expiresIn=3600)
    child, _ = made_by(short, expiresIn=60)
    path = f"/tokens/{child['id']}/rotate"
    assert asked(admin, "POST", path, {"expiresIn": 3700}) == (403, "token.outlive")
    renewed = admin.request("POST", path, {"expiresIn": 1800}).json()["data"]["token"]
    assert at(child["expiresAt"]) < at(renewed["expiresAt"]) < at(parent["expiresAt"])


def test_a_token_lets_nothing_be_used_from_where_it_may_not_be(idp, admin):
    made, bound = made_by(admin, addressRanges=["127.0.0.0/8", "::1"])
    for method, path in (("POST", "/tokens"), ("PATCH", f"/tokens/{made['id']}"), ("PATCH", f"/tokens/{own(idp)}")):
        for wider in (["0.0.0.0/0"], ["127.0.0.1", "192.0.2.1"], ["::/0"]):
            assert asked(bound, method, path, {"name": "t", "addressRanges": wider}) == (403, "token.widen")
    child, _ = made_by(bound)
    assert child["addressRanges"] == ["127.0.0.0/8", "::1/128"]
    narrow, _ = made_by(bound, addressRanges=["127.0.0.1"])
    assert narrow["addressRanges"] == ["127.0.0.1/32"]
    assert admin.get(f"/tokens/{own(idp)}")["token"]["addressRanges"] == []


def test_a_bound_token_gets_no_hold_of_what_may_be_used_from_elsewhere(idp, admin):
    _, bound = made_by(admin, addressRanges=["127.0.0.0/8", "::1"])
    _, child = made_by(bound, addressRanges=["127.0.0.1"])
    wide, _ = made_by(admin)
    within, _ = made_by(admin, addressRanges=["127.0.0.1"])
    before = admin.get(f"/tokens/{wide['id']}")["token"]
    for asking in (bound, child):
        for method, path, body in (
            ("POST", "/rotate", {"overlap": 0}),
            ("PATCH", "", {"permissions": SOURCE_ADMIN}),
            ("PATCH", "", {"name": "x"}),
        ):
            assert asked(asking, method, f"/tokens/{wide['id']}{path}", body) == (403, "token.widen"), (method, body)
    assert admin.get(f"/tokens/{wide['id']}")["token"] == before
    narrowed = {"name": "t", "permissions": SOURCE_ADMIN, "addressRanges": ["127.0.0.1"]}
    for path in (wide, within):
        assert bound.request("PATCH", f"/tokens/{path['id']}", narrowed).status_code == 200
        assert bound.request("POST", f"/tokens/{path['id']}/rotate", {"expiresIn": 60}).status_code == 200


def test_a_token_gives_nothing_for_longer_than_it_has_it(idp, admin):
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    _, passing = made_by(admin, permissions=[{**OWNER[0], "endsAt": soon}])
    refused = passing.request("POST", "/tokens", {"name": "t", "permissions": SOURCE_ADMIN})
    (error,) = refused.json()["errors"]
    assert refused.status_code == 403
    assert "for longer than you have it" in error["message"]
    bounded = [{**SOURCE_ADMIN[0], "endsAt": soon}]
    assert passing.request("POST", "/tokens", {"name": "t", "permissions": bounded}).status_code == 201


def test_a_token_makes_none_in_another_workspace(new_idp, new_admin, idp, admin):
    other = new_idp()
    theirs, _ = made_by(new_admin(other.workspace.slug))
    member = other.create_user("a@corp.example")["id"]
    there = [{"roleId": "workspace-owner", "resources": [{"type": "WORKSPACE", "id": str(other.workspace.id)}]}]
    assert asked(admin, "POST", "/tokens", {"name": "t", "permissions": there})[0] == 404
    assert asked(admin, "POST", "/tokens", {"name": "t", "ownerId": member})[0] == 404
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("DELETE", "/overlap")):
        assert asked(admin, method, f"/tokens/{theirs['id']}{path}", {} if method == "POST" else None)[0] in {404, 422}
    assert len(admin.get("/tokens")["tokens"]) == 1


def test_a_right_that_is_taken_away_makes_no_more_tokens_with_the_next_request(idp, admin):
    made, program = made_by(admin)
    made_by(program)
    policy = admin.get(f"/tokens/{made['id']}")["token"]["permissions"][0]["policyId"]
    assert admin.request("DELETE", f"/policies/{policy}").status_code == 200
    assert asked(program, "POST", "/tokens", {"name": "t"}) == (403, "token.create")
    assert asked(program, "POST", f"/tokens/{made['id']}/rotate", {}) == (403, "token.rotate")


@pytest.mark.parametrize("end", ["revoke", "expire", "leak"])
def test_what_a_token_has_made_ends_with_it(idp, admin, http, end):
    parent, one = made_by(admin)
    child, two = made_by(one)
    grandchild, three = made_by(two)
    _, sibling = made_by(admin)
    assert [status(token) for token in (one, two, three, sibling)] == [200] * 4
    if end == "revoke":
        asked_first = admin.request("DELETE", f"/tokens/{parent['id']}", params={"dryRun": "true"})
        assert asked_first.json()["data"]["revoked"] == 3
        assert [status(token) for token in (one, two, three, sibling)] == [200] * 4
        assert admin.request("DELETE", f"/tokens/{parent['id']}").json()["data"]["revoked"] == 3
    elif end == "leak":
        report = [{"token": one.token, "type": "x", "url": "https://example.com"}]
        assert http.post(f"{admin.base_url}/api/tokens/reported-leak", json=report, timeout=20).status_code == 200
    else:
        with transaction() as connection:
            past = func.clock_timestamp()
            connection.execute(update(ApiToken).where(ApiToken.id == parent["id"]).values(expires_at=past))
    assert [status(token) for token in (one, two, three, sibling)] == [401, 401, 401, 200]
    if end != "expire":
        reasons = [admin.get(f"/tokens/{made['id']}")["token"]["endedReason"] for made in (parent, child, grandchild)]
        assert reasons == [{"revoke": "revoked", "leak": "leaked"}[end], "parent_ended", "parent_ended"]


def test_a_token_that_is_made_while_its_maker_ends_ends_too(idp, admin):
    for _ in range(5):
        made, parent = made_by(admin)
        barrier, born = threading.Barrier(5), []

        def bear(parent=parent, barrier=barrier, born=born):
            barrier.wait()
            for _ in range(4):
                answer = parent.request("POST", "/tokens", {"name": "t", "permissions": OWNER})
                assert answer.status_code in {201, 401, 409}, answer.text
                if answer.status_code == 201:
                    born.append(Admin(admin.base_url, answer.json()["data"]["token"]["secret"]))

        threads = [threading.Thread(target=bear) for _ in range(4)]
        for thread in threads:
            thread.start()
        barrier.wait()
        assert admin.request("DELETE", f"/tokens/{made['id']}").status_code == 200
        for thread in threads:
            thread.join()
        assert {status(child) for child in born} <= {401}
        children = [t["id"] for t in admin.get("/tokens")["tokens"] if t["parentId"] == made["id"]]
        assert len(children) == len(born)
        # One that came to be while its maker was being ended is marked by the workers.
        eventually(lambda ids=children: all(admin.get(f"/tokens/{i}")["token"]["endedAt"] for i in ids))


# -- the life of a token ---------------------------------------------------------------------------------------------


def test_a_workspace_allows_shorter_lives_and_shortens_those_there_are(idp, admin, facts_of):
    new = ("token", "create", "--workspace", idp.workspace.slug, "--name", "t", "--role", "workspace-owner")
    long = facts_of(*new, "--expires-in", "300d")
    short, _ = made_by(admin, expiresIn=3600)
    assert admin.get("/tokens/limits")["limits"] == {
        "standardLifetime": 90 * DAY,
        "longestLifetime": None,
        "longestOfService": 366 * DAY,
    }
    limited = admin.request("PATCH", "/tokens/limits", {"longestLifetime": 30 * DAY})
    assert limited.json()["data"]["limits"]["longestLifetime"] == 30 * DAY
    now = datetime.now(UTC)
    assert at(admin.get(f"/tokens/{long['id']}")["token"]["expiresAt"]) - now < timedelta(days=30, minutes=1)
    assert admin.get(f"/tokens/{short['id']}")["token"]["expiresAt"] == short["expiresAt"]
    assert names(admin, long["id"])[-1] == "api_token.shortened"
    assert asked(admin, "POST", "/tokens", {"name": "t", "expiresIn": 31 * DAY}) == (422, "expiresIn")
    assert asked(admin, "POST", f"/tokens/{short['id']}/rotate", {"expiresIn": 31 * DAY}) == (422, "expiresIn")
    by_default, _ = made_by(admin)
    assert at(by_default["expiresAt"]) - now < timedelta(days=30, minutes=1)
    for wrong in (0, 3599, -1, "30d", 2**31):
        assert asked(admin, "PATCH", "/tokens/limits", {"longestLifetime": wrong}) == (422, "longestLifetime")
    told = facts_of("workspace", "set-token-lifetime", idp.workspace.slug, "off")
    assert (told["longest_token_seconds"], told["tokens_shortened"]) == (None, 0)
    assert facts_of("workspace", "set-token-lifetime", idp.workspace.slug, "2h")["tokens_shortened"] == 3


def test_a_token_ends_at_the_exact_moment(idp, admin):
    made, program = made_by(admin)
    soon = func.clock_timestamp() + timedelta(milliseconds=1500)
    with transaction() as connection:
        change = update(ApiToken).where(ApiToken.id == made["id"]).values(expires_at=soon)
        end = connection.execute(change.returning(ApiToken.expires_at)).scalar_one()

    def clock():
        with reading() as connection:
            return connection.execute(select(func.clock_timestamp())).scalar_one()

    accepted, refused = [], []
    while not refused:
        before = clock()
        (accepted if status(program) == 200 else refused).append((before, clock()))
    assert len(accepted) > 3
    assert max(before for before, _ in accepted) < end
    assert min(after for _, after in refused) >= end
    assert asked(admin, "POST", f"/tokens/{made['id']}/rotate", {"expiresIn": DAY})[0] == 409
    assert status(program) == 401


def test_a_secret_is_replaced_without_a_gap_and_the_old_one_ends_when_it_should(idp, admin):
    made, old = made_by(admin)
    path = f"/tokens/{made['id']}"
    rotated = admin.request("POST", f"{path}/rotate", {"overlap": 3600}).json()["data"]["token"]
    new = Admin(admin.base_url, rotated["secret"])
    assert rotated["id"] == made["id"]
    assert rotated["permissions"] == made["permissions"]
    told, stop = {"old": [], "new": []}, threading.Event()

    def ask(which, program):
        while not stop.is_set():
            began = time.monotonic()
            told[which].append((began, status(program)))

    clients = [threading.Thread(target=ask, args=pair) for pair in [("old", old), ("new", new)] * 4]
    for client in clients:
        client.start()
    try:
        eventually(lambda: len(told["old"]) > 20 and len(told["new"]) > 20)
        assert {answer for _, answer in told["old"]} == {200}
        assert admin.request("DELETE", f"{path}/overlap").status_code == 200
        ended = time.monotonic()
        last = len(told["old"])
        eventually(lambda: len(told["old"]) > last + 20 and len(told["new"]) > 60)
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert {answer for _, answer in told["new"]} == {200}
    assert {answer for began, answer in told["old"] if began > ended} == {401}
    assert names(admin, made["id"])[1:] == ["api_token.rotated", "api_token.overlap_ended"]


@pytest.mark.parametrize(("overlap", "alive"), [({"overlap": 0}, False), ({"overlap": 7 * DAY}, True), ({}, True)])
def test_an_overlap_is_as_long_as_was_said(idp, admin, overlap, alive):
    made, old = made_by(admin)
    rotated = admin.request("POST", f"/tokens/{made['id']}/rotate", overlap).json()["data"]["token"]
    assert status(Admin(admin.base_url, rotated["secret"])) == 200
    assert status(old) == (200 if alive else 401)
    told = events(admin, made["id"])[-1]["details"]
    ends = at(told["overlap_ends_at"]) - datetime.now(UTC)
    assert abs(ends - timedelta(seconds=overlap.get("overlap", DAY))) < timedelta(minutes=1)
    with transaction() as connection:
        replaced = update(ApiTokenSecret).where(
            ApiTokenSecret.token_id == made["id"], ApiTokenSecret.expires_at.is_not(None)
        )
        connection.execute(replaced.values(expires_at=func.clock_timestamp()))
    assert status(old) == 401


def test_an_overlap_never_lengthens_the_life_of_the_old_secret(idp, admin):
    made, _ = made_by(admin, expiresIn=3600)
    admin.request("POST", f"/tokens/{made['id']}/rotate", {"overlap": DAY, "expiresIn": 30 * DAY})
    told = events(admin, made["id"])[-1]["details"]
    assert at(told["overlap_ends_at"]) == at(made["expiresAt"])
    assert at(told["expires_at"]) > at(made["expiresAt"])


@pytest.mark.parametrize("body", [{"overlap": -1}, {"overlap": 7 * DAY + 1}, {"overlap": "1d"}, {"overlap": 2**31}])
def test_an_overlap_that_cannot_be_is_refused(idp, admin, body):
    made, old = made_by(admin)
    assert asked(admin, "POST", f"/tokens/{made['id']}/rotate", body) == (422, "overlap")
    assert status(old) == 200


def test_secrets_do_not_pile_up(idp, admin):
    made, first = made_by(admin)
    path = f"/tokens/{made['id']}"
    for _ in range(9):
        assert admin.request("POST", f"{path}/rotate", {}).status_code == 200
    assert asked(admin, "POST", f"{path}/rotate", {})[0] == 409
    assert status(first) == 200
    assert admin.request("DELETE", f"{path}/overlap").status_code == 200
    assert status(first) == 401
    assert admin.request("POST", f"{path}/rotate", {}).status_code == 200


def test_what_has_ended_is_changed_and_rotated_no_more(idp, admin):
    made, program = made_by(admin)
    path = f"/tokens/{made['id']}"
    admin.request("DELETE", path)
    for method, where, body in (
        ("PATCH", path, {"name": "x"}),
        ("PATCH", path, {"permissions": OWNER}),
        ("POST", f"{path}/rotate", {}),
        ("DELETE", f"{path}/overlap", None),
    ):
        assert asked(admin, method, where, body)[0] == 409
    assert status(program) == 401
    assert names(admin, made["id"]) == ["api_token.issued", "api_token.revoked"]


def test_a_write_that_is_only_rehearsed_saves_nothing_and_shows_no_secret(idp, admin):
    made, program = made_by(admin)
    path = f"/tokens/{made['id']}"
    before, known = admin.get("/tokens")["tokens"], names(admin, made["id"])
    for method, where, body in (
        ("POST", "/tokens", {"name": "t", "permissions": OWNER}),
        ("PATCH", path, {"name": "x", "permissions": SOURCE_ADMIN}),
        ("POST", f"{path}/rotate", {"overlap": 0}),
        ("DELETE", f"{path}/overlap", None),
        ("DELETE", path, None),
    ):
        answer = admin.request(method, where, body, params={"dryRun": "true"})
        assert answer.status_code in {200, 201}, answer.text
        assert "pva_" not in answer.text
    assert [token["id"] for token in admin.get("/tokens")["tokens"]] == [token["id"] for token in before]
    assert names(admin, made["id"]) == known
    assert status(program) == 200
    refused = admin.request("POST", "/tokens", {"name": "t", "expiresIn": 0}, params={"dryRun": "true"})
    assert refused.status_code == 422


# -- use -------------------------------------------------------------------------------------------------------------


def test_the_last_use_is_shown_and_written_once_a_minute(idp, admin):
    made, program = made_by(admin)
    path = f"/tokens/{made['id']}"
    assert (made["lastUsedAt"], made["lastUsedFrom"]) == (None, None)
    assert status(program) == 200
    used = admin.get(path)["token"]
    assert used["lastUsedFrom"] == "127.0.0.1"
    assert abs(at(used["lastUsedAt"]) - datetime.now(UTC)) < timedelta(minutes=1)
    for _ in range(5):
        status(program)
    assert admin.get(path)["token"]["lastUsedAt"] == used["lastUsedAt"]
    with transaction() as connection:
        long_ago = func.clock_timestamp() - timedelta(seconds=61)
        connection.execute(update(ApiToken).where(ApiToken.id == made["id"]).values(last_used_at=long_ago))
    status(program)
    assert at(admin.get(path)["token"]["lastUsedAt"]) >= at(used["lastUsedAt"])


def test_a_use_waits_for_nobody_who_holds_the_token(idp, admin):
    made, program = made_by(admin)
    with transaction() as connection:
        held = select(ApiToken.id).where(ApiToken.id == made["id"]).with_for_update()
        assert connection.execute(held).one()
        assert status(program) == 200
    assert status(program) == 200
    assert admin.get(f"/tokens/{made['id']}")["token"]["lastUsedAt"] is not None


def test_a_token_opens_nothing_from_out_of_its_ranges(idp, admin):
    made, program = made_by(admin, addressRanges=["192.0.2.0/24"])
    refused = program.request("GET", "")
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["type"], error["data"]) == (403, "not_allowed", {"action": "token.use"})
    assert admin.get(f"/tokens/{made['id']}")["token"]["lastUsedAt"] is None
    admin.request("PATCH", f"/tokens/{made['id']}", {"addressRanges": ["127.0.0.1"]})
    assert status(program) == 200


@pytest.fixture
def another(app, service):
    """Makes applications on the same database, with other settings."""
    made = []

    def make(**changed):
        made.append(create_app(dataclasses.replace(settings_of(str(service.data_dir)), **changed)))
        return made[-1].test_client()

    yield make
    for one in made:
        with one.app_context():
            db.engine.dispose()


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "status"),
    [
        (0, "192.0.2.9", None, 200),
        (0, "::ffff:192.0.2.9", None, 200),
        (0, "198.51.100.1", None, 403),
        (0, "198.51.100.1", "192.0.2.9", 403),
        (0, "192.0.2.9", "198.51.100.1", 200),
        (1, "10.0.0.1", "192.0.2.9", 200),
        (1, "192.0.2.9", "198.51.100.1", 403),
        (1, "10.0.0.1", "192.0.2.9, 198.51.100.1", 403),
        (1, "10.0.0.1", "198.51.100.1, 192.0.2.9", 200),
        (2, "10.0.0.1", "192.0.2.9, 10.0.0.2", 200),
        (1, "192.0.2.9", None, 200),
    ],
)
def test_the_address_is_the_clients_as_the_believed_proxies_tell_it(
    idp, admin, another, proxies, peer, forwarded, status
):
    _, program = made_by(admin, addressRanges=["192.0.2.0/24"])
    headers = {"Authorization": f"Bearer {program.token}"}
    if forwarded is not None:
        headers["X-Forwarded-For"] = forwarded
    asked = another(trusted_proxies=proxies).get("/api", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert asked.status_code == status, asked.text


def test_each_token_has_a_measure_of_its_own_and_is_told_of_it(idp, admin, another):
    client = another(api_requests_per_minute=5)
    _, first = made_by(admin)
    _, second = made_by(admin)

    def ask(program):
        return client.get("/api", headers={"Authorization": f"Bearer {program.token}"})

    answers = [ask(first) for _ in range(12)]
    # A minute may end in between; then each minute has its own measure.
    assert [answer.status_code for answer in answers].count(200) in {5, 10}
    refused = answers[-1] if answers[-1].status_code == 429 else next(a for a in answers if a.status_code == 429)
    (error,) = refused.json["errors"]
    assert error["type"] == "too_many_requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert error["data"]["msBeforeNext"] == int(refused.headers["Retry-After"]) * 1000
    assert error["data"]["remainingPoints"] == int(refused.headers["X-RateLimit-Remaining"]) == 0
    assert error["data"]["consumedPoints"] == int(refused.headers["X-RateLimit-Consumed"]) > 5
    answered = ask(second)
    assert answered.status_code == 200
    assert {name: answered.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Consumed")} == {
        "Limit": "5",
        "Remaining": "4",
        "Consumed": "1",
    }
    assert 1 <= int(answered.headers["X-RateLimit-Reset"]) <= 60


# -- what is not a token ---------------------------------------------------------------------------------------------


def test_what_is_only_nearly_a_token_is_refused_before_anything_is_looked_up(idp, admin, another):
    client, text = another(), admin.token
    other = {"0": "1"}.get(text[20], "0")
    wrong = [text[:end] for end in (0, 1, 4, 20, len(text) - 6, len(text) - 1)]
    wrong += [text[:20] + other + text[21:], text.swapcase(), f"{text}=", f"{text}\x00", f"{text}a", f"pvs{text[3:]}"]
    headers = [{"Authorization": f"Bearer {one}"} for one in wrong]
    headers += [{"Authorization": one} for one in (f"Basic {text}", text, f"Bearer {text}, {text}", "Bearer")]
    headers += [{}, {"Cookie": f"__Host-session={text}"}, {"X-Api-Key": text}]
    with statements.counted() as asked:
        for sent in headers:
            assert client.get("/api", headers=sent).status_code == 401, sent
        assert client.get("/api", query_string={"access_token": text, "token": text}).status_code == 401
        assert client.post("/api/tokens", json={"name": "t", "token": text}).status_code == 401
        assert asked == []
        assert client.get("/api", headers={"Authorization": f"Bearer {text}"}).status_code == 200
        assert asked


def test_a_secret_of_another_kind_opens_nothing_here_and_a_token_nothing_there(idp, admin):
    idp.create_user("a@corp.example")
    session = admin.request("POST", "/sessions", {"email": "a@corp.example"}).json()["data"]["session"]["token"]
    assert [status(Admin(admin.base_url, text)) for text in (idp.token, session)] == [401, 401]
    assert dataclasses.replace(idp, token=admin.token).request("GET", "/Users").status_code == 401


def test_no_secret_is_in_any_log_or_fact_however_it_was_sent(idp, admin, http, service):
    made, program = made_by(admin)
    rotated = admin.request("POST", f"/tokens/{made['id']}/rotate", {}).json()["data"]["token"]["secret"]
    texts = [program.token, rotated]
    told = []
    for text in texts:
        url = f"{admin.base_url}/api/tokens"
        for answer in (
            http.get(url, params={"token": text}, timeout=20),
            http.get(f"{url}/{text}", timeout=20),
            http.get(url, headers={"Authorization": f"Bearer {text}a"}, timeout=20),
            http.get(url, headers={"Authorization": f"Bearer {text}", "X-Request-Id": text}, timeout=20),
            http.get(url, cookies={"__Host-session": text}, timeout=20),
            http.post(url, data=f'{{"name": "{text}"', headers={"Content-Type": "application/json"}, timeout=20),
            admin.request("POST", "/tokens", {"name": "t", "expiresIn": text}),
            admin.request("POST", "/tokens", {"name": "t", text: 1}),
            http.post(f"{url}/reported-leak", json=[{"token": f"{text}a", "url": text}], timeout=20),
        ):
            assert answer.status_code in {200, 400, 401, 404, 405, 422}
            told.append(answer.text)
    with reading() as connection:
        facts = connection.exec_driver_sql("SELECT event::text FROM event").scalars().all()
    everything = "".join((*facts, service.output.read_text(), *(t for t in told if '"field"' not in t)))
    assert [text for text in texts if text[4:24] in everything] == []


def test_the_last_use_of_an_identity_providers_credential_is_shown_for_each_of_two(idp, admin, facts_of):
    path = f"/connections/{idp.connection.id}/credentials"
    (unused,) = admin.get(path)["credentials"]
    assert (unused["lastUsedAt"], unused["lastUsedFrom"], unused["expiresAt"]) == (None, None, None)
    assert idp.request("GET", "/Users").status_code == 200
    (used,) = admin.get(path)["credentials"]
    assert used["lastUsedFrom"] == "127.0.0.1"
    assert abs(at(used["lastUsedAt"]) - datetime.now(UTC)) < timedelta(minutes=1)
    idp.request("GET", "/Users")
    assert admin.get(path)["credentials"] == [used]
    rotated = facts_of("connection", "rotate", "idp", "--workspace", idp.workspace.slug, "--overlap", "1h")
    first, second = admin.get(path)["credentials"]
    assert (first["lastUsedAt"], second["lastUsedAt"]) == (used["lastUsedAt"], None)
    new = dataclasses.replace(idp, token=rotated["token"])
    assert [one.request("GET", "/Users").status_code for one in (idp, new)] == [200, 200]
    assert all(credential["lastUsedAt"] for credential in admin.get(path)["credentials"])
    assert rotated["token"][4:24] not in admin.request("GET", path).text
