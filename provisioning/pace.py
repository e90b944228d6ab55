"""How fast somebody may ask: so many times a minute, counted in the broker's Redis, or in this process without it.

Losing the counts does no harm, and a Redis that is away or frozen never holds a request up: then each process counts
for itself for a while.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

_MINUTE = 60
_PATIENCE_SECONDS = 0.1
_AWAY_SECONDS = 10.0
# Of a large measure so small a share is taken at once, and lapses soon: what a process does not use never matters.
_SHARE, _SHARE_SECONDS = 1000, 1.0
_MOST_SHARES = 10_000
_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measure:
    """How much somebody has asked in this minute.

    Args:
        limit: how many requests are answered in a minute.
        asked: how many there were, this one included.
        seconds: when the next minute begins, in whole seconds; 1 at least.
    """

    limit: int
    asked: int
    seconds: int

    @property
    def left(self) -> int:
        """How many more are answered in this minute."""
        return max(0, self.limit - self.asked)

    @property
    def is_exceeded(self) -> bool:
        """Whether this one is not answered."""
        return self.asked > self.limit


@dataclass(frozen=True, slots=True)
class Measures:
    """How many requests a minute are answered: to one address at sign-in, and to one address or OAuth client."""

    sign_in: int
    oauth: int
    introspection: int


class Pace:
    """Counts what each asks in a minute.

    Args:
        redis_url: of a Redis that all processes share; another broker can't count.
        per_minute: how many are allowed to whoever has no measure of their own.
    """

    def __init__(self, redis_url: str | None, *, per_minute: int) -> None:
        self._per_minute = per_minute
        self._here = FixedWindowRateLimiter(MemoryStorage())
        shared = _storage(redis_url)
        self._shared = None if shared is None else FixedWindowRateLimiter(shared)
        self._away_until = 0.0
        self._shares = _Shares()

    def take(self, who: str, per_minute: int | None, *, of: str = "scim") -> int | None:
        """Count one request.

        Args:
            who: asks.
            per_minute: how many are allowed; None for the measure that all have.
            of: what is asked for; each thing is counted by itself.

        Returns:
            None, or in how many seconds to come again where it was one too many.
        """
        item = RateLimitItemPerMinute(per_minute or self._per_minute)
        share = max(1, item.amount // _SHARE)
        if share == 1:
            return self._counted(lambda limiter: _taken(limiter, item, of, who))
        if self._shares.use(of, who) is not None:
            return None
        wait = self._counted(lambda limiter: _taken(limiter, item, of, who, share))
        if wait is None:
            self._shares.keep(of, who, left=share - 1)
        return wait

    def measure(self, what: str, who: str, per_minute: int) -> Measure:
        """Count one request by minutes of the clock, and tell how many there were.

        Of a large measure other processes may have taken shares that they have not used: too many are told then.

        Args:
            what: of which kind it is; each kind is counted apart.
            who: asks.
            per_minute: how many are allowed.
        """
        now = time.time()
        key = f"{what}/{who}/{int(now // _MINUTE)}"
        share = max(1, per_minute // _SHARE)
        asked = self._shares.use(what, key)
        if asked is None:
            taken = self._counted(lambda limiter: limiter.storage.incr(key, _MINUTE, share))
            asked = taken - share + 1
            self._shares.keep(what, key, left=share - 1, asked=asked)
        return Measure(per_minute, asked, max(1, math.ceil(_MINUTE - now % _MINUTE)))

    def _counted(self, count: Callable[[FixedWindowRateLimiter], T]) -> T:
        """Count where all processes do, or here while that is away."""
        limiter = self._here if self._shared is None or time.monotonic() < self._away_until else self._shared
        try:
            return count(limiter)
        except (StorageError, RedisError, OSError) as error:
            _log.warning("requests are counted by each process for itself (%s)", type(error).__name__)
            self._away_until = time.monotonic() + _AWAY_SECONDS
            return count(self._here)


class _Shares:
    """What was counted already and may still be used, so that not every request needs a round trip."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[int, int, float]] = {}
        self._lock = threading.Lock()

    def use(self, of: str, who: str) -> int | None:
        """Use one that has not lapsed, and tell which one of all it is; None where there is none."""
        with self._lock:
            left, asked, lapses = self._left.get((of, who), (0, 0, 0.0))
            if left < 1 or time.monotonic() >= lapses:
                return None
            self._left[of, who] = (left - 1, asked + 1, lapses)
            return asked + 1

    def keep(self, of: str, who: str, *, left: int, asked: int = 0) -> None:
        """Keep some, of which the one before was the so many'th; those of very many others are forgotten."""
        if not left:
            return
        with self._lock:
            if len(self._left) >= _MOST_SHARES:
                self._left.clear()
            self._left[of, who] = (left, asked, time.monotonic() + _SHARE_SECONDS)


def _taken(
    limiter: FixedWindowRateLimiter, item: RateLimitItemPerMinute, of: str, who: str, count: int = 1
) -> int | None:
    if limiter.hit(item, of, who, cost=count):
        return None
    return max(1, math.ceil(limiter.get_window_stats(item, of, who).reset_time - time.time()))


class _Redis(RedisStorage):
    """Counts in Redis, by the client for Redis alone: another one that happens to be here would be loaded, too."""

    DEPENDENCIES = {"redis": RedisStorage.DEPENDENCIES["redis"]}  # noqa: RUF012 - as it is declared there


def _storage(redis_url: str | None) -> Storage | None:
    if redis_url is None or not redis_url.startswith(("redis://", "rediss://", "unix://")):
        return None
    address = redis_url.replace("unix://", "redis+unix://", 1) if redis_url.startswith("unix://") else redis_url
    return _Redis(address, socket_timeout=_PATIENCE_SECONDS, socket_connect_timeout=_PATIENCE_SECONDS)
