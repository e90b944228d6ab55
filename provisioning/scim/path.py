"""Attribute notation (RFC 7644, section 3.10): `name`, `name.sub`, `urn:...:name.sub`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[A-Za-z$][A-Za-z0-9_$-]*"
_ATTRIBUTE = re.compile(rf"(?P<name>{_NAME})(?:\.(?P<sub>{_NAME}))?", re.ASCII)
_URN = re.compile(r"urn:[A-Za-z0-9._:-]+", re.IGNORECASE | re.ASCII)
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class AttributePath:
    """An attribute, or one of its sub-attributes, perhaps qualified by a schema's URN."""

    urn: str | None
    name: str
    sub: str | None = None

    def __str__(self) -> str:
        qualified = self.name if self.urn is None else f"{self.urn}:{self.name}"
        return qualified if self.sub is None else f"{qualified}.{self.sub}"


def match_attribute(text: str) -> AttributePath | None:
    """Read an attribute's name; None where the whole of the text is none.

    The URN ends at the last colon, so that dots and digits in it don't count: `urn:...:2.0:User:name.givenName`.
    """
    if len(text) > _LONGEST:
        return None
    head, colon, tail = text.rpartition(":")
    urn = head if colon else None
    found = _ATTRIBUTE.fullmatch(tail)
    if found is None or (urn is not None and not _URN.fullmatch(urn)):
        return None
    return AttributePath(urn, found["name"], found["sub"])
