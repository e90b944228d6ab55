"""Pictures of every page, on a desk and on a phone, in either theme: `make screenshots` writes `docs/images`."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.company import Company

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
# A third of what the same picture takes as PNG, and no different to the eye.
_FORMAT = {"format": "webp", "quality": 75}


def _question(company: Company) -> str:
    """What somebody asks who wonders."""
    person = f"/access/people/{company.samples['member_id']}"
    return company.owner.address(f"{person}?action=source.update&resource=source:sandbox")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", _SIZES)
def test_take_a_picture_of_every_page(app, company, console, theme, size):
    IMAGES.mkdir(exist_ok=True)
    page = console(company.owner, color_scheme=theme, viewport=_SIZES[size], reduced_motion="reduce")
    camera = page.context.new_cdp_session(page)
    for name, address in (*company.pages(app), ("access-why", _question(company))):
        page.goto(address)
        expect(page.locator("main")).to_be_visible()
        expect(page.locator("[hx-trigger=load]")).to_have_count(0)
        taken = camera.send("Page.captureScreenshot", _FORMAT)["data"]
        (IMAGES / f"{name}-{size}-{theme}.webp").write_bytes(b64decode(taken))
