"""How values without case are compared: one folding, used by filters, indexes and rules alike."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """The form in which two texts are equal when only case, surrounding space or composition differs."""
    return fold_part(text.strip())


def fold_part(text: str) -> str:
    """The same for a part of a text, whose spaces count: `Eng ` does not begin `Engineering`."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
