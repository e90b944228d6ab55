"""What a change would do is told after the question, at an address of its own, and nothing is done by asking."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import uuid4

import pytest
import requests
from sqlalchemy import text

from provisioning.access import resources
from provisioning.access.resources import Registration
from provisioning.database import reading, transaction
from provisioning.web.errors import rendered
from provisioning.web.failure import Failure
from tests.conftest import TEST
from tests.console import Visitor, member_of, owner_of
from tests.sessions.playing import grow_older
from tests.statements import counted

_MAPPING = {"means": "group", "group": "R&D", "role-0": "source-admin", "on-0": "all"}
_ROLE = {"key": "reader", "name": "Reader", "description": "Reads.", "action": "source.read"}
# All that says yes to one question or another.
_YES = (("do", "save"), ("sure", "yes"), ("yes", "yes"))
# These are asked of what waits, which tests of theirs bring about.
_ELSEWHERE = {"mappings.rebind", "mappings.proposal", "connections.confirm_settle"}


@pytest.fixture
def owner(idp):
    return owner_of(idp)


@pytest.fixture
def group(idp):
    """A pushed group with somebody in it."""
    return idp.create_group("R&D", idp.create_user("ada@corp.example", displayName="Ada")["id"])["id"]


def made(owner: Visitor, page: str, sent: Mapping[str, str]) -> str:
    """The page of what a form has made."""
    answer = owner.send(page, page, dict(sent))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix(owner.address(""))


@pytest.fixture
def mapping(owner, group):
    """A mapping that gives the group a role."""
    del group
    return made(owner, "/mappings/new", _MAPPING | {"do": "save"})


@pytest.fixture
def questions(owner, idp, group, mapping) -> Mapping[str, Callable[[], requests.Response]]:
    """How each question is asked, by its view."""
    local, role = made(owner, "/groups/new", {"name": "Auditors"}), made(owner, "/roles/-/new", _ROLE)
    with transaction() as database:
        told = [Registration("source", "shop", "Shop", ("environment:prod",))]
        resources.register(database, workspace_id=idp.workspace.id, resources=told, by=TEST)

    def get(path: str) -> Callable[[], requests.Response]:
        return lambda: owner.get(path)

    def post(path: str, page: str | None = None, **sent: str) -> Callable[[], requests.Response]:
        return lambda: owner.send(page or path, path, sent)

    preview, taken = {"do": "preview"}, {"label": "environment:prod", "do": "take"}
    return {
        "mappings.create": post("/mappings/new", **_MAPPING, **preview),
        "mappings.change": post(f"{mapping}/edit", **_MAPPING, **preview, name="Other"),
        "mappings.confirm_switch": get(f"{mapping}/switch"),
        "mappings.confirm_delete": get(f"{mapping}/delete"),
        "groups.confirm_detach": get(f"/groups/{group}/detach"),
        "groups.confirm_delete": get(f"{local}/delete"),
        "groups.change_people": post(f"{local}/members", which="in", emails="ada@corp.example"),
        "roles.change": post(f"{role}/edit", **_ROLE | {"action": "destination.read"}, **preview),
        "resources.remove": post("/resources/remove", lines="source:shop"),
        "resources.label": post("/resources/label", "/resources/add", resource="source:shop", **taken),
    }


def facts(idp) -> int:
    """How much has happened in the workspace."""
    with reading() as database:
        counting = text("SELECT count(*) FROM event WHERE workspace_id = :of")
        return database.execute(counting, {"of": idp.workspace.id}).scalar_one()


def test_a_question_is_told_at_once_and_its_numbers_change_nothing_whatever_is_sent_along(app, owner, idp, questions):
    counting = [rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.endswith("/numbers")]
    named = {endpoint.removeprefix("console.").removesuffix("_numbers") for endpoint in counting}
    assert named == questions.keys() | _ELSEWHERE
    before = facts(idp)
    for name, ask in questions.items():
        asked = ask()
        assert (asked.status_code, "Counting who would gain" in asked.text) == (200, True), name
        assert not re.search("would (gain|lose) something|gains or loses anything|may do", asked.text), name
        told = owner.numbers(asked, *_YES)
        assert told.status_code == 200, name
        assert re.search("would (gain|lose) something|gains or loses anything|may do", told.text), name
        yes = r'<button[^>]* aria-describedby="numbers-said">'
        assert (len(re.findall(yes, asked.text)), len(re.findall(yes, told.text))) == (0, 1), name
    assert facts(idp) == before


def test_what_a_question_costs_does_not_grow_with_the_people(app, owner, mapping):
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        assert client.get(owner.address(f"{mapping}/delete"), headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == 7, statements
    assert not any("access_line" in statement for statement in statements)


def test_without_a_script_the_numbers_are_a_page_whose_button_does_it(owner, mapping):
    asked = owner.get(f"{mapping}/delete")
    assert f'formaction="{owner.address(mapping)}/delete/numbers">Count it</button>' in asked.text
    told = owner.numbers(asked, script=False)
    assert ("<h1>Delete R&amp;D?</h1>" in told.text, "1 person would lose something" in told.text) == (True, True)
    (action,) = re.findall(r'<form method="post" action="([^"]+)" class="foreseen">', told.text)
    assert action == owner.address(f"{mapping}/delete")
    assert owner.send(f"{mapping}/delete", f"{mapping}/delete").status_code == 303


def test_numbers_that_are_refused_say_so_in_their_place_and_without_a_script_on_a_page(owner, idp, group, mapping):
    asked = owner.get(f"/groups/{group}/detach")
    renamed = {"op": "replace", "path": "displayName", "value": "Research"}
    assert idp.patch(f"/Groups/{group}", renamed).status_code == 200
    stale = owner.numbers(asked)
    assert (stale.status_code, "name is Research now" in stale.text) == (412, True)
    assert stale.text.strip().startswith('<div id="numbers">'), "no page around it"
    assert ("HX-Refresh" in stale.headers, "<button" in stale.text) == (False, False)
    page = owner.numbers(asked, script=False)
    assert (page.status_code, "name is Research now" in page.text, "<title>" in page.text) == (412, True, True)
    asked = owner.get(f"{mapping}/delete")
    assert owner.send(f"{mapping}/delete", f"{mapping}/delete").status_code == 303
    assert owner.numbers(asked).status_code == 404


def test_who_lost_their_access_or_session_meanwhile_is_told_that_in_place_of_the_numbers(owner, idp, mapping):
    refused = member_of(idp).post(f"{mapping}/delete/numbers", **{"HX-Request": "true"})
    assert (refused.status_code, "<code>mapping.delete</code>" in refused.text) == (403, True)
    asked = owner.get(f"{mapping}/delete")
    grow_older([owner.session.digest], timedelta(days=8))
    ended = owner.numbers(asked)
    assert (ended.status_code, 'href="/sign-in"' in ended.text) == (401, True)
    assert all(each.text.strip().startswith('<div id="numbers">') for each in (refused, ended))


@pytest.mark.parametrize(("status", "again"), [(409, False), (429, True), (503, True)])
def test_what_may_go_better_next_time_has_a_button_to_count_again(app, status, again):
    address = f"/console/w/groups/{uuid4()}/delete/numbers"
    with app.test_request_context(address, method="POST", headers={"HX-Request": "true"}):
        told = rendered(Failure(status, "code", "The sentence."), address)
    text_ = told.get_data(as_text=True)
    assert (told.status_code, "The sentence." in text_) == (status, True)
    assert (f'formaction="{address}"' in text_) == again
