"""A request that is sent again under its key is done once, and answered as it was the first time."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update

from provisioning.database import reading, transaction
from provisioning.tokens import answers
from provisioning.tokens.answers import KeptAnswer
from tests.waiting import eventually

GROUP = {"name": "G"}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def post(admin, key, body=GROUP, path="/groups", **kwargs):
    return admin.request("POST", path, body, headers={"Idempotency-Key": key}, **kwargs)


def names(admin):
    return [group["name"] for group in admin.get("/groups")["userGroups"]]


def error(response):
    (told,) = response.json()["errors"]
    return response.status_code, told["type"], told.get("field")


def kept(admin_workspace):
    with reading() as connection:
        mine = select(func.count()).where(KeptAnswer.workspace_id == admin_workspace)
        return connection.execute(mine).scalar_one()


@pytest.mark.parametrize("key", ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "k", "x" * 255])
def test_what_is_sent_again_is_answered_as_before_and_done_once(admin, key):
    first = post(admin, key)
    again = post(admin, key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert names(admin) == ["G"]
    assert [event["type"] for event in admin.get("/audit-events")["events"]].count("group.added") == 1


def test_a_key_stands_for_one_request(admin):
    assert post(admin, "k").ok
    for body, path in (
        ({"name": "H"}, "/groups"),
        (GROUP, "/groups?a=b"),
        ({"label": {"key": "a", "value": "b"}}, "/labels"),
    ):
        assert error(post(admin, "k", body, path)) == (422, "invalid", "Idempotency-Key")
    assert (names(admin), len(admin.get("/labels")["labels"])) == (["G"], 2)
    assert post(admin, "other", {"name": "H"}).ok


def test_a_key_is_that_of_its_token_alone(idp, admin, new_admin, new_idp):
    assert post(admin, "k").ok
    assert error(post(new_admin(idp.workspace.slug), "k")) == (409, "conflict", "displayName")
    elsewhere = new_admin(new_idp().workspace.slug)
    assert "Idempotent-Replayed" not in post(elsewhere, "k").headers
    assert names(elsewhere) == ["G"]


def test_what_was_refused_is_not_kept_and_may_be_sent_again(idp, admin):
    assert post(admin, "first").ok
    assert error(post(admin, "k"))[0] == 409
    assert error(post(admin, "bad", {"name": ""}))[0] == 422
    assert error(post(admin, "bad", {}))[0] == 422
    assert kept(idp.workspace.id) == 1
    (group,) = admin.get("/groups")["userGroups"]
    assert admin.request("DELETE", f"/groups/{group['id']}").ok
    assert post(admin, "k").ok


def test_of_many_at_once_one_is_done(admin):
    for number in range(5):
        barrier, told = threading.Barrier(4), []

        def one_of_many(barrier=barrier, told=told, number=number):
            barrier.wait()
            told.append(post(admin, f"k{number}", {"name": f"G{number}"}))

        threads = [threading.Thread(target=one_of_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = [answer for answer in told if answer.status_code == 200]
        assert done
        assert len({answer.content for answer in done}) == 1
        assert {error(answer) for answer in told if answer not in done} <= {(409, "conflict", "Idempotency-Key")}
        assert post(admin, f"k{number}", {"name": f"G{number}"}).content == done[0].content
    assert names(admin) == [f"G{number}" for number in range(5)]


@pytest.mark.parametrize("key", ["", '""', "two words", 'a"b', "x" * 256, "\N{SNOWMAN}".encode().decode("latin-1")])
def test_what_is_no_key_is_refused(admin, key):
    assert error(post(admin, key)) == (422, "invalid", "Idempotency-Key")
    assert names(admin) == []


def test_where_a_secret_is_shown_a_key_is_refused_and_nothing_is_kept(idp, admin):
    idp.create_user("a@corp.example")
    assert error(post(admin, "k", {"email": "a@corp.example"}, "/sessions")) == (422, "invalid", "Idempotency-Key")
    assert admin.get("/sessions")["sessions"] == []
    assert kept(idp.workspace.id) == 0


def test_a_preview_is_no_answer_that_is_kept(idp, admin):
    told = post(admin, "k", params={"dryRun": "true"})
    assert (told.status_code, names(admin), kept(idp.workspace.id)) == (200, [], 0)
    assert post(admin, "k").ok
    assert names(admin) == ["G"]


def test_a_key_is_forgotten_after_a_day(idp, admin, app):
    first = post(admin, "k").json()["data"]["userGroup"]
    assert admin.request("DELETE", f"/groups/{first['id']}").ok
    assert post(admin, "k").json()["data"]["userGroup"] == first
    late = func.clock_timestamp() - answers.KEPT - func.make_interval(0, 0, 0, 0, 0, 1)
    mine = update(KeptAnswer).where(KeptAnswer.workspace_id == idp.workspace.id)
    with transaction() as connection:
        connection.execute(mine.values(created_at=late))
    assert post(admin, "k").json()["data"]["userGroup"]["id"] != first["id"]
    with transaction() as connection:
        connection.execute(mine.values(created_at=late))
    eventually(lambda: kept(idp.workspace.id) == 0, within=30)


def test_a_change_with_its_facts_is_whole_when_a_key_goes_along(idp, admin):
    user = idp.create_user("a@corp.example")["id"]
    given = {"permissions": [{"roleId": "source-admin", "resources": [{"type": "WORKSPACE"}]}]}
    mixed = {"permissions": [*given["permissions"], {"roleId": "nonsense", "resources": [{"type": "WORKSPACE"}]}]}
    assert error(post(admin, "k", mixed, f"/users/{user}/permissions"))[0] == 422
    assert admin.get(f"/users/{user}/permissions")["permissions"] == []
    assert post(admin, "k", given, f"/users/{user}/permissions").ok
    assert len(admin.get(f"/users/{user}/permissions")["permissions"]) == 1
