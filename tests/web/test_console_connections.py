"""The console's pages about connections: setting one up, keeping it in hand, and what it did."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
import requests

from provisioning.credentials import Kind, pattern
from provisioning.database import reading
from provisioning.directory import connections
from tests.console import owner_of
from tests.statements import counted
from tests.waiting import eventually

_SECRET = re.compile(f"{pattern(Kind.CONNECTION)}|{pattern(Kind.CLIENT_SECRET)}")
_ID = re.compile(r"/connections/([0-9a-f-]{36})")


@pytest.fixture
def owner(idp):
    return owner_of(idp)


@pytest.fixture
def page(idp):
    return f"/connections/{idp.connection.id}"


def asks(idp, token, path="/Users"):
    """The status of what an identity provider asks with a token."""
    address = f"{idp.base_url}/scim/v2{path}"
    return requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code


def test_a_connection_is_made_and_its_token_is_shown_this_once(owner, idp):
    made = owner.send("/connections/new", "/connections/new", {"name": "Entra", "dialect": "entra"})
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    token, connection = _SECRET.search(made.text)[0], _ID.search(made.text)[1]
    assert f"{idp.base_url}/scim/v2" in made.text
    assert "map objectId to externalId" in made.text
    again = owner.get(f"/connections/{connection}/setup")
    assert (_SECRET.search(again.text), "It was shown once." in again.text) == (None, True)
    assert asks(idp, token) == 200
    check = f"/connections/{connection}/check"
    eventually(lambda: '<li class="done"><strong>Credential seen' in owner.get(check).text)
    assert '<li class="waiting"><strong>First person' in owner.get(check).text
    history = owner.get("/connections").text
    assert ("Entra" in history, "Microsoft Entra ID" in history) == (True, True)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"name": " ", "dialect": "okta"}, 400, "A name has 1 to 200 characters."),
        ({"name": "idp", "dialect": "okta"}, 409, "has a connection called idp already"),
        ({"name": "x", "dialect": "nobody"}, 400, "A dialect is one of"),
    ],
)
def test_what_is_wrong_with_a_new_connection_is_told_at_its_field(owner, sent, status, said):
    refused = owner.send("/connections/new", "/connections/new", sent)
    assert (refused.status_code, said in html.unescape(refused.text)) == (status, True)
    assert 'class="error"' in refused.text
    assert "1 connection<" in owner.get("/connections").text


def test_two_tokens_are_valid_at_once_until_the_overlap_is_over(owner, idp, page):
    former = idp.token
    new = _SECRET.search(owner.send(f"{page}/rotate", f"{page}/rotate", {"overlap": "3600"}).text)[0]
    assert (asks(idp, former), asks(idp, new)) == (200, 200)
    assert owner.get(page).text.count('data-label="Made"') == 2
    newest = _SECRET.search(owner.send(f"{page}/rotate", f"{page}/rotate", {"overlap": "0"}).text)[0]
    assert (asks(idp, former), asks(idp, new), asks(idp, newest)) == (401, 401, 200)
    assert owner.send(f"{page}/rotate", f"{page}/rotate", {"overlap": "1e9"}).status_code == 400


def test_a_client_secret_gets_access_tokens(owner, idp, page):
    shown = owner.send(f"{page}/secret", f"{page}/secret").text
    sent = {"grant_type": "client_credentials"}
    who = (str(idp.connection.id), _SECRET.search(shown)[0])
    answer = requests.post(f"{idp.base_url}/oauth/token", data=sent, auth=who, timeout=20)
    assert asks(idp, answer.json()["access_token"]) == 200


def test_a_connection_is_paused_after_a_question_and_resumed(owner, idp, page):
    assert "is put off with 503" in owner.get(f"{page}/pause").text
    assert owner.send(f"{page}/pause", f"{page}/pause").status_code == 303
    assert (asks(idp, idp.token), ">paused<" in owner.get("/connections").text) == (503, True)
    assert owner.send(page, f"{page}/resume").status_code == 303
    assert asks(idp, idp.token) == 200


def test_settings_are_set_whole_and_a_wrong_one_changes_nothing(owner, idp, page):
    sent = {"dialect": "entra", "requests_per_minute": "600", "alarm_percent": "7", "holds_mass_changes": "yes"}
    settings = f"{page}/settings"
    assert owner.send(settings, settings, sent).status_code == 303
    with reading() as database:
        of = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id}
        found = connections.by_id(database, **of)
    told = (found.dialect, found.requests_per_minute, found.alarm_percent, found.holds_mass_changes)
    assert (*told, found.awaits_members, found.dry_run) == ("entra", 600, 7, True, False, False)
    for name, value in (("alarm_percent", "0"), ("alarm_percent", "many"), ("requests_per_minute", "-1")):
        refused = owner.send(settings, settings, sent | {name: value, "dialect": "okta"})
        assert (refused.status_code, f'id="{name}-error"' in refused.text) == (400, True), (name, value)
    with reading() as database:
        assert connections.by_id(database, **of) == found


def held_changes(owner, idp, page):
    """Ten people, of whom a connection that holds too much at once would suspend all."""
    ids = [idp.create_user(f"p{number}@corp.example", displayName=f"Person {number}")["id"] for number in range(11)]
    sent = {"dialect": "okta", "alarm_percent": "1", "holds_mass_changes": "yes", "awaits_members": "yes"}
    assert owner.send(f"{page}/settings", f"{page}/settings", sent).status_code == 303
    off = {"op": "replace", "path": "active", "value": False}
    return [idp.patch(f"/Users/{one}", off).status_code for one in ids]


def test_held_changes_are_shown_with_the_people_and_done_or_dropped(owner, idp, page):
    assert held_changes(owner, idp, page).count(403) == 2
    shown = owner.get(f"{page}/held").text
    assert ("Person 9" in shown, "Person 10" in shown, "2 changes asked for" in shown) == (True, True, True)
    assert "2 changes held" in owner.get(page).text
    asked = owner.get(f"{page}/held/settle")
    told = owner.numbers(asked).text
    assert ("Do 2 held changes?" in asked.text, "2 people would lose something" in told) == (True, True)
    assert "2 changes asked for" in owner.get(f"{page}/held").text, "asking changes nothing"
    drop = f"{page}/held/settle?drop=yes"
    assert "Nobody loses anything now." in owner.get(drop).text
    assert owner.send(drop, f"{page}/held/settle", {"drop": "yes"}).status_code == 303
    assert idp.find("/Users", 'userName eq "p10@corp.example"')[0]["active"] is True
    off = {"op": "replace", "path": "active", "value": False}
    (found,) = idp.find("/Users", 'userName eq "p10@corp.example"')
    assert idp.patch(f"/Users/{found['id']}", off).status_code == 403
    assert owner.send(f"{page}/held/settle", f"{page}/held/settle").status_code == 303
    assert idp.find("/Users", 'userName eq "p10@corp.example"')[0]["active"] is False
    assert "Nothing is held" in owner.get(f"{page}/held").text
    late = owner.numbers(asked)
    assert (late.status_code, "Nothing is held any more." in late.text) == (409, True)


def test_the_log_tells_what_was_before_and_after_and_only_errors_where_asked(owner, idp, page):
    ada = idp.create_user("ada@corp.example", displayName="Ada <b>")
    idp.patch(f"/Users/{ada['id']}", {"op": "replace", "path": "title", "value": "Countess"})
    assert idp.request("GET", "/Users/none").status_code == 404
    errors = f"{page}/log?only=errors"
    eventually(lambda: "/Users/none" in owner.get(errors).text)
    assert "PATCH" not in owner.get(errors).text
    told = str(eventually(lambda: re.search("(?s).*Countess.*", owner.get(f"{page}/log?q=countess").text))[0])
    assert re.search(r"title</code></th><td data-label=\"Before\"><span class=\"soft\">nothing</span></td>", told)
    assert ('<td data-label="After">Countess</td>' in told, "Ada <b>" in told) == (True, False)
    table = list(csv.DictReader(io.StringIO(owner.get(f"{page}/log/export.csv?only=errors").text)))
    assert [row["status"] for row in table] == ["404"]


def test_a_long_log_is_walked_into_the_past(owner, idp, page):
    for number in range(60):
        assert asks(idp, idp.token, f"/Users/{number}") == 404
    eventually(lambda: owner.get(f"{page}/log/export.csv").text.count("/Users/") == 60)  # each process writes its own
    first = owner.get(f"{page}/log")
    older = re.search(r'rel="next" href="([^"]+)"', first.text)[1].replace("&amp;", "&")
    second = owner.open(older).text
    assert ("/Users/9<" in second, "/Users/10<" in second, 'rel="next"' in second) == (True, False, False)


def test_sign_in_is_set_shown_and_removed(owner, idp, page):
    settings = f"{page}/sign-in/settings"
    assert "Nobody signs in through it yet" in owner.get(f"{page}/sign-in").text
    wrong = owner.send(settings, settings, {"issuer": "http://10.0.0.1", "client_id": "us", "external_id_claim": "sub"})
    assert (wrong.status_code, 'id="issuer-error"' in wrong.text) == (400, True)
    sent = {"issuer": "https://login.example.com", "client_id": "us", "external_id_claim": "email"}
    wrong = owner.send(settings, settings, sent)
    assert (wrong.status_code, 'id="external_id_claim-error"' in wrong.text) == (400, True)
    sent |= {"external_id_claim": "sub", "client_secret": "a-secret-of-theirs", "max_age": "3600"}
    assert owner.send(settings, settings, sent).status_code == 303
    shown = owner.get(f"{page}/sign-in").text
    assert ("https://login.example.com" in shown, "3\N{NARROW NO-BREAK SPACE}600 seconds ago" in shown) == (True, True)
    assert "a-secret-of-theirs" not in shown + owner.get(settings).text
    assert "Only the operator of this service can change it" in shown
    remove = f"{page}/sign-in/remove"
    assert "0 sessions that began through it" in owner.get(remove).text
    assert owner.send(remove, remove).status_code == 303
    assert "Nobody signs in through it yet" in owner.get(f"{page}/sign-in").text


def test_what_connections_did_is_drawn_by_the_hour_and_by_the_day(owner, idp):
    assert idp.request("GET", "/Users/none").status_code == 404
    eventually(lambda: "1 error<" in owner.get().text)
    day, week = owner.get().text, owner.get("?chart=week").text
    assert (day.count("<g>"), week.count("<g>")) == (24, 7)
    assert re.search(r'<rect class="bad"[^>]* height="[1-9]', day)
    assert re.search(r'<td data-label="Errors" class="right">1</td>', week)


def test_names_are_text_on_every_page_of_a_connection(owner, idp):
    hostile = '<img src=x onerror=alert(1)>"'
    made = owner.send("/connections/new", "/connections/new", {"name": hostile, "dialect": "other"})
    at = f"/connections/{_ID.search(made.text)[1]}"
    below = ("", "/setup", "/log", "/held", "/held/settle", "/sign-in", "/settings", "/pause", "/rotate", "/secret")
    for path in ("/connections", *(f"{at}{each}" for each in below)):
        assert "<img" not in owner.get(path).text, path


@pytest.mark.parametrize(
    ("below", "count"),
    [("", 10), ("/setup", 8), ("/check", 8), ("/log", 5), ("/held", 6), ("/sign-in", 6), ("/settings", 4)],
)
def test_what_pages_of_a_connection_cost(app, owner, page, below, count):
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        assert client.get(owner.address(page + below), headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
