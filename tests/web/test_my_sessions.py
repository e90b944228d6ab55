"""A person's own sessions, what a sign-in ends, and the text that is replaced when privileges change."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from sqlalchemy import Text, select, update

from provisioning.database import reading, transaction
from provisioning.directory import owners, roster
from provisioning.outbox import Event
from provisioning.sessions.models import Session
from provisioning.web.guard import _GUARD
from tests.conftest import TEST
from tests.sessions.playing import begin, judge

COOKIE = "__Host-session"


@pytest.fixture
def email(idp, facts_of) -> str:
    found = f"owner@{idp.workspace.slug}.example"
    facts_of("member", "add", found, "--workspace", idp.workspace.slug)
    return found


class Browser:
    """Keeps one cookie, as a browser does; `requests` doesn't send secure ones to plain addresses."""

    def __init__(self, base_url: str, agent: str = "Browser/1") -> None:
        self.base_url, self.agent, self.text = base_url, agent, ""

    def ask(self, method: str, path: str, text: str | None = None, **kwargs) -> requests.Response:
        headers = {"User-Agent": self.agent, "Cookie": f"{COOKIE}={text or self.text}"} | kwargs.pop("headers", {})
        answer = requests.request(
            method, f"{self.base_url}{path}", headers=headers, timeout=20, allow_redirects=False, **kwargs
        )
        for line in answer.headers.get("Set-Cookie", "").split(", "):
            if text is None and line.startswith(f"{COOKIE}="):
                self.text = line.partition("=")[2].partition(";")[0]
        return answer


@pytest.fixture
def browser(service, facts_of, email):
    """Signs the person in with a new browser, or with one that they have."""

    def sign_in(used: Browser | None = None, whose: str = email) -> Browser:
        used = used or Browser(service.base_url)
        secret = facts_of("sign-in-link", whose)["url"].partition("#")[2]
        assert used.ask("POST", "/sign-in/link", data={"secret": secret}).status_code == 303
        return used

    return sign_in


def own_id(browser: Browser) -> str:
    page = browser.ask("GET", "/sign-in/sessions").text
    section = next(part for part in page.split("<section>") if "this session" in part)
    return section.partition("/sign-in/sessions/")[2].partition("/")[0]


def test_people_see_where_they_are_signed_in_and_which_session_this_is(browser, email, service, new_idp):
    elsewhere = new_idp()
    elsewhere.create_user(f"x.{email}")
    first, second = browser(), browser(Browser(service.base_url, "Other <b>2</b>"))
    browser(Browser(service.base_url, "Not mine"), f"x.{email}")
    page = first.ask("GET", "/sign-in/sessions")
    assert page.status_code == 200
    assert (page.text.count("<section>"), page.text.count("this session")) == (2, 1)
    assert "Browser/1" in page.text
    assert "Other &lt;b&gt;2&lt;/b&gt;" in page.text
    assert "127.0.0.1" in page.text
    assert "Not mine" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "Cookie" in page.headers["Vary"]
    assert own_id(first) != own_id(second)


def test_people_end_one_session_and_it_is_refused_at_once(browser):
    here, there = browser(), browser()
    answer = here.ask("POST", f"/sign-in/sessions/{own_id(there)}/end")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/sessions")
    refused = there.ask("GET", "/console/")
    assert (refused.status_code, "You signed out" in refused.text) == (401, True)
    assert here.ask("GET", "/console/").status_code == 200


def test_people_sign_out_everywhere_and_sign_in_again(browser):
    here, there = browser(), browser()
    answer = here.ask("POST", "/sign-in/sessions/end-all")
    assert (answer.headers["Location"], here.text) == ("/sign-in", "")
    assert there.ask("GET", "/console/").status_code == 401
    assert browser().ask("GET", "/console/").status_code == 200


def test_signing_out_is_not_for_the_browser_alone(browser):
    mine = browser()
    kept = mine.text
    mine.ask("POST", "/sign-in/out")
    assert mine.text == ""
    assert mine.ask("GET", "/console/", kept).status_code == 401


def test_every_page_for_people_who_are_signed_in_offers_to_sign_out(browser, app):
    mine = browser()
    pages = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and getattr(app.view_functions[rule.endpoint], _GUARD, None) == "session"
    ]
    assert {"/console", "/sign-in/sessions"} <= set(pages)
    for page in pages:
        assert "Sign out" in mine.ask("GET", page).text, page


