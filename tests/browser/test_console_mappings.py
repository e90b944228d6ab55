"""An admin maps a group to a role by the keyboard alone: sees whom it means, who gains what, and the effect."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console import owner_of

_MOST_TABS = 60


def tab_to(page: Page, what: str) -> None:
    """Press Tab until the focus is on what is called so."""
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        called = page.evaluate(
            "(e => e.labels?.[0]?.textContent.trim() || e.getAttribute('aria-label') || e.textContent.trim())"
            "(document.activeElement)"
        )
        if called == what:
            return
    raise AssertionError(f"The keyboard does not lead to {what}.")


def test_a_group_is_mapped_by_the_keyboard_alone_with_the_effect_shown_before(idp, console):
    ada = idp.create_user("ada@corp.example", displayName="Ada Lovelace")["id"]
    idp.create_group("Engineering", ada)
    owner = owner_of(idp)
    page = console(owner, owner.address("/mappings"))
    tab_to(page, "New mapping")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New mapping")).to_be_visible()
    tab_to(page, "The group is")
    page.keyboard.type("Engin")
    expect(page.locator("#group-names option")).to_have_count(1)
    page.keyboard.type("eering")
    expect(page.locator("#live")).to_contain_text("Ada Lovelace")
    expect(page.get_by_label("The group is")).to_be_focused()
    tab_to(page, "Role")
    page.keyboard.type("Source Admin")
    expect(page.get_by_label("Role", exact=True)).to_have_value("source-admin")
    tab_to(page, "Preview")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 person would gain something")).to_be_visible()
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The mapping Engineering counts from now on.")
    tab_to(page, "Ada Lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The mapping Engineering gives it through the group Engineering")).to_be_visible()
