"""Strikes at the service, by chance that can be repeated: one fault after another, each of which is healed again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
import redis

from provisioning import nudge
from provisioning.outbox import Urgency
from tests.faults.whole import Whole

_PARTS = ("web-a", "web-b", "worker-a", "worker-b", "beat-a", "beat-b")
_WITH_CHILDREN = ("web-a", "web-b", "worker-a", "worker-b")


@dataclass
class Nemesis:
    """Counts what it does, and how long the service took to be ready again.

    Args:
        whole: the service.
        seed: which faults in which order.
    """

    whole: Whole
    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - to be repeated, not to be kept secret

    @property
    def kills(self) -> int:
        """How many of the faults were a SIGKILL."""
        return sum(times for name, times in self.struck.items() if name.startswith("kill"))

    def strike(self) -> str:
        """One fault, and its end; returns once the service is ready again."""
        name = self._chance.choice(KILLS if self._chance.random() < _SHARE_OF_KILLS else TROUBLES)
        self.struck[name] += 1
        begun = time.monotonic()
        FAULTS[name](self)
        self._pause(0.1, 1.0)
        self.whole.mend()
        self.whole.ready()
        self.recoveries.append(time.monotonic() - begun)
        return name

    def _pause(self, least: float, most: float) -> None:
        time.sleep(self._chance.uniform(least, most))

    def kill_a_part(self) -> None:
        self.whole.parts[self._chance.choice(_PARTS)].kill()

    def kill_a_child(self) -> None:
        self.whole.parts[self._chance.choice(_WITH_CHILDREN)].kill_child()

    def kill_redis(self) -> None:
        self.whole.fell(self.whole.servers.redis)

    def kill_postgres(self) -> None:
        self.whole.fell(self.whole.servers.postgres)

    def restart_postgres_at_once(self) -> None:
        """PostgreSQL's own immediate shutdown: without a checkpoint, to be recovered from its log."""
        self.whole.fell(self.whole.servers.postgres, signal.SIGQUIT)

    def end_a_backend(self) -> None:
        with suppress(psycopg.OperationalError), self._database() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = 'provisioning' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3"
            )

    def restart_a_part(self) -> None:
        self.whole.parts[self._chance.choice(_PARTS)].end()

    def stop_a_part(self) -> None:
        self.whole.parts[self._chance.choice(_PARTS)].signal(signal.SIGSTOP)
        self._pause(0.5, 2.0)

    def stop_redis(self) -> None:
        redis_pid = self.whole.servers.redis.pid
        os.kill(redis_pid, signal.SIGSTOP)
        self._pause(0.5, 2.0)
        os.kill(redis_pid, signal.SIGCONT)

    def empty_redis(self) -> None:
        with suppress(redis.RedisError), self.whole.broker() as forgetful:
            forgetful.flushall()

    def double_deliveries(self) -> None:
        """What is being worked on is delivered again, and nudges come by the hundred, in any order."""
        with suppress(redis.RedisError), self.whole.broker() as doubling:
            for message in doubling.zrange("unacked_index", 0, -1):
                doubling.zadd("unacked_index", {message: 0})
        for urgency in self._chance.sample(list(Urgency) * 50, k=100):
            nudge.drain(urgency)

    def break_the_network(self) -> None:
        way = self._chance.choice((self.whole.to_postgres, self.whole.to_redis))
        self._chance.choice((way.refuse, way.swallow, lambda: way.delay(0.05), lambda: way.cut_after(500)))()
        self._pause(0.5, 2.0)

    def lose_an_answer(self) -> None:
        self.whole.to_postgres.drop_the_answer_to(b"COMMIT\0")
        self._pause(0.3, 0.6)

    def turn_a_clock(self) -> None:
        """A web server and a worker come back with clocks that are five minutes off; the next restart sets them."""
        for kind, off in (("web", 300.0), ("worker", -300.0)):
            self.whole.parts[f"{kind}-{self._chance.choice('ab')}"].restart(off=off * self._chance.choice((1, -1)))
        self._pause(2.0, 4.0)

    def _database(self) -> psycopg.Connection[tuple[object, ...]]:
        where = str(self.whole.servers.sockets)
        return psycopg.connect(host=where, user="postgres", dbname="provisioning", autocommit=True)


FAULTS: dict[str, Callable[[Nemesis], None]] = {
    "kill a part": Nemesis.kill_a_part,
    "kill a child": Nemesis.kill_a_child,
    "kill Redis": Nemesis.kill_redis,
    "kill PostgreSQL": Nemesis.kill_postgres,
    "restart PostgreSQL at once": Nemesis.restart_postgres_at_once,
    "end backends": Nemesis.end_a_backend,
    "end a part": Nemesis.restart_a_part,
    "stop a part": Nemesis.stop_a_part,
    "stop Redis": Nemesis.stop_redis,
    "empty Redis": Nemesis.empty_redis,
    "double deliveries": Nemesis.double_deliveries,
    "break the network": Nemesis.break_the_network,
    "lose an answer": Nemesis.lose_an_answer,
    "turn a clock": Nemesis.turn_a_clock,
}
# Parts and children die more often than servers, as they do.
KILLS = (*["kill a part"] * 4, *["kill a child"] * 3, "kill Redis", "kill PostgreSQL")
TROUBLES = tuple(name for name in FAULTS if not name.startswith("kill"))
_SHARE_OF_KILLS = 0.7
