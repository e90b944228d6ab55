"""A real, headless browser: the machine's Chromium, else one out of a package, else the tests say what is missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from provisioning.web.cookie import SESSION_COOKIE
from tests import node
from tests.browser.company import Company, found
from tests.console import Visitor

NODE = Path(__file__).parent / "node"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It asks nobody for anything, and runs as root, too.
_ARGUMENTS = (
    *("--no-sandbox", "--no-zygote", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_PATIENCE_MILLISECONDS = 30_000
_NO_COMPLAINTS = ("Failed to load resource", "htmx: htmx:error: Failed to fetch")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def _executable(config: pytest.Config) -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is not None:
        return found
    modules = node.modules(config, NODE, what="a browser (install Chromium, or Node, which brings one)")
    # Not into the folder that all users of the machine share: what is run there may be somebody else's.
    unpacked = modules.parent / "browser"
    unpacked.mkdir(exist_ok=True)
    environ = {"PATH": os.environ["PATH"], "NODE_MODULES": str(modules), "TMPDIR": str(unpacked)}
    command = ["node", str(NODE / "find.js")]
    with (unpacked / "lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603 - our own command
    return done.stdout.strip()


@pytest.fixture(scope="session")
def browser(pytestconfig) -> Iterator[Browser]:
    """The browser, running."""
    path = _executable(pytestconfig)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS])
        yield running
        running.close()


@contextmanager
def _opened(browser: Browser, **settings: Any) -> Iterator[Page]:
    """A page; whatever its console complains of fails the test."""
    with browser.new_context(**settings) as context:
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        opened = context.new_page()
        complaints: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            # A page that refuses has the status of a refusal, and what others' pages lack is theirs; what a page asks
            # by itself may go unanswered.
            if message.type == "error" and not message.text.startswith(_NO_COMPLAINTS):
                complaints.append(message.text)

        opened.on("console", listen)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        assert complaints == []


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page of somebody who has never been here."""
    with _opened(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def company(service, app) -> Company:
    """A workspace with something of everything."""
    return found(service)


@pytest.fixture
def console(browser, service) -> Iterator[Callable[..., Page]]:
    """Opens the console as somebody who is signed in; a page that asks anybody else for anything fails the test."""
    with ExitStack() as stack:
        asked: list[str] = []

        def open_(who: Visitor, address: str | None = None, **settings: Any) -> Page:
            opened = stack.enter_context(_opened(browser, base_url=service.base_url, **settings))
            where = {"domain": "127.0.0.1", "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"}
            opened.context.add_cookies([{"name": SESSION_COOKIE, "value": who.session.text, **where}])
            opened.on("request", lambda request: asked.append(request.url))
            opened.goto(who.address("") if address is None else address)
            return opened

        yield open_
        assert [url for url in asked if not url.startswith((service.base_url, "data:"))] == []


@pytest.fixture(scope="session")
def axe(pytestconfig) -> Callable[[Page], list[str]]:
    """Looks a page over by the rules of WCAG 2.2 AA, and says what breaks them, and where."""
    modules = node.modules(pytestconfig, NODE, what="the checks of WCAG")
    source = (modules / "axe-core" / "axe.min.js").read_text()

    def look_over(page: Page) -> list[str]:
        page.evaluate(source)
        broken = page.evaluate("rules => axe.run({runOnly: rules}).then(found => found.violations)", _RULES)
        return [
            f"{rule['id']}: {place['html']} {place['failureSummary']}" for rule in broken for place in rule["nodes"]
        ]

    return look_over
