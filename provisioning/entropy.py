"""The only source of chance of the house: what must not be guessed, and ids that sort by the time they were made."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


def random_bytes(count: int) -> bytes:
    """Bytes that nobody can guess, from the operating system."""
    return secrets.token_bytes(count)


def fraction() -> float:
    """A number from 0 up to but not including 1: to spread out what would come all at once."""
    return int.from_bytes(random_bytes(4), "big") / 2**32


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then 74 random bits.

    Rows made one after another lie side by side in an index, and a list in the order of ids is stable.
    """
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(random_bytes(10), "big")
    high, low = (chance >> 62) & 0xFFF, chance & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (high << 64) | _VARIANT | low)
