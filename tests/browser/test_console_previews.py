"""Before a dangerous change: the question is there at once, its numbers come, and only then can anybody say yes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console import Visitor, owner_of

_PHONE = {"width": 360, "height": 740}


@pytest.fixture
def owner(idp) -> Visitor:
    return owner_of(idp)


@pytest.fixture
def local(owner) -> str:
    """The page of a local group."""
    made = owner.send("/groups/new", "/groups/new", {"name": "Auditors"})
    return f"/groups/{made.headers['Location'].rpartition('/')[2]}"


def held_back(page: Page) -> list[Route]:
    """What the page asks for by itself, until the test lets it go."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/numbers", hold)
    return held


def yes(page: Page):
    return page.get_by_role("button", name="Delete it")


def test_the_numbers_come_and_with_them_the_button(owner, local, console, axe):
    page = console(owner, viewport=_PHONE, reduced_motion="reduce")
    held = held_back(page)
    page.goto(owner.address(f"{local}/delete"))
    expect(page.get_by_role("heading", name="Delete Auditors?")).to_be_visible()
    said = page.get_by_role("status")
    expect(said).to_have_text("Counting who would gain and lose what …", use_inner_text=True)
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("link", name="Leave it as it is")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Delete it|Count it"))).to_have_count(0)
    assert axe(page) == []
    heard = said.element_handle()
    held[0].continue_()
    expect(said).to_contain_text("Nobody gains or loses anything.")
    assert heard.evaluate("element => element.isConnected"), "what is said is said in the region that is listened to"
    expect(yes(page)).to_have_accessible_description("Nobody gains or loses anything.")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    yes(page).click()
    expect(page.get_by_role("status")).to_have_text("The group Auditors is gone.")


def test_what_is_refused_is_said_in_their_place_and_there_is_no_button(owner, local, console, axe):
    page = console(owner)
    held = held_back(page)
    page.goto(owner.address(f"{local}/delete"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert owner.send(f"{local}/rename", f"{local}/rename", {"name": "Examiners"}).status_code == 303
    held[0].continue_()
    expect(page.get_by_role("status")).to_contain_text("name is Examiners now")
    expect(page.get_by_role("heading", name="Delete Auditors?")).to_be_visible()
    expect(yes(page)).to_have_count(0)
    assert axe(page) == []
    page.get_by_role("link", name="Leave it as it is").click()
    expect(page.get_by_role("heading", name="Examiners")).to_be_visible()


def test_numbers_that_do_not_come_can_be_asked_for_by_a_button(owner, local, console):
    page = console(owner)
    page.route("**/numbers", lambda route: route.abort())
    page.goto(owner.address(f"{local}/delete"))
    expect(page.get_by_text("The numbers did not come")).to_be_visible()
    expect(yes(page)).to_have_count(0)
    page.unroute("**/numbers")
    page.get_by_role("button", name="Count it").click()
    expect(page.get_by_role("status")).to_contain_text("Nobody gains or loses anything.")
    yes(page).click()
    expect(page.get_by_role("status")).to_have_text("The group Auditors is gone.")


def test_without_scripts_the_numbers_are_a_page_of_their_own(owner, local, console):
    page = console(owner, owner.address(f"{local}/delete"), java_script_enabled=False)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(yes(page)).to_have_count(0)
    page.get_by_role("button", name="Count it").click()
    expect(page.get_by_role("status")).to_contain_text("Nobody gains or loses anything.")
    yes(page).click()
    expect(page.get_by_role("status")).to_have_text("The group Auditors is gone.")