@pytest.mark.parametrize("path", ["{own}/end", "end-all"])
def test_a_form_from_another_site_ends_no_session(browser, path):
    mine = browser()
    where = f"/sign-in/sessions/{path.format(own=own_id(mine))}"
    assert mine.ask("POST", where, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert mine.ask("GET", "/console/").status_code == 200


def test_nobody_ends_somebody_elses_session(browser, new_idp, email):
    new_idp().create_user(f"x.{email}")
    mine, theirs = browser(), browser(whose=f"x.{email}")
    assert mine.ask("POST", f"/sign-in/sessions/{own_id(theirs)}/end").status_code == 404
    assert theirs.ask("GET", "/console/").status_code == 200


def test_a_session_that_an_admin_began_neither_shows_nor_ends_those_that_open_more(
    browser, idp, new_admin, email, service
):
    mine = browser()
    begun = new_admin(idp.workspace.slug).request("POST", "/sessions", {"email": email}).json()["data"]["session"]
    narrow = Browser(service.base_url)
    narrow.text = begun["token"]
    assert narrow.ask("GET", "/sign-in/sessions").text.count("<section>") == 1
    assert narrow.ask("POST", f"/sign-in/sessions/{own_id(mine)}/end").status_code == 404
    assert narrow.ask("POST", "/sign-in/sessions/end-all").status_code == 303
    assert mine.ask("GET", "/console/").status_code == 200
    narrow.text = begun["token"]
    assert narrow.ask("GET", "/console/").status_code == 401


def test_a_sign_in_ends_the_session_that_the_browser_had_and_gives_a_new_text(browser, email, app):
    mine = browser()
    before = mine.text
    browser(mine)
    assert mine.text != before
    refused = mine.ask("GET", "/console/", before)
    assert (refused.status_code, "signed in again" in refused.text) == (401, True)
    assert mine.ask("GET", "/console/").status_code == 200


def test_a_text_that_was_planted_before_the_sign_in_is_worth_nothing_afterwards(browser, email, new_idp):
    new_idp().create_user(f"attacker.{email}")
    planted = browser(whose=f"attacker.{email}")
    stolen, victim = planted.text, planted
    browser(victim)
    assert victim.text != stolen
    assert victim.ask("GET", "/console/", stolen).status_code == 401


@pytest.fixture
def appoint(app, idp, email):
    """Makes the person an owner, or one no longer."""

    def change(*, owner: bool = True) -> None:
        with transaction() as connection:
            found = roster.by_email(connection, workspace_id=idp.workspace.id, email=email)
            verb = owners.appoint if owner else owners.demote
            verb(connection, member=roster.lock(connection, workspace_id=idp.workspace.id, member_id=found.id), by=TEST)

    return change


def end_of_grace(email: str) -> None:
    with transaction() as connection:
        past = update(Session).where(Session.former_until.is_not(None))
        connection.execute(past.values(former_until=Session.former_until - timedelta(seconds=10)))


def test_a_new_owner_gets_a_new_text_and_the_one_before_dies(browser, appoint, email):
    mine = browser()
    stolen, identifier = mine.text, own_id(mine)
    assert mine.text == stolen, "no text is replaced without a reason"
    appoint()
    assert mine.ask("GET", "/console/").status_code == 200
    assert mine.text != stolen
    assert own_id(mine) == identifier, "it is the same session"
    assert mine.ask("GET", "/console/", stolen).status_code == 200, "for requests that were on their way"
    end_of_grace(email)
    assert mine.ask("GET", "/console/", stolen).status_code == 401
    renewed = mine.text
    assert mine.ask("GET", "/console/").status_code == 200
    assert mine.text == renewed


def test_whoever_is_an_owner_no_longer_gets_a_new_text_too(browser, appoint, facts_of, idp, email):
    facts_of("member", "add", f"other.{email}", "--workspace", idp.workspace.slug, "--owner")
    appoint()
    mine = browser()
    before = mine.text
    appoint(owner=False)
    mine.ask("GET", "/console/")
    assert mine.text != before


def test_the_text_before_renews_nothing_by_itself(browser, appoint):
    mine = browser()
    stolen = mine.text
    appoint()
    mine.ask("GET", "/console/")
    thief = mine.ask("GET", "/console/", stolen)
    assert "Set-Cookie" not in thief.headers


def test_a_renewal_is_told_once_and_signing_out_with_it_leaves_no_cookie(browser, appoint, email, app):
    mine = browser()
    appoint()
    answer = mine.ask("POST", "/sign-in/out")
    assert answer.headers["Set-Cookie"].count(f"{COOKIE}=") == 1
    assert mine.text == ""
    with reading() as connection:
        user_id = connection.execute(select(Session.user_id).order_by(Session.epoch.desc()).limit(1)).scalar_one()
        told = connection.execute(
            select(Event.name).where(Event.subject == f"sessions-of:{user_id}").order_by(Event.seq)
        ).scalars()
        assert list(told)[-2:] == ["session.renewed", "session.revoked"]


def test_more_sessions_than_may_live_end_the_oldest_and_tell_it(app, idp, email):
    sessions = [begin(email) for _ in range(60)]
    verdicts = [judge(session) for session in sessions]
    assert [verdict.active for verdict in verdicts] == [False] * 10 + [True] * 50
    assert {verdict.reason for verdict in verdicts[:10]} == {"too_many"}
    with reading() as connection:
        told = select(Event.payload["reason"].astext).where(
            Event.name == "session.ended",
            Event.payload["user_id"].astext
            == select(Session.user_id).where(Session.digest == sessions[0]).scalar_subquery().cast(Text),
        )
        assert connection.execute(told).scalars().all() == ["too_many"] * 10
