"""The console as people use it: with a keyboard or a mouse, in either theme, on a desk or a phone, with or without
scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from provisioning.database import transaction
from provisioning.directory import workspaces
from tests.conftest import TEST
from tests.console import member_of, owner_of, visitor
from tests.sessions.playing import grow_older

_PHONE, _DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


@pytest.mark.parametrize(("theme", "size"), [("light", _DESK), ("dark", _PHONE)])
def test_every_page_is_for_everybody_in_either_theme_and_fits_its_screen(app, company, console, axe, theme, size):
    page = console(company.owner, color_scheme=theme, viewport=size)
    for name, address in company.pages(app):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, name
        expect(page.locator("[hx-trigger=load]")).to_have_count(0)
        assert axe(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name


def test_people_are_found_as_one_types_and_the_address_says_so(company, console):
    page = console(company.owner, company.owner.address("/people"))
    page.get_by_role("searchbox").press_sequentially("Grace")
    rows = page.get_by_role("table").get_by_role("link", name=re.compile("^Grace|^Ada"))
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"[?&]q=Grace"))
    page.get_by_label("State").select_option("suspended")
    expect(page.get_by_role("heading", name="Nobody is like that")).to_be_visible()
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("Grace")
    page.go_back()
    expect(page.get_by_role("link", name="Grace Hopper")).to_be_visible()


def test_why_somebody_can_do_something_is_found_by_the_keyboard_alone(company, console):
    page = console(company.owner)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="People").focus()
    page.keyboard.press("Enter")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("Grace")
    expect(page.get_by_text("1 person")).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Grace Hopper":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("The mapping Engineering gives it through the group Engineering")).to_be_visible()


def test_everything_works_without_scripts(company, console):
    page = console(company.owner, company.owner.address("/people"), java_script_enabled=False)
    page.get_by_role("searchbox").fill("Grace")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_role("button", name="Protect", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Grace Hopper is out of the identity providers' reach.")
    page.get_by_role("button", name="Stop protecting").click()
    expect(page.get_by_text("protected", exact=True)).to_have_count(0)


def test_moments_are_told_in_the_zone_of_whoever_looks_and_exactly_on_hover(company, console):
    page = console(company.owner, company.owner.address("/people"), timezone_id="Asia/Tokyo", locale="en-GB")
    moment = page.locator("tbody time").first
    exact = moment.get_attribute("title") or ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", exact)
    there = (int(exact[11:13]) + 9) % 24
    expect(moment).to_have_text(re.compile(rf", {there:02}:{exact[14:16]}$"))


def test_the_theme_is_chosen_and_kept(company, console):
    page = console(company.owner, company.owner.address("/groups"), color_scheme="light")
    page.get_by_role("button", name="Olivia").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page).to_have_url(re.compile("/groups$"))
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 28)"


def test_a_hipaa_member_sees_how_long_they_stay_and_is_signed_out(new_idp, console):
    owner = owner_of(new_idp(hipaa=True))
    page = console(owner)
    page.clock.install()
    page.reload()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^1[45]:\d\d$"))
    grow_older([owner.session.digest], timedelta(minutes=13, seconds=30))
    page.clock.fast_forward("13:30")
    expect(page.get_by_role("alert")).to_contain_text("You are about to be signed out")
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    grow_older([owner.session.digest], timedelta(minutes=15))
    page.clock.fast_forward("15:01")
    expect(page.get_by_role("heading", name="Your session has ended.")).to_be_visible()
    expect(page.get_by_text("signed out after a time without activity")).to_be_visible()


def test_a_workspace_that_becomes_hipaa_eligible_signs_its_members_out_and_says_why(idp, console):
    member = member_of(idp, name="zoe")
    page = console(member)
    expect(page.get_by_role("timer")).to_have_count(0)
    with transaction() as database:
        workspaces.set_hipaa_eligible(database, slug=idp.workspace.slug, eligible=True, by=TEST)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Your session has ended.")).to_be_visible()
    expect(page.get_by_text(idp.workspace.slug)).to_be_visible()
    again = console(visitor(idp, member.email))
    expect(again.get_by_role("timer")).to_have_text(re.compile(r"^1[45]:\d\d$"))


def test_a_page_that_lies_open_tells_by_itself_that_the_session_was_ended(idp, console):
    page = console(owner_of(idp))
    page.clock.install()
    page.reload()
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    with transaction() as database:
        workspaces.set_hipaa_eligible(database, slug=idp.workspace.slug, eligible=True, by=TEST)
    page.clock.fast_forward("00:31")
    expect(page.get_by_role("heading", name="Your session has ended.")).to_be_visible()


def test_a_session_that_ends_while_one_types_is_a_page_of_its_own(idp, console):
    owner = owner_of(idp)
    page = console(owner, owner.address("/people"))
    grow_older([owner.session.digest], timedelta(days=8))
    page.get_by_role("searchbox").press_sequentially("a")
    expect(page.get_by_role("heading", name="Your session has ended.")).to_be_visible()


def test_why_somebody_cant_do_something_is_two_clicks_from_their_page(company, console, axe):
    of = company.owner
    page = console(of, of.address(f"/people/{company.samples['member_id']}"))
    page.get_by_role("link", name="Why can or can't they …?").click()
    page.get_by_label("Action", exact=True).fill("source.update")
    page.get_by_label("Resource", exact=True).press_sequentially("source:sand")
    expect(page.locator("#resources option[value='source:sandbox']")).to_be_attached()
    page.get_by_label("Resource", exact=True).fill("source:sandbox")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_role("heading", name=re.compile("^No: Grace Hopper can't"))).to_be_visible()
    expect(page.get_by_text("source:sandbox lacks environment:prod; it carries environment:dev.")).to_be_visible()
    expect(page.get_by_role("img", name="What comes nearest")).to_be_visible()
    assert axe(page) == []
    asked = urlsplit(page.url).query
    assert parse_qs(asked) == {"action": ["source.update"], "resource": ["source:sandbox"]}
    told = of.get(f"/access/who/export.csv?{asked}").text
    assert ("olivia" in told, "grace.hopper" in told) == (True, False)
