"""Every route of the console: what it takes, and what becomes of those who lack it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from provisioning.web.console import forms
from tests.console import member_of, owner_of, visitor
from tests.sessions.playing import grow_older

_ANY_ID = str(UUID(int=7))
# What everybody may who is signed in, of their own session and workspaces.
_OF_ANYBODY = {"/console", "/console/-/session"}


def routes(app) -> Iterator[tuple[str, str, str]]:
    """Method, path below the workspace, and what guards it."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/console/<string:slug>"):
            guard = app.view_functions[rule.endpoint]._provisioning_guard  # noqa: SLF001 - what the start looks at
            path = re.sub(r"<[^>]+>", _ANY_ID, rule.rule.removeprefix("/console/<string:slug>"))
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield method, path, guard


def test_every_route_of_a_workspace_declares_the_action_that_it_takes(app):
    guards = {(method, path): guard for method, path, guard in routes(app)}
    assert len(guards) > 15
    assert all(re.fullmatch(r"member( watching)?: [a-z-]+\.[a-z-]+", guard) for guard in guards.values()), guards
    others = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/console") and app.view_functions[rule.endpoint]._provisioning_guard == "session"  # noqa: SLF001
    }
    assert others == _OF_ANYBODY


def test_a_member_without_the_action_is_refused_by_its_name_on_every_route(app, idp):
    member = member_of(idp)
    for method, path, guard in routes(app):
        action = guard.partition(": ")[2]
        answer = member.get(path) if method == "GET" else member.post(path)
        if action == "workspace.read":
            assert answer.status_code == 200, path
        else:
            assert (answer.status_code, f"<code>{action}</code>" in answer.text) == (403, True), (method, path)


def test_another_workspace_and_none_are_not_found_on_any_route(app, idp, new_idp):
    owner, other = owner_of(idp), new_idp()
    for slug in (other.workspace.slug, "there-is-none"):
        for method, path, _ in routes(app):
            answer = owner.open(f"/console/{slug}{path}", method)
            assert answer.status_code == 404, (method, path)
            assert slug not in answer.text


def test_who_is_not_signed_in_is_sent_to_sign_in_from_every_route(app, service, http, idp):
    for method, path, _ in routes(app):
        address = f"/console/{idp.workspace.slug}{path}"
        answer = http.request(method, f"{service.base_url}{address}", timeout=10)
        assert (answer.status_code, 'href="/sign-in"' in answer.text) == (401, True)


def test_nothing_is_changed_by_a_form_without_the_token_of_the_very_session(app, idp):
    owner = owner_of(idp)
    again = owner_of(idp, name="second")
    foreign = again.token("/groups/new")
    for method, path, _ in routes(app):
        if method != "GET":
            for token in ("", "nonsense", foreign):
                answer = owner.post(path, {forms.FIELD: token, "name": "x"}, **{"Sec-Fetch-Site": "same-origin"})
                assert (answer.status_code, "was not made for your session" in answer.text) == (403, True), path


@pytest.mark.parametrize(
    "header", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
def test_nothing_is_changed_by_a_form_of_another_site(idp, header):
    owner = owner_of(idp)
    token = owner.token("/groups/new")
    answer = owner.post("/groups/new", {forms.FIELD: token, "name": "theirs"}, **header)
    assert (answer.status_code, "another site" in answer.text) == (403, True)
    assert "theirs" not in owner.get("/groups").text
    assert owner.send("/groups/new", "/groups/new", {"name": "ours"}).status_code == 303


def test_the_navigation_shows_what_the_person_may_open(idp):
    reader = member_of(idp, "member.read", name="reader")
    page = reader.get().text
    assert f'href="{reader.address("/people")}"' in page
    assert "/groups" not in page
    assert reader.get("/people").status_code == 200


def test_a_session_that_opens_one_workspace_opens_no_other(idp, new_idp):
    other, owner = new_idp(), owner_of(idp)
    other.create_user(owner.email)
    assert owner.open(f"/console/{other.workspace.slug}").status_code == 200
    inside = visitor(idp, owner.email, reach_id=idp.workspace.id)
    assert inside.open(f"/console/{other.workspace.slug}").status_code == 404


def test_what_a_page_asks_by_itself_is_no_activity_and_staying_is(new_idp):
    idp = new_idp(hipaa=True)
    owner = owner_of(idp)
    grow_older([owner.session.digest], timedelta(minutes=10))
    for _ in range(2):
        assert 200 < owner.open("/console/-/session").json()["seconds"] <= 300
    assert owner.open("/console/-/session", "POST").json()["seconds"] > 800
    assert 'data-seconds="9' not in owner.get().text
    grow_older([owner.session.digest], timedelta(minutes=16))
    ended = owner.get("/people")
    assert (ended.status_code, "signed out after a time without activity" in ended.text) == (401, True)
    assert owner.open("/console/-/session").status_code == 401


def test_a_person_who_is_suspended_reads_why_at_the_next_page(idp):
    owner, member = owner_of(idp), member_of(idp, "member.read")
    assert member.get("/people").status_code == 200
    (found,) = idp.find("/Users", f'userName eq "{member.email}"')
    assert idp.patch(f"/Users/{found['id']}", {"op": "replace", "path": "active", "value": False}).status_code == 200
    ended = member.get("/people")
    assert (ended.status_code, "suspended" in ended.text, idp.workspace.slug in ended.text) == (401, True, True)
    assert owner.get("/people").status_code == 200
