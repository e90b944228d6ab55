"""Walks through lists: where a page begins is sealed and carried by the client, and the server remembers nothing.

What is carried opens nothing by itself, for every page is asked for with a credential again. It is good for an hour,
for the question that it was given out for and for nothing else; each door says in its own words what is wrong with one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from provisioning.context import context
from provisioning.sealing import Expired, Sealer, Unsealable

LIFETIME_SECONDS = 3600
_LONGEST = 16_384


class Foreign(Exception):
    """It was given out for another question, at another door, or not here."""


def digest(question: Sequence[str]) -> str:
    """A question as what is carried names it: who asks what, and at which door."""
    return hashlib.sha256(orjson.dumps(question)).hexdigest()


def give_out(question: str, *place: Any, sealer: Sealer | None = None) -> str:
    """What a client carries to go on.

    Args:
        question: its digest.
        place: where to go on; plain values.
        sealer: of cursors, where no application is at work that has one.
    """
    return (sealer or context().cursors).seal(orjson.dumps([question, *place]))


def take_back(text: str, question: str, *, sealer: Sealer | None = None) -> list[Any]:
    """The place that a client has carried.

    Args:
        text: as the client sent it.
        question: the digest of what is asked now.
        sealer: of cursors, where no application is at work that has one.

    Raises:
        Foreign: it is none of this question.
        Expired: it was given out too long ago.
    """
    if len(text) > _LONGEST:
        raise Foreign
    try:
        opened = orjson.loads((sealer or context().cursors).open(text, lifetime_seconds=LIFETIME_SECONDS))
    except Expired:
        raise
    except Unsealable:
        raise Foreign from None
    if not isinstance(opened, list) or opened[0] != question:
        raise Foreign
    return opened[1:]
