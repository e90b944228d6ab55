"""When an endpoint that took nothing wants to be asked again (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_NONE = timedelta(0)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def asked_pause(headers: Mapping[str, str], *, now: datetime) -> timedelta:
    """How long an answer asks us to wait: nothing where it does not say so, or not as the standard has it.

    A date is taken by the clock of who wrote it, where the answer tells that.

    Args:
        headers: of the answer, found without case.
        now: by our clock.
    """
    told = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(told):
        return timedelta(seconds=int(told))
    then = _moment(told)
    return _NONE if then is None else max(then - (_moment(headers.get("Date", "")) or now), _NONE)


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date of HTTP is of Greenwich, whether or not it says so.
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
