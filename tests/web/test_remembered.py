"""What is looked up again and again is remembered, but nothing that anybody can make up at any length."""

from __future__ import annotations

import tracemalloc

import pytest

from provisioning.dialects.recognise import recognise
from provisioning.scim.definitions import USER
from provisioning.web.scim import media

LONG = 200_000
LOOKED_UP = {
    "attributes": lambda text: USER.find(None, text),
    "Accept": media.best,
    "User-Agent": lambda text: recognise(text, ()),
}


@pytest.mark.parametrize("what", LOOKED_UP)
def test_long_texts_are_not_kept(what):
    tracemalloc.start()
    try:
        found = {LOOKED_UP[what](f"{number}{'x' * LONG}") for number in range(50)}
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found <= {None, media.MEDIA_TYPE}
    assert kept < 10 * LONG


def test_who_speaks_is_heard_at_the_beginning():
    assert recognise(f"Okta SCIM Client 1.0.0 {'x' * LONG}", ()) == "okta"
