"""What owners see, end and set of their members' sessions, and what is none of their business."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.sessions.sign_in import SignIn
from tests.sessions.playing import begin, begin_in, flip, grow_older, judge


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def both(app, idp, new_idp):
    """Somebody who is in this workspace and in another one."""
    other = new_idp()
    email = f"{idp.workspace.slug}@corp.example"
    other.create_user(email)
    return email, idp.create_user(email)["id"], other


def test_an_owner_ends_all_of_a_members_sessions_that_open_the_workspace_and_no_others(admin, idp, both):
    email, member_id, other = both
    wide, here, there = begin(email), begin_in(email, idp.workspace.id), begin_in(email, other.workspace.id)
    answer = admin.request("DELETE", f"/users/{member_id}/sessions")
    assert (answer.status_code, answer.json()["data"]) == (200, {"ended": 2})
    assert [judge(one).active for one in (wide, here, there)] == [False, False, True]
    assert judge(wide).workspace == idp.workspace.slug
    assert admin.request("DELETE", f"/users/{member_id}/sessions").json()["data"] == {"ended": 0}


def test_sessions_of_one_member_are_listed_and_a_stranger_is_unknown(admin, idp, both, new_idp):
    email, member_id, other = both
    begin(email)
    idp.create_user(f"y.{email}")
    begin(f"y.{email}")
    assert [one["email"] for one in admin.get("/sessions", userId=member_id)["sessions"]] == [email]
    (theirs,) = other.find("/Users", f'userName eq "{email}"')
    assert admin.request("GET", "/sessions", params={"userId": theirs["id"]}).status_code == 404
    assert len(admin.get("/sessions")["sessions"]) == 2
    assert admin.request("GET", "/sessions", params={"userId": "nobody"}).status_code == 422


def test_a_stranger_of_another_workspace_is_not_found(admin, both, new_idp):
    stranger = new_idp().create_user(f"x.{both[0]}")["id"]
    session = begin(f"x.{both[0]}")
    assert admin.request("DELETE", f"/users/{stranger}/sessions").status_code == 404
    assert judge(session).active


def test_a_token_that_may_only_read_ends_and_limits_nothing(idp, new_admin, both):
    reader = new_admin(idp.workspace.slug, "workspace-member")
    session = begin(both[0])
    assert reader.request("DELETE", f"/users/{both[1]}/sessions").status_code == 403
    refused = reader.request("PUT", "/sessions/limits", {"idleSeconds": 60, "absoluteSeconds": None})
    assert (refused.status_code, judge(session).active) == (403, True)


def test_owners_are_told_nothing_of_other_workspaces(admin, idp, both):
    email, _, other = both
    begin(email, how=SignIn(connection_id=other.connection.id, provider_session="sid"))
    flip(other.workspace.slug, on=True)
    (shown,) = admin.get("/sessions")["sessions"]
    assert (shown["reason"], shown["workspace"], shown["connectionId"]) == ("revoked_hipaa_change", None, None)


def test_an_application_is_not_told_which_other_workspace_ended_a_session(admin, both, service):
    email, _, other = both
    begun = admin.request("POST", "/sessions", {"email": email}).json()["data"]["session"]
    flip(other.workspace.slug, on=True)
    judged = admin.request("POST", "/sessions/check", {"token": begun["token"]}).json()["data"]["session"]
    assert (judged["reason"], judged["workspace"]) == ("revoked_hipaa_change", None)


def test_owners_set_shorter_limits_that_bind_at_once(admin, both):
    session = begin(both[0])
    wanted = {"idleSeconds": 600, "absoluteSeconds": 7200}
    answer = admin.request("PUT", "/sessions/limits", wanted)
    assert (answer.status_code, answer.json()["data"]["limits"]) == (200, wanted)
    assert admin.get("/sessions/limits")["limits"] == wanted
    grow_older([session], timedelta(seconds=601))
    assert judge(session).reason == "idle"
    none = {"idleSeconds": None, "absoluteSeconds": None}
    assert admin.request("PUT", "/sessions/limits", none).status_code == 200
    assert admin.get("/sessions/limits")["limits"] == none


@pytest.mark.parametrize(
    "sent",
    [
        {"idleSeconds": 0, "absoluteSeconds": None},
        {"idleSeconds": -5, "absoluteSeconds": None},
        {"idleSeconds": 7 * 86400 + 1, "absoluteSeconds": None},
        {"idleSeconds": None, "absoluteSeconds": 10**15},
        {"idleSeconds": "soon", "absoluteSeconds": None},
        {"idleSeconds": 1.5, "absoluteSeconds": None},
        {"idleSeconds": 60},
        {"idleSeconds": 60, "absoluteSeconds": None, "policy": "long"},
        [],
    ],
)
def test_a_limit_that_can_not_be_is_refused_and_changes_nothing(admin, sent):
    kept = {"idleSeconds": 60, "absoluteSeconds": None}
    admin.request("PUT", "/sessions/limits", kept)
    refused = admin.request("PUT", "/sessions/limits", sent)
    assert refused.status_code in {400, 422}
    assert refused.json()["errors"]
    assert admin.get("/sessions/limits")["limits"] == kept


def test_the_operator_sets_limits_in_words_of_people(idp, facts_of, command):
    slug = idp.workspace.slug
    told = facts_of("workspace", "set-session-limits", slug, "--idle", "8h", "--absolute", "2d")
    assert (told["session_idle_seconds"], told["session_absolute_seconds"]) == (28800, 172800)
    assert facts_of("workspace", "set-session-limits", slug)["session_idle_seconds"] is None
    refused = command("workspace", "set-session-limits", slug, "--idle", "8d")
    assert (refused.returncode, "the service's, 604800" in refused.stderr) == (1, True)
