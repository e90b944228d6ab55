"""Bearer secrets: mint one, check its form, and hash it. Knows no table and no owner.

A secret is `prefix_` + 43 characters of base 62 (256 random bits) + 6 characters of checksum. The prefix lets secret
scanners and people recognise it, the checksum refuses a mistyped or made-up one before any look-up, and only a keyed
hash is ever stored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass, field
from enum import StrEnum

from provisioning import entropy

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH, _CHECKSUM_LENGTH = 43, 6
_FORM = re.compile(rf"(pv[a-z])_([0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})", re.ASCII)


class Kind(StrEnum):
    """What a secret is for; the value is its prefix. A secret of one kind never works as another."""

    CONNECTION = "pvc"
    API_TOKEN = "pva"  # noqa: S105 - a prefix, no password
    CLIENT_SECRET = "pvo"  # noqa: S105 - a prefix, no password
    ACCESS_TOKEN = "pvt"  # noqa: S105 - a prefix, no password
    SESSION = "pvs"
    SIGN_IN_LINK = "pvl"
    INVITATION = "pvi"


def pattern(kind: Kind) -> str:
    """The regular expression by which a secret scanner finds secrets of a kind, in the syntax that all of them know."""
    return rf"\b{kind.value}_[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECKSUM_LENGTH}}}\b"


_ANY = re.compile("|".join(pattern(kind) for kind in Kind), re.ASCII)


def redacted(text: str) -> str:
    """A text without the secrets in it: for what others wrote and is to be kept."""
    return _ANY.sub(lambda found: f"{found[0][:4]}...", text)


def found_in(text: str) -> list[str]:
    """The secrets in a text: what looks like one and has the right checksum."""
    return [secret for secret in _ANY.findall(text) if _is_whole(secret)]


@dataclass(frozen=True, slots=True)
class Secret:
    """A newly minted secret: the text, to be shown once, and the digest, to be stored."""

    text: str = field(repr=False)
    digest: bytes


class Keyring:
    """Mints and recognises secrets under one key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mint(self, kind: Kind) -> Secret:
        """A new secret of this kind."""
        number = int.from_bytes(entropy.random_bytes(32), "big")
        body = f"{kind.value}_{_base62(number, _SECRET_LENGTH)}"
        text = body + _checksum(body)
        return Secret(text, self._digest(text))

    def recognise(self, text: str, kind: Kind) -> bytes | None:
        """The digest under which a secret of this kind would be stored.

        Returns:
            The digest, or None where the text is no well-formed secret of this kind.
        """
        return self._digest(text) if text.startswith(f"{kind.value}_") and _is_whole(text) else None

    def made_out(self, text: str) -> tuple[Kind, bytes] | tuple[None, None]:
        """What kind of secret a text is, whatever that may be, and the digest under which it would be stored."""
        kind = next((kind for kind in Kind if text.startswith(f"{kind.value}_")), None)
        digest = None if kind is None else self.recognise(text, kind)
        return (None, None) if kind is None or digest is None else (kind, digest)

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), hashlib.sha256)


def _is_whole(text: str) -> bool:
    form = _FORM.fullmatch(text)
    return form is not None and form[3] == _checksum(f"{form[1]}_{form[2]}")


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
