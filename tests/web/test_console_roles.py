"""The console's roles: what there is, composing one, changing it with a preview, and who has it."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from tests.console import Visitor, member_of, owner_of
from tests.statements import counted

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_OWN = {"key": "reader", "name": "Reader", "description": "Reads."}


@pytest.fixture
def owner(idp):
    return owner_of(idp)


def names(who: Visitor, query: str = "") -> list[str]:
    return re.findall(r'<th scope="row" data-label="Name"><a [^>]*>([^<]+)</a>', who.get(f"/roles{query}").text)


def create(who: Visitor, action: str = "source.read", **fields: str):
    return who.send("/roles/-/new", "/roles/-/new", {**_OWN, "action": action, **fields})


def change(who: Visitor, seen: str, do: str, *actions: str):
    sent = {**_OWN, "seen": html.unescape(seen), "do": do, "form_token": who.token("/roles/reader/edit")}
    told = [*sent.items(), *(("action", action) for action in actions)]
    return who.open(who.address("/roles/reader/edit"), "POST", data=told, headers={"Sec-Fetch-Site": "same-origin"})


def seen_by(who: Visitor) -> str:
    return dict(_HIDDEN.findall(who.get("/roles/reader/edit").text))["seen"]


def give(who: Visitor, group: str) -> None:
    sent = {"means": "group", "group": group, "role-0": "reader", "on-0": "all", "do": "save"}
    assert who.send("/mappings/new", "/mappings/new", sent).status_code == 303


def test_roles_are_searched_narrowed_and_taken_away(owner):
    assert create(owner).status_code == 303
    assert names(owner, "?kind=own") == names(owner, "?q=READER") == ["Reader"]
    assert ("Reader" in names(owner), "Source Admin" in names(owner), "Reader" in names(owner, "?kind=built-in")) == (
        *(True, True, False),
    )
    assert names(owner, "?sort=-name") == names(owner)[::-1]
    (row,) = csv.DictReader(io.StringIO(owner.get("/roles/export.csv?kind=own").text))
    assert (row["id"], row["actions"], row["types"]) == ("reader", "source.read", "source")
    told = owner.get("/roles/source-admin").text
    assert ("<code>source.update</code>" in told, "/roles/source-admin/edit" in told) == (True, False)
    assert owner.get("/roles/none").status_code == owner.get("/roles/source-admin/edit").status_code == 404


def test_what_is_wrong_with_a_role_is_told_beside_its_field(owner):
    assert create(owner).status_code == 303
    for fields, field in (({}, "key"), ({"key": "No!"}, "key"), ({"key": "b", "name": " "}, "name")):
        answer = create(owner, **fields)
        assert answer.status_code in {400, 409}
        assert f'id="{field}-error"' in answer.text
    answer = create(owner, key="other", action="nonsense.do")
    assert (answer.status_code, '<p class="error">' in answer.text, 'value="other"' in answer.text) == (400, True, True)
    assert names(owner, "?kind=own") == ["Reader"]


def test_a_role_is_changed_once_it_is_said_whom_that_concerns(owner, idp):
    ada = idp.create_user("ada@corp.example", displayName="Ada")["id"]
    idp.create_group("R&D", ada)
    create(owner)
    give(owner, "R&D")
    seen = seen_by(owner)
    asked = change(owner, seen, "preview", "destination.read")
    told = owner.numbers(asked).text
    assert ("It changes what 1 person may do" in told, "Ada" in told) == (True, True)
    assert re.search(
        r"would allow <code>destination.read</code>.*no longer allow <code>source.read</code>", asked.text, re.DOTALL
    )
    assert "destination.read" not in owner.get("/roles/reader").text
    assert change(owner, seen, "save", "destination.read").status_code == 303
    assert "<code>destination.read</code>" in owner.get("/roles/reader").text
    stale = change(owner, seen, "save", "source.read")
    assert (stale.status_code, "it allows destination.read now" in stale.text) == (412, True)


def test_who_has_a_role_is_told_and_what_gives_it_keeps_it(owner, idp):
    ada = idp.create_user("ada@corp.example", displayName="Ada")["id"]
    idp.create_group("R&D", ada)
    create(owner)
    assert "Nobody has it" in owner.get("/roles/reader/people").text
    give(owner, "R&D")
    told = owner.get("/roles/reader/people").text
    assert ("Ada" in told, "The mapping R&amp;D, through the group R&amp;D" in told) == (True, True)
    page = owner.get("/roles/reader").text
    assert ("1 mapping" in page, ">R&amp;D</a>" in page) == (True, True)
    assert "1 policy gives it" in owner.get("/roles/reader/delete").text
    assert owner.send("/roles/-/new", "/roles/reader/delete").status_code == 409
    (mapping,) = set(re.findall(r"/mappings/[0-9a-f-]{36}", page))
    asked = owner.get(f"{mapping}/delete").text
    gone = {name: html.unescape(value) for name, value in _HIDDEN.findall(asked)}
    assert owner.send(f"{mapping}/delete", f"{mapping}/delete", {"seen": gone["seen"]}).status_code == 303
    assert owner.send("/roles/reader/delete", "/roles/reader/delete").status_code == 303
    assert names(owner, "?kind=own") == []


def test_who_may_only_read_roles_sees_no_more_of_them(owner, idp):
    create(owner)
    reader = member_of(idp, "role.read", name="other")
    page = reader.get("/roles/reader").text
    assert ("<code>source.read</code>" in page, "What gives it" in page, "Who has it" in page) == (True, False, False)
    assert "New role" not in reader.get("/roles").text


@pytest.mark.parametrize(
    ("path", "count"), [("/roles", 4), ("/roles/source-admin", 7), ("/roles/source-admin/people", 10)]
)
def test_what_pages_cost(app, owner, path, count):
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        assert client.get(owner.address(path), headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
