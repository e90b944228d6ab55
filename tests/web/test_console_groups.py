"""Local groups are kept at the console; and what somebody else has changed meanwhile is not overwritten by any form."""

from __future__ import annotations

import html
import re

import pytest

from provisioning.web.console import seen
from tests.console import owner_of


@pytest.fixture
def owner(idp):
    return owner_of(idp)


@pytest.fixture
def local(owner):
    """The page of a local group."""
    made = owner.send("/groups/new", "/groups/new", {"name": "Auditors"})
    return f"/groups/{made.headers['Location'].rpartition('/')[2]}"


def people(owner, local):
    return re.findall(r'data-label="Name"><a href="[^"]*">([^<]+)<', owner.get(local).text)


def kept(page):
    """What a page's form was made of."""
    return html.unescape(re.search(f'name="{seen.FIELD}" value="([^"]*)"', page.text)[1])


def test_a_local_group_is_renamed_and_a_taken_name_is_told_at_its_field(owner, local):
    assert owner.send("/groups/new", "/groups/new", {"name": "Taken"}).status_code == 303
    at = f"{local}/rename"
    for name, status in (("taken", 409), (" ", 400)):
        refused = owner.send(at, at, {"name": name})
        assert (refused.status_code, 'id="name-error"' in refused.text) == (status, True)
    assert owner.send(at, at, {"name": "Examiners"}).status_code == 303
    assert "<h1>Examiners</h1>" in owner.get(local).text


def test_people_are_put_in_and_taken_out_once_it_was_shown_what_that_gives(owner, idp, local, new_admin):
    for name in ("ada", "bob"):
        idp.create_user(f"{name}@corp.example", displayName=name.capitalize())
    permissions = {"permissions": [{"roleId": "source-admin", "resources": [{"type": "WORKSPACE"}]}]}
    assert new_admin(idp.workspace.slug).request("POST", f"{local}/permissions", permissions).status_code == 200
    at, sent = f"{local}/members", {"which": "in", "emails": "ada@corp.example\nBOB@corp.example"}
    asked = owner.send(at, at, sent)
    assert ("2 people would gain something" in owner.numbers(asked).text, people(owner, local)) == (True, [])
    assert owner.send(at, at, sent | {"sure": "yes"}).status_code == 303
    assert people(owner, local) == ["Ada", "Bob"]
    out = {"which": "out", "emails": "ada@corp.example"}
    assert "1 person would lose something" in owner.numbers(owner.send(at, at, out)).text
    assert owner.send(f"{at}?which=out", at, out | {"sure": "yes"}).status_code == 303
    assert people(owner, local) == ["Bob"]
    for wrong in ("nobody@corp.example", ""):
        refused = owner.send(at, at, {"which": "in", "emails": wrong, "sure": "yes"})
        assert (refused.status_code, 'id="emails-error"' in refused.text) == (400, True)
    assert people(owner, local) == ["Bob"]


@pytest.mark.parametrize("below", ["rename", "members", "delete"])
def test_a_linked_group_is_its_identity_providers_and_the_page_says_so(owner, idp, below):
    at = f"/groups/{idp.create_group('Engineering')['id']}/{below}"
    for answer in (owner.get(at), owner.send("/groups/new", at, {"name": "Mine", "which": "in", "emails": "x@y.z"})):
        assert (answer.status_code, "The connection idp pushes this group" in answer.text) == (409, True)


def test_a_form_of_a_group_that_has_changed_meanwhile_says_what_and_changes_nothing(owner, idp, local):
    idp.create_user("ada@corp.example", displayName="Ada")
    at = f"{local}/members"
    old = {"seen": kept(owner.get(f"{local}/rename"))}
    sure = {"which": "in", "emails": "ada@corp.example", "sure": "yes"}
    assert owner.send(f"{local}/rename", f"{local}/rename", {"name": "Examiners"}).status_code == 303
    for path, sent in (
        (f"{local}/rename", {"name": "Mine"}),
        (at, sure),
        (at, sure | {"sure": ""}),
        (f"{local}/delete", {}),
    ):
        refused = owner.send(f"{local}/rename", path, sent | old)
        assert (refused.status_code, "name is Examiners now" in refused.text) == (412, True), path
    assert (people(owner, local), "<h1>Examiners</h1>" in owner.get(local).text) == ([], True)
    again = owner.send(f"{local}/rename", f"{local}/rename", {"name": "Mine"} | old)
    assert owner.send(f"{local}/rename", f"{local}/rename", {"name": "Mine", "seen": kept(again)}).status_code == 303
    old = {"seen": kept(owner.get(f"{local}/delete"))}
    assert owner.send(at, at, sure).status_code == 303
    refused = owner.send(at, f"{local}/delete", old)
    assert (refused.status_code, "who is in it has changed" in refused.text) == (412, True)


def test_a_group_that_is_pushed_anew_meanwhile_is_not_detached(owner, idp):
    ada = idp.create_user("ada@corp.example")["id"]
    group = idp.create_group("Engineering")["id"]
    at = f"/groups/{group}/detach"
    old = {"seen": kept(owner.get(at))}
    assert idp.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": ada}]}).ok
    assert owner.send(at, at, old).status_code == 412
    assert owner.send(at, at).status_code == 303


def test_a_form_about_a_person_who_has_changed_meanwhile_says_what_and_changes_nothing(owner, idp):
    ada = idp.create_user("ada@corp.example", displayName="Ada")["id"]
    page = f"/people/{ada}"
    old = {"seen": kept(owner.get(f"{page}/remove"))}
    assert owner.send(page, f"{page}/protected", {"protected": "yes"}).status_code == 303
    refused = owner.send(page, f"{page}/remove", old)
    assert (refused.status_code, "reach is protected now" in refused.text) == (412, True)
    assert owner.send(page, f"{page}/protected", {"protected": "no"} | old).status_code == 412
    assert ">protected<" in owner.get(page).text
    assert owner.send(page, f"{page}/protected", {"protected": "no", "seen": "{"}).status_code == 412
    assert owner.send(page, f"{page}/protected", {"protected": "no"}).status_code == 303
