"""An event as a line of syslog (RFC 5424), and lines as a stream (RFC 6587, section 3.4.1). Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from uuid import UUID

from provisioning.audit import trail
from provisioning.audit.trail import Entry

# Facility 13, the audit log; severity 5, normal but significant (RFC 5424, section 6.2.1).
_PRIORITY = 13 * 8 + 5
_VERSION = 1
_APP_NAME = "provisioning"
# The number that stands for nobody (RFC 5612): the project has none of its own.
_SD_ID = "audit@32473"
_LONGEST_HOST, _LONGEST_MSGID = 255, 32
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_ESCAPED = re.compile(r'["\\\]]')
_NIL = "-"


def line(entry: Entry, *, chain: UUID, host: str) -> bytes:
    """An event: the header, what it is about as structured data, and the whole of it as JSON.

    The JSON is ASCII, so that no byte order mark is called for (section 6.4), which many receivers stumble over.

    Args:
        entry: what happened.
        chain: in which workspace; `audit.models.NOWHERE` for none.
        host: what the service is called.
    """
    told = {**trail.told(entry), "workspaceId": str(chain)}
    header = " ".join(
        (
            f"<{_PRIORITY}>{_VERSION}",
            _moment(entry.at),
            _token(host, _LONGEST_HOST),
            _APP_NAME,
            _NIL,
            _token(entry.name, _LONGEST_MSGID),
        )
    )
    about = {name: told[name] for name in ("id", "type", "workspaceId", "actor", "resourceType", "resourceId")}
    about |= {"requestId": told["requestId"]} if told["requestId"] else {}
    data = "".join(f' {name}="{_escaped(value)}"' for name, value in about.items())
    return f"{header} [{_SD_ID}{data}] {json.dumps(told, separators=(',', ':'))}".encode()


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _token(text: str, longest: int) -> str:
    return _UNPRINTABLE.sub("_", text)[:longest] or _NIL


def _escaped(value: str) -> str:
    """A parameter's value (section 6.3.3)."""
    return _ESCAPED.sub(lambda found: f"\\{found[0]}", value)


def framed(written: bytes) -> bytes:
    """A line in a stream: its length in octets stands before it."""
    return b"%d %b" % (len(written), written)
