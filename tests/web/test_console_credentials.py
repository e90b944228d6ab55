"""The console's pages about tokens, OAuth clients, sessions and settings: within what one has, and in numbers."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta

import pytest
import requests

from provisioning.audit import trail
from provisioning.audit.reads import AnswerGiven
from provisioning.audit.trail import Narrowing
from provisioning.context import context
from provisioning.credentials import Kind, pattern
from provisioning.database import reading, transaction
from provisioning.directory import workspaces
from provisioning.directory.paging import Window
from provisioning.identities import domains
from provisioning.sessions import limits
from provisioning.tokens import standing
from tests.conftest import TEST
from tests.console import member_of, owner_of, visitor
from tests.sessions.playing import grow_older
from tests.statements import counted

_TOKEN, _SECRET = re.compile(pattern(Kind.API_TOKEN)), re.compile(pattern(Kind.CLIENT_SECRET))
_IN_ADDRESS = re.compile(r"/tokens/(?:clients/)?([0-9a-f-]{36})")


@pytest.fixture
def owner(idp):
    return owner_of(idp)


def asks(idp, token, path="/api/users"):
    return requests.get(f"{idp.base_url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code


def made(owner, **sent):
    """The text of a new token."""
    answer = owner.send("/tokens/new", "/tokens/new", {"name": "deploy", "role": "workspace-owner"} | sent)
    assert answer.status_code == 200
    return _TOKEN.search(answer.text)[0]


def test_a_token_is_made_shown_once_rotated_and_revoked(owner, idp):
    token = made(owner, days="30")
    shown = owner.get("/tokens")
    assert (asks(idp, token), token in shown.text, "deploy" in shown.text, "Owner</td>" in shown.text) == (
        *(200, False, True),
        True,
    )
    at = f"/tokens/{_IN_ADDRESS.search(shown.text)[1]}"
    rotated = _TOKEN.search(owner.send(f"{at}/rotate", f"{at}/rotate", {"overlap": "3600"}).text)[0]
    assert (asks(idp, token), asks(idp, rotated)) == (200, 200)
    rotated = _TOKEN.search(owner.send(f"{at}/rotate", f"{at}/rotate", {"overlap": "0", "days": "2"}).text)[0]
    assert (asks(idp, token), asks(idp, rotated)) == (401, 200)
    assert "1 token ends at once" in owner.get(f"{at}/revoke").text
    assert asks(idp, rotated) == 200, "asking changes nothing"
    assert owner.send(f"{at}/revoke", f"{at}/revoke").status_code == 303
    assert (asks(idp, rotated), "This token has ended already" in owner.get(f"{at}/revoke").text) == (401, True)


def test_tokens_are_searched_narrowed_sorted_and_taken_away_as_a_table(owner):
    for name, days in (("b", "9"), ("a", "5"), ("c%", "7")):
        made(owner, name=name, days=days)

    def names(query):
        return re.findall(r'data-label="Name">([^<]+)<', owner.get(f"/tokens?{query}").text)

    assert [names(query) for query in ("sort=name", "sort=-name", "sort=ends", "sort=-ends", "sort=-added")] == [
        *(["a", "b", "c%"], ["c%", "b", "a"], ["a", "c%", "b"], ["b", "c%", "a"], ["c%", "a", "b"])
    ]
    assert (names("q=%25"), names("state=ended"), names("state=live&q=A")) == (["c%"], [], ["a"])
    table = list(csv.DictReader(io.StringIO(owner.get("/tokens/export.csv?sort=-name").text)))
    assert [(row["name"], row["owner"]) for row in table] == [("c%", "Owner"), ("b", "Owner"), ("a", "Owner")]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        *(({"days": "9999"}, "days"), ({"days": "x"}, "days"), ({"name": ""}, "name"), ({"role": "none"}, "role")),
        *(({"ranges": "192.0.2.1/24"}, "ranges"), ({"labels": "env:no"}, "labels")),
    ],
)
def test_what_is_wrong_with_a_new_token_is_told_at_its_field_and_nothing_is_made(owner, sent, field):
    told = {"name": "kept", "role": "source-admin"} | sent
    refused = owner.send("/tokens/new", "/tokens/new", told)
    assert (refused.status_code, f'id="{field}-error"' in refused.text) == (400, True)
    assert _TOKEN.search(refused.text) is None
    assert "There are no API tokens yet" in owner.get("/tokens").text


def test_what_an_owner_is_shown_of_anothers_token_is_not_that_ones_word(owner, idp, app):
    other = owner_of(idp, name="other")
    made(owner)
    at = f"/tokens/{_IN_ADDRESS.search(owner.get('/tokens').text)[1]}"
    mine = _TOKEN.search(owner.send(f"{at}/rotate", f"{at}/rotate", {"overlap": "3600"}).text)[0]
    theirs = _TOKEN.search(other.send(f"{at}/rotate", f"{at}/rotate", {"overlap": "3600"}).text)[0]
    begun = visitor(idp, owner.email, reach_id=idp.workspace.id)
    by_program = made(begun, name="by a program's session")
    assert [in_person(each) for each in (mine, theirs, by_program)] == [True, False, False]


def in_person(text):
    digest = context().keyring.recognise(text, Kind.API_TOKEN)
    with reading() as database:
        return standing.live(database, digest).in_person


def test_a_client_gets_access_tokens_by_either_of_two_secrets(owner, idp):
    shown = owner.send("/tokens/clients/new", "/tokens/clients/new", {"name": "etl", "role": "workspace-owner"}).text
    first, client = _SECRET.search(shown)[0], _IN_ADDRESS.search(shown)[1]
    at = f"/tokens/clients/{client}"

    def access(secret):
        sent = {"grant_type": "client_credentials", "scope": "api"}
        return requests.post(f"{idp.base_url}/oauth/token", data=sent, auth=(client, secret), timeout=20)

    second = _SECRET.search(owner.send(at, f"{at}/secrets").text)[0]
    assert [access(each).status_code for each in (first, second)] == [200, 200]
    token = access(first).json()["access_token"]
    assert asks(idp, token) == 200
    (secret, _) = re.findall(r"/secrets/([0-9a-f-]{36})/remove", owner.get(at).text)
    remove = f"{at}/secrets/{secret}/remove"
    assert "keeps 1 other secret" in owner.get(remove).text
    assert owner.send(remove, remove).status_code == 303
    assert [access(each).status_code for each in (first, second)] == [401, 200]
    assert asks(idp, token) == 401
    table = list(csv.DictReader(io.StringIO(owner.get("/tokens/clients/export.csv?q=ET").text)))
    assert [(row["name"], row["stands"]) for row in table] == [("etl", "True")]
    assert owner.send(f"{at}/delete", f"{at}/delete").status_code == 303
    assert (owner.get(at).status_code, access(second).status_code) == (404, 401)


def test_a_refused_client_leaves_nothing(owner):
    refused = owner.send("/tokens/clients/new", "/tokens/clients/new", {"name": "etl", "role": "no-such"})
    assert (refused.status_code, 'id="role-error"' in refused.text) == (400, True)
    assert "There are no OAuth clients yet" in owner.get("/tokens/clients").text


def test_sessions_are_searched_by_person_and_ended_after_one_question(owner, idp):
    zoe = member_of(idp, name="zoe")
    assert re.findall(r"/sessions\">(\w+)</a>", owner.get("/sessions").text) == ["Zoe", "Owner"]
    assert re.findall(r"/sessions\">(\w+)</a>", owner.get("/sessions?sort=begun").text) == ["Owner", "Zoe"]
    found = owner.get("/sessions?q=ZO&state=open").text
    assert ("Zoe" in found, ">Owner</a>" in found, "1 session<" in found) == (True, False, True)
    end = re.search(r"/sessions/[0-9a-f-]{36}/end", found)[0]
    assert "End 1 session" in owner.get(end).text
    assert zoe.get().status_code == 200
    assert owner.send(end, end).status_code == 303
    assert (zoe.get().status_code, owner.get().status_code) == (401, 200)
    assert "Somebody ended the session." in owner.get("/sessions?q=zo&state=ended").text
    assert "This session has ended already" in owner.get(end).text
    table = list(csv.DictReader(io.StringIO(owner.get("/sessions/export.csv?q=zo").text)))
    assert [(row["person"], row["open"], row["reason"]) for row in table] == [("Zoe", "False", "revoked")]


def test_a_session_of_another_workspace_is_not_found(owner, new_idp):
    other = owner_of(new_idp())
    end = re.search(r"/sessions/[0-9a-f-]{36}/end", other.get("/sessions").text)[0]
    assert (owner.get(end).status_code, other.get(end).status_code) == (404, 200)
    assert owner.send("/connections/new", end).status_code == 404
    assert other.get().status_code == 200


def test_who_looks_at_sessions_of_a_hipaa_eligible_workspace_is_in_its_trail(new_idp):
    idp = new_idp(hipaa=True)
    owner = owner_of(idp)
    for path in ("/sessions?q=own", "/sessions/export.csv"):
        assert owner.get(path).status_code == 200
    with reading() as database:
        told = trail.some(database, workspace_id=idp.workspace.id, narrowing=Narrowing(), window=Window(50)).items
    assert [entry.name for entry in told].count(AnswerGiven.name) == 2


def test_shorter_limits_are_set_after_it_is_said_how_many_sessions_end(owner, idp):
    zoe = member_of(idp, name="zoe")
    grow_older([zoe.session.digest], timedelta(minutes=20))
    at = "/settings/sessions"
    asked = owner.send(at, at, {"idle": "15", "absolute": ""})
    assert ("1 session would end at once." in asked.text, zoe.get().status_code) == (True, 200)
    grow_older([zoe.session.digest], timedelta(minutes=20))
    said = {"sure": re.search(r'name="sure" value="([^"]+)"', asked.text)[1]}
    another = owner.send(at, at, {"idle": "1", "absolute": ""} | said)
    assert (another.status_code, "would end at once" in another.text) == (200, True), "a yes to something else"
    assert owner.send(at, at, {"idle": "15", "absolute": ""} | said).status_code == 303
    assert (zoe.get().status_code, "15 minutes" in owner.get("/settings").text) == (401, True)
    for sent in ({"idle": "999999"}, {"idle": "x"}, {"absolute": "99999999"}):
        refused = owner.send(at, at, sent | {"sure": "yes"})
        (field,) = sent
        assert (refused.status_code, f'id="{field}-error"' in refused.text) == (400, True), sent
    with reading() as database:
        assert limits.of_workspace(database, workspace_id=idp.workspace.id) == limits.OwnLimits(900, None)


def test_a_maximum_of_tokens_is_set_after_it_is_said_how_many_end_earlier(owner, idp):
    made(owner, days="90")
    at = "/settings/tokens"
    asked = owner.send(at, at, {"longest": "30"})
    assert "1 token would end earlier" in asked.text
    with reading() as database:
        assert workspaces.longest_token(database, workspace_id=idp.workspace.id) is None, "asking changes nothing"
    said = {"sure": re.search(r'name="sure" value="([^"]+)"', asked.text)[1]}
    assert owner.send(at, at, {"longest": "1"} | said).status_code == 200, "a yes to something else"
    assert owner.send(at, at, {"longest": "30"} | said).status_code == 303
    assert "30 days" in owner.get("/settings").text
    assert "At the most 30." in owner.get("/tokens/new").text
    for wrong in ("0", "-1", "x", "1" * 13):
        refused = owner.send(at, at, {"longest": wrong, "sure": "yes"})
        assert (refused.status_code, 'id="longest-error"' in refused.text) == (400, True), wrong


def test_settings_show_what_is_the_operators_as_such(owner, idp):
    with transaction() as database:
        where = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id}
        domains.set_(database, domains=["corp.example"], by=TEST, **where)
    page = html.unescape(owner.get("/settings").text)
    assert "<strong>corp.example</strong> leads to idp" in page
    assert f"provisioning workspace set-hipaa {idp.workspace.slug} on" in page
    assert "not HIPAA-eligible" in page
    member = member_of(idp, name="zoe").get("/settings")
    assert member.status_code == 200
    for part in ("corp.example", '<h2 id="sessions">', '<h2 id="tokens">', '<h2 id="audit">'):
        assert (part in page, part in member.text) == (True, False), part


@pytest.mark.parametrize(
    ("path", "count"),
    [
        *(("/tokens", 7), ("/tokens/clients", 7), ("/tokens/new", 5), ("/sessions", 6), ("/sessions?q=a", 6)),
        *(("/settings", 8), ("/settings/sessions", 4)),
    ],
)
def test_what_these_pages_cost(app, owner, path, count):
    client = app.test_client(use_cookies=False)
    with counted() as statements:
        assert client.get(owner.address(path), headers={"Cookie": owner.cookie}).status_code == 200
    assert len(statements) == count, statements
