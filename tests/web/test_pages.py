from __future__ import annotations

import pytest
import requests
from sqlalchemy import update

from provisioning.database import transaction
from provisioning.directory.models import Workspace


@pytest.fixture
def link(idp, facts_of):
    """The secret of a sign-in link for somebody who owns the workspace."""
    email = f"owner@{idp.workspace.slug}.example"
    facts_of("member", "add", email, "--workspace", idp.workspace.slug, "--owner")
    return facts_of("sign-in-link", email)["url"].partition("#")[2]


def sign_in(service, http, secret, **headers):
    return http.post(
        f"{service.base_url}/sign-in/link", data={"secret": secret}, headers=headers, timeout=10, allow_redirects=False
    )


def session_of(response: requests.Response) -> dict[str, str]:
    """The cookie as a browser sends it back; this client keeps secure cookies from plain addresses."""
    return {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}


def test_a_link_signs_in_once_and_the_session_opens_the_console(service, idp, http, link):
    entered = sign_in(service, http, link)
    assert (entered.status_code, entered.headers["Location"]) == (303, "/console/")
    cookie = entered.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=pvs_")
    assert all(flag in cookie for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    mine = session_of(entered)
    home = http.get(f"{service.base_url}/console/", headers=mine, timeout=10)
    assert home.status_code == 200
    assert idp.workspace.slug in home.text
    assert home.headers["Cache-Control"] == "no-store"
    again = sign_in(service, http, link)
    assert again.status_code == 401
    assert "used already" in again.text
    assert (
        http.post(f"{service.base_url}/sign-in/out", headers=mine, timeout=10, allow_redirects=False).status_code == 303
    )
    ended = http.get(f"{service.base_url}/console/", headers=mine, timeout=10)
    assert (ended.status_code, "You signed out" in ended.text) == (401, True)


def test_a_session_remembers_the_browser_that_used_the_link(service, idp, http, link, facts_of):
    sign_in(service, http, link, **{"User-Agent": "Browser/7 (here)"})
    (session,) = facts_of("session", "list", "--workspace", idp.workspace.slug)["sessions"]
    assert (session["user_agent"], session["address"]) == ("Browser/7 (here)", "127.0.0.1")


def test_a_form_from_another_site_is_refused_and_uses_nothing_up(service, http, link):
    assert sign_in(service, http, link, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert sign_in(service, http, link).status_code == 303


def test_looking_at_a_link_uses_nothing_up(service, http, link):
    page = http.get(f"{service.base_url}/sign-in/link", timeout=10)
    assert page.status_code == 200
    assert sign_in(service, http, link).status_code == 303


@pytest.mark.parametrize("secret", ["", "nonsense", "pvl_" + "0" * 49])
def test_what_is_no_link_is_refused_on_a_page(service, http, secret):
    refused = sign_in(service, http, secret)
    assert (refused.status_code, refused.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    assert "Set-Cookie" not in refused.headers


def test_somebody_who_is_signed_out_by_hipaa_is_told_why_and_by_which_workspace(service, idp, http, link, facts_of):
    mine = session_of(sign_in(service, http, link))
    facts_of("workspace", "set-hipaa", idp.workspace.slug, "on")
    page = http.get(f"{service.base_url}/console/", headers=mine, timeout=10)
    assert page.status_code == 401
    assert "HIPAA-eligible" in page.text
    assert idp.workspace.slug in page.text


def test_names_are_text_on_every_page(service, idp, http, link, app):
    with transaction() as connection:
        hostile = "<img src=x onerror=alert(1)>"
        connection.execute(update(Workspace).where(Workspace.id == idp.workspace.id).values(name=hostile))
    page = http.get(f"{service.base_url}/console/", headers=session_of(sign_in(service, http, link)), timeout=10)
    assert "<img" not in page.text
    assert "&lt;img" in page.text


@pytest.mark.parametrize("path", ["/docs", "/console/", "/sign-in/link", "/health/live", "/nothing", "/scim/v2/Users"])
def test_every_answer_carries_the_headers_that_protect_it(service, http, path):
    headers = http.get(f"{service.base_url}{path}", timeout=10).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_documentation_asks_nobody_else_for_anything(service, http):
    page = http.get(f"{service.base_url}/docs", timeout=10).text
    assert "http" not in page.replace("http-equiv", "")
