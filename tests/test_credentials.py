from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.credentials import Keyring, Kind

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
