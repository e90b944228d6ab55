"""One call of an endpoint: what it is sent, and whether it took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from importlib.metadata import version

import requests

from provisioning.forwarding.later import asked_pause
from provisioning.forwarding.messages import Signed
from provisioning.outbound import Outbound

_SUCCESSFUL = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
_AGENT = f"provisioning/{version('provisioning')}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call.

    Args:
        status: what was answered, if anything was.
        error: why it was not taken, in a word; an answer's text, or an address, may hold what must not be kept.
        pause: how long it asks to be left alone.
    """

    status: int | None = None
    error: str | None = None
    pause: timedelta = timedelta(0)

    @property
    def taken(self) -> bool:
        """Whether the endpoint has taken what it was sent."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether it wants nothing any more, which is what Standard Webhooks has 410 say."""
        return self.status == HTTPStatus.GONE


def session(outbound: Outbound) -> requests.Session:
    """What calls are made through: https to public addresses, no redirect, no proxy of the environment."""
    made = requests.Session()
    outbound.guard(made)
    made.headers["User-Agent"] = _AGENT
    return made


def post(http: requests.Session, url: str, signed: Signed, *, now: datetime) -> Outcome:
    """Send a message: only an answer of 2xx takes it."""
    try:
        answer = http.post(url, data=signed.body, headers=signed.headers, allow_redirects=False)
    except requests.RequestException as error:
        if error.response is None:
            return Outcome(error=type(error).__name__)
        # A redirect, which this session goes nowhere by.
        answer = error.response
    except (OSError, ValueError) as error:
        return Outcome(error=type(error).__name__)
    status = answer.status_code
    if status in _SUCCESSFUL:
        return Outcome(status)
    return Outcome(status, f"HTTP {status}", asked_pause(answer.headers, now=now))
