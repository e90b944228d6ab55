"""One call of an endpoint: what it is sent, and whether it took it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version

import requests

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
    """

    status: int | None = None
    error: str | None = None

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


def post(http: requests.Session, url: str, signed: Signed) -> Outcome:
    """Send a message: only an answer of 2xx takes it."""
    try:
        status = http.post(url, data=signed.body, headers=signed.headers, allow_redirects=False).status_code
    except requests.RequestException as error:
        if error.response is None:
            return Outcome(error=type(error).__name__)
        # A redirect, which this session goes nowhere by.
        status = error.response.status_code
    except (OSError, ValueError) as error:
        return Outcome(error=type(error).__name__)
    return Outcome(status) if status in _SUCCESSFUL else Outcome(status, f"HTTP {status}")
