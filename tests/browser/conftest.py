"""A real, headless browser: the machine's Chromium, else one out of a package, else the tests say what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests import node

NODE = Path(__file__).parent / "node"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It asks nobody for anything, and runs as root, too.
_ARGUMENTS = (
    *("--no-sandbox", "--no-zygote", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_PATIENCE_MILLISECONDS = 30_000


def _executable(config: pytest.Config) -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is not None:
        return found
    modules = node.modules(config, NODE, what="a browser (install Chromium, or Node, which brings one)")
    environ = {"PATH": os.environ["PATH"], "NODE_MODULES": str(modules)}
    command = ["node", str(NODE / "find.js")]
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


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page of somebody who has never been here; whatever its console complains of fails the test."""
    with browser.new_context() as context:
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        opened = context.new_page()
        complaints: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            # A page that refuses has the status of a refusal, and what others' pages lack is theirs.
            if message.type == "error" and not message.text.startswith("Failed to load resource"):
                complaints.append(message.text)

        opened.on("console", listen)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        assert complaints == []
