"""The one form in which facts and seals are hashed: JSON with sorted keys, no blanks, in UTF-8. Pure.

A line of an export in NDJSON is this form of a fact, so that anybody can hash it without this code.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

# What is told of a fact, in the order in which they sort.
FIELDS = (
    *("actor_id", "actor_kind", "id", "name", "occurred_at", "payload", "request_id", "seq", "subject"),
    "workspace_id",
)
# What a seal's hash is made of besides the hashes of its facts.
HEADER = ("workspace_id", "number", "count", "first_seq", "last_seq", "first_at", "last_at", "sealed_at")
NOTHING_BEFORE = bytes(32)
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
_ROW = struct.Struct(">q32s")


def line(row: Sequence[Any]) -> bytes:
    """A fact in its canonical form; the row has `FIELDS`, its times in UTC."""
    return orjson.dumps(dict(zip(FIELDS, row, strict=True)), option=_OPTIONS)


def digest(row: Sequence[Any]) -> bytes:
    """The SHA-256 of a fact."""
    return hashlib.sha256(line(row)).digest()


def pack(rows: Iterable[tuple[int, bytes]]) -> bytes:
    """The list that a seal keeps: each fact's `seq` in eight bytes (the most significant first) and its hash."""
    return b"".join(_ROW.pack(seq, hashed) for seq, hashed in rows)


def unpack(packed: bytes) -> list[tuple[int, bytes]]:
    """What was packed; of a list that has been cut, the whole entries."""
    return list(_ROW.iter_unpack(packed[: len(packed) - len(packed) % _ROW.size]))


def hash_of(header: Mapping[str, Any], *, previous: bytes, rows: bytes) -> bytes:
    """The hash of a seal.

    Args:
        header: its `HEADER`.
        previous: the hash of the seal before it, or `NOTHING_BEFORE`.
        rows: the packed list of its facts.
    """
    told = {name: header[name] for name in HEADER}
    told |= {"previous": previous.hex(), "rows": hashlib.sha256(rows).hexdigest()}
    return hashlib.sha256(orjson.dumps(told, option=_OPTIONS)).digest()
