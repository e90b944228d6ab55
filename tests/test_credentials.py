from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.credentials import Keyring, Kind, found_in, pattern, redacted

KEYRING = Keyring(b"k" * 32)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_minted_secret_is_recognised_as_its_kind_alone(kind):
    secret = KEYRING.mint(kind)
    assert KEYRING.recognise(secret.text, kind) == secret.digest
    assert all(KEYRING.recognise(secret.text, other) is None for other in Kind if other is not kind)


def test_secrets_hold_256_bits_and_never_repeat():
    texts = {KEYRING.mint(Kind.SESSION).text for _ in range(2000)}
    assert len(texts) == 2000
    assert all(re.fullmatch(r"pvs_[0-9A-Za-z]{49}", text) for text in texts)


def test_a_secret_is_not_shown_by_its_representation():
    secret = KEYRING.mint(Kind.SESSION)
    assert secret.text not in repr(secret)


def test_another_key_stores_another_digest():
    secret = KEYRING.mint(Kind.SESSION)
    assert Keyring(b"o" * 32).recognise(secret.text, Kind.SESSION) not in {None, secret.digest}


def test_every_shortened_or_lengthened_secret_is_refused():
    text = KEYRING.mint(Kind.API_TOKEN).text
    wrong = [text[:end] for end in range(len(text))] + [text + more for more in (" ", "\n", "=", "\0", "a")]
    assert [w for w in wrong if KEYRING.recognise(w, Kind.API_TOKEN) is not None] == []


@given(place=st.integers(0, 52), character=st.characters(codec="ascii"))
def test_every_changed_character_is_refused(place, character):
    text = KEYRING.mint(Kind.CONNECTION).text
    changed = text[:place] + character + text[place + 1 :]
    assert changed == text or KEYRING.recognise(changed, Kind.CONNECTION) is None


@given(st.text())
def test_made_up_text_is_refused(text):
    assert KEYRING.recognise(text, Kind.SESSION) is None


ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "config", "docs", "provisioning", "tests", "workers")


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("around", ["{}", 'TOKEN="{}"', "https://x.example/?a={}&b=1", "a {}.", "\n{}\n", "Bearer {}"])
def test_the_published_pattern_finds_every_secret_of_its_kind(kind, around):
    for _ in range(50):
        text = KEYRING.mint(kind).text
        written = around.format(text)
        assert re.findall(pattern(kind), written) == found_in(written) == [text]
        assert text[5:] not in redacted(written)
        assert [other for other in Kind if other is not kind and re.search(pattern(other), written)] == []


def test_the_patterns_are_the_published_ones():
    page = (ROOT / "docs" / "tokens.md").read_text()
    assert [kind for kind in Kind if f"`{pattern(kind)}`" not in page] == []


def test_there_is_no_secret_in_what_is_published_here():
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    assert len(files) > 300
    found = {str(path): found_in(path.read_text(errors="replace")) for path in files if path.suffix != ".pyc"}
    assert {path: secrets for path, secrets in found.items() if secrets} == {}


def test_the_characters_of_secrets_are_as_likely_as_each_other():
    """A chi-square of 61 degrees of freedom is above 150 once in 100 million times. The first digit is never full."""
    texts = [KEYRING.mint(Kind.API_TOKEN).text for _ in range(20_000)]
    assert len(set(texts)) == len(texts)
    counted = Counter("".join(text[5:47] for text in texts))
    expected = 20_000 * 42 / 62
    assert len(counted) == 62
    assert sum((count - expected) ** 2 / expected for count in counted.values()) < 150
