"""What owners come to the console for: connecting an identity provider, and ending what should not go on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.console import member_of, owner_of
from tests.web.tokens import status

# The identity provider begins, and the page asks every three seconds.
_PATIENCE_MILLISECONDS = 30_000


@contextmanager
def pushing(idp: str, url: str, token: str) -> Iterator[subprocess.Popen[bytes]]:
    """An identity provider that is played as people play it: by the command, in a process of its own."""
    size = ("--users", "8", "--groups", "2", "--round", "full")
    command = [Path(sys.executable).with_name("provisioning"), "simulate", idp, "--url", url, "--token", token, *size]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as playing:  # noqa: S603 - our own command
        yield playing


def copied(page: Page, what: str) -> str:
    """What a button puts into the clipboard."""
    given = page.get_by_role("button", name=f"Copy {what}").get_attribute("data-copy")
    # It is called otherwise for a moment after that, and so may another be.
    button = page.locator(f'button[data-copy="{given}"]')
    button.click()
    expect(button).to_have_text("Copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_an_identity_provider_is_connected_and_the_page_turns_green_as_it_comes(idp, console, axe):
    owner = owner_of(idp)
    page = console(owner, owner.address("/connections"), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Connect an identity provider").click()
    page.get_by_label("Microsoft Entra ID").check()
    page.get_by_label("Name").fill("Corporate")
    page.get_by_role("button", name="Make the connection").click()
    checks = page.get_by_role("list").filter(has_text="Credential seen").get_by_role("listitem")
    expect(checks.filter(has_text="waiting")).to_have_count(3)
    url, token = copied(page, "base URL"), copied(page, "token")
    with pushing("entra", url, token) as playing:
        for what in ("Credential seen", "First person", "First group"):
            expect(checks.filter(has_text=what)).to_contain_text("done", timeout=_PATIENCE_MILLISECONDS)
        said, _ = playing.communicate(timeout=60)
    assert playing.returncode == 0, said.decode()
    expect(page.locator("#check[hx-get]")).to_have_count(0)
    assert axe(page) == []
    page.get_by_role("link", name="To Corporate").click()
    expect(page.get_by_role("row").filter(has_text="when it is replaced")).to_have_count(1)
    page.get_by_role("link", name="Provisioning log").click()
    page.get_by_text("attributes changed").first.click()
    expect(page.get_by_role("cell", name="nothing").first).to_be_visible()


def test_a_session_and_a_token_are_ended_after_one_question_and_at_once(idp, console, new_admin):
    owner, zoe, program = owner_of(idp), member_of(idp, name="zoe"), new_admin(idp.workspace.slug)
    hers = console(zoe)
    page = console(owner, owner.address("/sessions?q=zoe"))
    page.get_by_role("link", name="End the session of Zoe").click()
    expect(page.get_by_text("Zoe can sign in again.")).to_be_visible()
    page.get_by_role("button", name="End 1 session").click()
    expect(page.get_by_role("status")).to_have_text("The session has ended.")
    hers.get_by_role("link", name="Settings").click()
    expect(hers.get_by_text("Somebody ended the session.")).to_be_visible()
    assert status(program) == 200
    page.get_by_role("link", name="Tokens").click()
    page.get_by_role("link", name="Revoke test").click()
    expect(page.get_by_text("1 token ends at once, for good.")).to_be_visible()
    page.get_by_role("button", name="End 1 token").click()
    expect(page.get_by_role("status")).to_have_text("1 token ended.")
    assert status(program) == 401
