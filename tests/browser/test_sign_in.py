"""Signing in and out as a person does it, with the pages of a provider of others between."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import expect

from tests.oidc.conftest import door, new_door, openid_provider  # noqa: F401 - fixtures


@pytest.fixture
def ada(idp) -> str:
    """Somebody whom the identity provider has pushed."""
    name = f"ada-{uuid.uuid4().hex[:8]}"
    idp.create_user(f"{name}@{idp.workspace.slug}.example", externalId=name, displayName="Ada")
    return name


def at_the_provider(page, login: str) -> None:
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_a_person_signs_in_by_their_address_and_out_again(page, idp, new_door, ada):  # noqa: F811 - a fixture
    door = new_door(idp, domain=f"{idp.workspace.slug}.example")  # noqa: F811 - what the fixture makes
    door.provider.know(ada)
    page.goto(f"{door.base_url}/sign-in")
    page.get_by_label("Your work address").fill(f"{ada}@{idp.workspace.slug}.example")
    page.get_by_role("button", name="Continue").click()
    at_the_provider(page, ada)
    expect(page.get_by_role("heading", name="Your workspaces")).to_be_visible()
    expect(page.get_by_role("heading", name=idp.workspace.slug)).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(door.base_url)}
    session = cookies["__Host-session"]
    assert (session["httpOnly"], session["secure"], session["sameSite"]) == (True, True, "Lax")
    assert "__Host-sign-in" not in cookies, "what was carried to the provider is used up"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Do you want to sign-out from")).to_be_visible()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_label("Your work address")).to_be_visible()
    page.goto(f"{door.base_url}/console/")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_who_is_not_known_reads_why(page, idp, new_door):  # noqa: F811 - a fixture
    door = new_door(idp)  # noqa: F811 - what the fixture makes
    stranger = door.provider.know(f"stranger-{uuid.uuid4().hex[:8]}", email="s@corp.example", email_verified=True)
    page.goto(door.address)
    at_the_provider(page, stranger)
    expect(page.get_by_role("heading", name="Nobody has given you access")).to_be_visible()
    assert "__Host-session" not in {cookie["name"] for cookie in page.context.cookies()}
