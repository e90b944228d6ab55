"""What an endpoint is sent, and how it is signed: as Standard Webhooks 1.0.0 has it. Pure.

The `data` is that of a page of `GET /api/audit-events`, so that whoever reads one reads the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from provisioning.audit import trail
from provisioning.audit.trail import Entry

_PREFIX, _VERSION = "whsec_", "v1"
SECRET_BYTES = 32
_TYPE, _TEST_TYPE = "audit.events", "audit.test"
_MOST, _MOST_BYTES = 100, 256 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One request: an id, which is the same whenever the same is sent again, and the bytes that are signed."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A message with its headers; they prove who sent it, so they are in no `repr`."""

    body: bytes
    headers: dict[str, str] = field(repr=False)


def fitting(entries: Iterable[Entry]) -> list[Entry]:
    """As many as one message holds: one at least, however large."""
    fit: list[Entry] = []
    size = 0
    for entry in entries:
        size += len(orjson.dumps(trail.told(entry)))
        if fit and (len(fit) == _MOST or size > _MOST_BYTES):
            break
        fit.append(entry)
    return fit


def of(entries: Sequence[Entry]) -> Message:
    """The message that tells of these, of which there is one at least.

    Its id is made of theirs: what is sent again has the same id, and what is not the same has another.
    """
    digest = hashlib.sha256(b"".join(entry.id.bytes for entry in entries)).hexdigest()
    return Message(f"msg_{digest[:32]}", _body(_TYPE, entries[-1].at, entries))


def trial(identifier: str, *, now: datetime) -> Message:
    """A message that tells of nothing, to see whether it arrives and is believed."""
    return Message(f"msg_{identifier}", _body(_TEST_TYPE, now, ()))


def _body(kind: str, at: datetime, entries: Sequence[Entry]) -> bytes:
    told = {"type": kind, "timestamp": at.isoformat(), "data": {"events": [trail.told(entry) for entry in entries]}}
    return orjson.dumps(told)


def secret(chance: bytes) -> str:
    """A secret as Standard Webhooks writes it down, of `SECRET_BYTES` that nobody can guess."""
    return f"{_PREFIX}{base64.b64encode(chance).decode()}"


def sign(message: Message, *, secrets: Iterable[str], now: datetime) -> Signed:
    """Sign a message by each of an endpoint's secrets, so that it is believed by whoever has one of them.

    Args:
        message: what is sent.
        secrets: as `secret` writes them.
        now: the moment of this attempt.
    """
    moment = str(int(now.timestamp()))
    content = b".".join((message.id.encode(), moment.encode(), message.body))
    keys = (base64.b64decode(text.removeprefix(_PREFIX)) for text in secrets)
    signatures = (base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)
    return Signed(
        message.body,
        {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": moment,
            "webhook-signature": " ".join(f"{_VERSION},{signature}" for signature in signatures),
        },
    )
