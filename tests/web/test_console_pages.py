"""The console's pages: what they show, what they do, and what that costs."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from uuid import UUID

import pytest
from flask import get_template_attribute

from provisioning.access.previews import Line, Preview
from tests.console import member_of, owner_of
from tests.statements import counted

_NEXT = re.compile(r'rel="next" href="([^"]+)"')
_PREVIOUS = re.compile(r'rel="prev" href="([^"]+)"')
_PERSON = re.compile(r'/people/[0-9a-f-]{36}">([^<]+)</a>')


@pytest.fixture
def owner(idp):
    return owner_of(idp)


def names(page) -> list[str]:
    return _PERSON.findall(page.text)


def followed(owner, page, link) -> str:
    return owner.open(link.search(page.text)[1].replace("&amp;", "&"))


def test_people_are_searched_by_how_names_begin_narrowed_and_sorted(owner, idp):
    for name in ("Zoe", "zora", "Adam", "100%_sure"):
        idp.create_user(f"{name.lower()}@corp.example", displayName=name, active=name != "zora")
    assert names(owner.get("/people?q=ZO")) == ["Zoe", "zora"]
    assert names(owner.get("/people?q=zo&sort=-name")) == ["zora", "Zoe"]
    assert names(owner.get("/people?q=zo&state=suspended")) == ["zora"]
    assert names(owner.get("/people?sort=-added")) == ["100%_sure", "Adam", "zora", "Zoe", "Owner"]
    assert names(owner.get("/people?sort=added"))[0] == "Owner"
    assert names(owner.get("/people?kind=owners")) == ["Owner"]
    assert names(owner.get(f"/people?from={idp.connection.id}&state=suspended")) == ["zora"]
    assert names(owner.get("/people?q=100%25_")) == ["100%_sure"]
    assert "Nobody is like that" in owner.get("/people?q=%25").text
    assert len(names(owner.get("/people?state=nonsense&sort=password&from=1"))) == 5


def test_a_list_is_walked_forth_and_back_by_addresses_that_can_be_shared(owner, idp):
    for number in range(60):
        idp.create_user(f"p{number:02}@corp.example", displayName=f"Person {number:02}")
    first = owner.get("/people?q=person&sort=-name")
    assert (len(names(first)), names(first)[0], _PREVIOUS.search(first.text)) == (50, "Person 59", None)
    assert "60 people" in first.text
    newest = owner.get("/people?sort=-added")
    assert names(followed(owner, newest, _NEXT))[-1] == "Owner"
    second = followed(owner, first, _NEXT)
    assert names(second) == [f"Person {number:02}" for number in range(9, -1, -1)]
    assert names(followed(owner, second, _PREVIOUS)) == names(first)
    shared = _NEXT.search(first.text)[1].replace("&amp;", "&")
    assert names(member_of(idp, "member.read", name="reader").open(shared)) == names(second)
    changed = owner.open(shared.replace("q=person", "q=p"))
    assert "is not kept any more" in changed.text
    table = list(csv.DictReader(io.StringIO(owner.get("/people/export.csv?q=person&sort=-name").text)))
    assert [row["name"] for row in table] == [f"Person {number:02}" for number in range(59, -1, -1)]


def test_a_person_is_shown_with_every_reason_for_what_they_can_do(owner, idp, facts_of):
    ada = idp.create_user("ada@corp.example", displayName="Ada")
    idp.create_group("R&D", ada["id"])
    slug = idp.workspace.slug
    facts_of("mapping", "create", "--workspace", slug, "--group", "R&D", "--role", "source-admin")
    page = owner.get(f"/people/{ada['id']}").text
    assert "Source Admin" in page
    assert "The mapping R&amp;D gives it through the group R&amp;D: it means this very group." in page
    (group,) = re.findall(r"/groups/([0-9a-f-]{36})", page)
    shown = owner.get(f"/groups/{group}").text
    assert ("the mapping R&amp;D" in shown, "Ada" in shown, "everything of its kind" in shown) == (True, True, True)
    history = owner.get(f"/people/{ada['id']}/history").text
    assert ("<code>member.added</code>" in history, "the connection idp" in history) == (True, True)


def test_sessions_of_a_person_are_ended_after_one_question_in_numbers(owner, idp):
    member = member_of(idp, "member.read")
    (found,) = idp.find("/Users", f'userName eq "{member.email}"')
    asked = owner.get(f"/people/{found['id']}/sessions/end").text
    assert "1 session that opens this workspace ends at once" in asked
    done = owner.send(f"/people/{found['id']}/sessions/end", f"/people/{found['id']}/sessions/end")
    assert done.status_code == 303
    said = done.headers["Set-Cookie"].partition(";")[0]
    after = owner.open(done.headers["Location"], headers={"Cookie": f"{owner.cookie}; {said}"})
    assert "1 session of Member ended." in after.text
    assert "__Host-said=;" in after.headers["Set-Cookie"], "it is said once"
    assert member.get("/people").status_code == 401
    assert "revoked" not in owner.get(f"/people/{found['id']}/sessions").text
    assert "Somebody ended the session." in owner.get(f"/people/{found['id']}/sessions").text


def test_a_person_is_protected_and_removed(owner, idp):
    ada = idp.create_user("ada@corp.example", displayName="Ada")
    page = f"/people/{ada['id']}"
    assert owner.send(page, f"{page}/protected", {"protected": "yes"}).status_code == 303
    assert idp.request("DELETE", f"/Users/{ada['id']}").status_code == 400
    assert owner.send(page, f"{page}/protected", {"protected": "no"}).status_code == 303
    assert "They lose 1 role and leave 0 groups" in owner.get(f"{page}/remove").text
    assert owner.send(page, f"{page}/remove").status_code == 303
    assert owner.get(page).status_code == 404


def test_a_persons_history_tells_what_they_were_given_and_lost_and_nobody_elses(owner, idp, new_admin):
    ada, bob = (idp.create_user(f"{name}@corp.example", displayName=name)["id"] for name in ("ada", "bob"))
    admin, given = new_admin(idp.workspace.slug), [{"roleId": "source-admin", "resources": [{"type": "WORKSPACE"}]}]
    for permissions in (given, []):
        assert admin.request("PUT", f"/users/{ada}/permissions", {"permissions": permissions}).status_code == 200
    told = re.findall(r"<code>([a-z_.]+)</code>", owner.get(f"/people/{ada}/history").text)
    assert [name for name in told if name.startswith("policy.")] == ["policy.deleted", "policy.created"]
    assert "policy." not in owner.get(f"/people/{bob}/history").text


def test_the_last_owner_stays_and_the_page_says_why(owner, idp):
    (found,) = idp.find("/Users", f'userName eq "{owner.email}"')
    page = f"/people/{found['id']}/remove"
    refused = owner.send(page, page)
    assert (refused.status_code, "Nothing was changed." in refused.text) == (409, True)
    assert owner.get("/people").status_code == 200


def test_local_groups_are_made_and_deleted_and_a_wrong_name_is_told_at_its_field(owner):
    assert owner.send("/groups/new", "/groups/new", {"name": "Auditors"}).status_code == 303
    twice = owner.send("/groups/new", "/groups/new", {"name": "auditors"})
    assert (twice.status_code, 'aria-invalid="true"' in twice.text, 'value="auditors"' in twice.text) == (
        409,
        True,
        True,
    )
    assert owner.send("/groups/new", "/groups/new", {"name": " "}).status_code == 400
    (group,) = re.findall(r"/groups/([0-9a-f-]{36})", owner.get("/groups?kind=local").text)
    assert "Nobody gains or loses anything." in owner.numbers(owner.get(f"/groups/{group}/delete")).text
    assert owner.send(f"/groups/{group}/delete", f"/groups/{group}/delete").status_code == 303
    assert owner.get(f"/groups/{group}").status_code == 404


def test_detaching_a_group_says_first_who_loses_what(owner, idp, facts_of):
    ada = idp.create_user("ada@corp.example", displayName="Ada")
    group = idp.create_group("R&D", ada["id"])
    where = ("--workspace", idp.workspace.slug)
    facts_of("mapping", "create", *where, "--group", "R&D", "--role", "tracking-plan-admin")
    page = f"/groups/{group['id']}/detach"
    told = owner.numbers(owner.get(page)).text
    assert "1 person would lose something" in told
    assert "tracking-plan-admin" in told
    assert "Detach" in owner.get(f"/groups/{group['id']}").text, "asking changes nothing"
    assert owner.send(page, page).status_code == 303
    assert "its name and members are kept here" in owner.get(f"/groups/{group['id']}").text
    assert "linked, giving" not in owner.get("/groups?kind=unmapped").text


def test_a_preview_tells_gains_from_losses_and_says_how_much_it_shows(app):
    line = Line(UUID(int=1), "Ada", "ada@corp.example", "gains", "source-admin", "source:shop")
    found = Preview(2, 1, 1, 1, 2, 7, 3, (line, replace(line, change="loses")), ())
    with app.test_request_context():
        told = get_template_attribute("console/macros.html", "preview")(found)
    assert '<span class="badge good">gains</span>' in told
    assert '<span class="badge bad">loses</span>' in told
    assert "The first 2 of 3 changes" in told


def test_names_are_text_on_every_page(owner, idp):
    hostile = '<img src=x onerror=alert(1)>"'
    ada = idp.create_user("ada@corp.example", displayName=hostile)
    group = idp.create_group(hostile, ada["id"])
    for path in ("/people", f"/people/{ada['id']}", f"/people/{ada['id']}/remove", f"/people/{ada['id']}/history"):
        assert "<img" not in owner.get(path).text
    for path in ("/groups", f"/groups/{group['id']}", f"/groups/{group['id']}/detach", "/groups?q=%3Cimg"):
        assert "<img" not in owner.get(path).text


def test_the_theme_is_kept_and_leads_back_to_a_page_of_ours_alone(service, http):
    at = service.base_url
    for back, there in (("/console/w/people?q=a", "/console/w/people?q=a"), ("//evil.example", "/console")):
        sent = {"theme": "dark", "back": back}
        answer = http.post(f"{at}/console/-/theme", data=sent, timeout=10, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, there)
    page = http.get(f"{at}/sign-in", timeout=10, headers={"Cookie": answer.headers["Set-Cookie"].partition(";")[0]})
    assert '<html lang="en" data-theme="dark">' in page.text
    page = http.get(f"{at}/sign-in", timeout=10, headers={"Cookie": '__Host-theme="><script>'})
    assert 'data-theme="system"' in page.text


def test_every_page_carries_the_policy_and_is_small(owner, idp):
    ids = [idp.create_user(f"p{n}@corp.example", displayName=f"Person {n} {'x' * 100}")["id"] for n in range(55)]
    for number in range(4):
        idp.create_group(f"Group {number} {'y' * 100}", *ids)
    for path in ("", "/people", "/groups", f"/people/{ids[0]}"):
        page = owner.get(path)
        assert len(page.content) < 200_000
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page.text), path


# Judging the session, the workspaces of the person, and what their access rests on are three of them; whether what is
# told is recorded is one more.
@pytest.mark.parametrize(
    ("path", "count"),
    [
        *(("", 11), ("/people", 5), ("/people?q=a&state=active", 5), ("/people/{}", 6), ("/people/{}/sessions", 6)),
        *(("/people/{}/history", 7), ("/groups", 6), ("/groups/{}", 12), ("/people/{}/remove", 5)),
    ],
)
def test_what_pages_cost(app, owner, idp, path, count):
    ada = idp.create_user("ada@corp.example", displayName="Ada")
    group = idp.create_group("R&D", ada["id"])
    address = path.format(group["id"] if path.startswith("/groups") else ada["id"])
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        assert client.get(owner.address(address), headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
