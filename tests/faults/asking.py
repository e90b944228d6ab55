"""Programs that ask while the service is in trouble: which web server answers, within which time, and what."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import orjson
import urllib3

from tests.faults.checker import History, Life, Probe, Span
from tests.faults.company import Company
from tests.faults.whole import Whole
from tests.web.oauth import bearer

_JSON = {"Content-Type": "application/json"}
_PATIENCE_SECONDS = 40.0
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request was answered: no status where nobody did."""

    span: Span
    status: int | None
    data: bytes = b""

    @property
    def body(self) -> Any:
        """The answer, where it is JSON."""
        return orjson.loads(self.data)

    @property
    def seconds(self) -> float:
        """How long that took."""
        return self.span.done - self.span.begun

    @property
    def is_done(self) -> bool:
        """Whether what was asked for is certain to have been done."""
        return self.status is not None and self.status < 300

    @property
    def is_unknown(self) -> bool:
        """Whether what was asked for may have been done all the same."""
        return self.status is None or self.status >= 500


class Client:
    """An HTTP client that keeps its connections and never tries again; threads share it."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(maxsize=32, retries=False)
        # What took longest so far.
        self.longest = 0.0

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> Answer:
        """One request."""
        sent = None if body is None else orjson.dumps(body)
        begun = time.monotonic()
        try:
            told = self._pool.request(
                method, url, body=sent, headers={**_JSON, **headers}, timeout=_PATIENCE_SECONDS, redirect=False
            )
        except urllib3.exceptions.HTTPError:
            status, data = None, b""
        else:
            status, data = told.status, told.data
        done = time.monotonic()
        self.longest = max(self.longest, done - begun)
        return Answer(Span(begun, done), status, data)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()


def check(client: Client, url: str, company: Company, session: str) -> tuple[Answer, bool | None, str | None]:
    """Ask about a session as an application does: whether it is active, and why not; None where nobody said so."""
    answer = client.ask("POST", f"{url}/api/sessions/check", company.api, {"token": session})
    if answer.status != _OK:
        return answer, None, None
    told = answer.body["data"]["session"]
    return answer, told["active"], told["reason"]


def use(client: Client, url: str, token: str) -> tuple[Answer, bool | None, str | None]:
    """Use an API token; one that may not do so is known all the same."""
    answer = client.ask("GET", f"{url}/api", bearer(token))
    return answer, {_OK: True, _FORBIDDEN: True, _UNAUTHORIZED: False}.get(answer.status or 0), "ended"


Ask = Callable[[str], tuple[Answer, bool | None, str | None]]


class Prober:
    """Asks about all lives it is told of, in turn by chance, at both web servers, and writes down what it heard."""

    def __init__(
        self, webs: list[str], history: History, *, threads: int = 2, pause: float = 0.0, seed: int = 0
    ) -> None:
        self.history = history
        self.client = Client()
        self._webs, self._pause = webs, pause
        self._asks: list[tuple[str, Ask]] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._go_on, args=(seed + n,), daemon=True) for n in range(threads)]

    def watch(self, life: Life, ask: Callable[[Client, str], tuple[Answer, bool | None, str | None]]) -> None:
        """Ask about this life, too, from now on."""
        self.history.lives[life.id] = life
        self._asks.append((life.id, lambda url: ask(self.client, url)))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.client.close()

    def _go_on(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be kept secret
        while not self._over.wait(self._pause):
            if not self._asks:
                self._over.wait(0.01)
                continue
            life, ask = chance.choice(self._asks)
            answer, active, reason = ask(chance.choice(self._webs))
            self.history.probes.append(Probe(life, answer.span, active, reason))


@contextmanager
def probed(whole: Whole, company: Company, *sessions: str) -> Iterator[Prober]:
    """Ask about sessions that have ended all the time until the block ends; not once may one be called active."""
    with Prober(whole.webs, History(), pause=0.02) as prober:
        for session in sessions:
            life = Life(session, frozenset(), Span(0, 0))
            prober.watch(life, lambda client, url, session=session: check(client, url, company, session))
        yield prober
    assert [probe for probe in prober.history.probes if probe.active] == []
    assert any(probe.active is False for probe in prober.history.probes)
