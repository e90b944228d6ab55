"""The whole service on servers of its own: two web servers, two workers, two beats; each can be killed and comes back.

Web server `b` reaches PostgreSQL and Redis through proxies, so that its network can fail while that of `a` does not.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import psutil
import redis
import requests
from honcho.environ import parse_procfile

from provisioning.embedded import EmbeddedPostgres, EmbeddedRedis
from provisioning.outbox import Urgency
from tests.bench import Processes, Servers, servers
from tests.faults.proxy import Proxy
from tests.service import free_port
from tests.waiting import eventually

PROCFILE = parse_procfile((Path(__file__).parents[2] / "Procfile").read_text()).processes
_SITE = Path(__file__).parent / "site"
_EVERY_QUEUE = ("worker", "--queues", ",".join(Urgency), "--concurrency", "2", "--loglevel", "warning")
WORKER = (sys.executable, "-m", "workers", *_EVERY_QUEUE, "--without-gossip", "--without-mingle")
BEAT = (sys.executable, "-m", "workers", "beat", "--loglevel", "warning")


@dataclass
class Part:
    """One process of the service and what it starts, which is restarted as a supervisor does."""

    name: str
    command: tuple[str, ...]
    processes: Processes
    output: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    process: Popen[bytes] | None = None
    tampered: bool = False

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.process is None or self.process.poll() is not None:
            self.process = self.processes.start(*self.command, output=self.output, **self.environ)
            self.tampered = False

    def signal(self, number: int) -> None:
        """Send a signal to the process and all that it has started, unless it has ended."""
        # The id of one that has ended may be another's by now.
        if self._running.poll() is None:
            os.killpg(self._running.pid, number)

    def kill(self) -> None:
        """End it and all that it has started, at whatever instruction they are."""
        self.signal(signal.SIGKILL)
        self._running.wait(timeout=10)

    def kill_child(self) -> None:
        """End one of the processes that it has started; where there is none, itself."""
        if self._running.poll() is not None:
            return
        children = psutil.Process(self._running.pid).children(recursive=True)
        if not children:
            self.kill()
            return
        with suppress(psutil.NoSuchProcess):
            children[-1].kill()

    def end(self) -> None:
        """Ask it to end, and wait until it has."""
        self._running.terminate()
        self._running.wait(timeout=30)

    def restart(self, *, off: float = 0.0, dies_of: str = "") -> None:
        """Kill it and start it anew, tampered with until the next start.

        Args:
            off: by so many seconds its clock is wrong.
            dies_of: a statement with this value kills it.
        """
        if self.process is not None:
            self.kill()
        path = f"{_SITE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        tampered = {"PYTHONPATH": path, "FAULTS_CLOCK": str(off), "FAULTS_DEADLY": dies_of}
        self.process = self.processes.start(*self.command, output=self.output, **{**self.environ, **tampered})
        self.tampered = True

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._running.pid

    @property
    def _running(self) -> Popen[bytes]:
        assert self.process is not None, f"{self.name} was not started"
        return self.process


@dataclass(frozen=True)
class Whole:
    """The running service."""

    servers: Servers
    parts: Mapping[str, Part]
    to_postgres: Proxy
    to_redis: Proxy
    down: list[EmbeddedPostgres | EmbeddedRedis] = field(default_factory=list)

    @property
    def webs(self) -> list[str]:
        """The base URLs of the web servers: one straight, one through the proxies."""
        return [self.url("web-a"), self.url("web-b")]

    def url(self, web: str) -> str:
        """The base URL of a web server."""
        return f"http://127.0.0.1:{self.parts[web].environ['PROVISIONING_PORT']}"

    def broker(self) -> redis.Redis:
        """A way into Redis, whatever the proxy does."""
        return redis.Redis(unix_socket_path=str(self.servers.sockets / "redis.sock"), socket_timeout=5)

    def fell(self, server: EmbeddedPostgres | EmbeddedRedis, number: int = signal.SIGKILL) -> None:
        """End a server by a signal; it is down until all is mended."""
        os.kill(server.pid, number)
        server.stop()
        self.down.append(server)

    def mend(self) -> None:
        """Have everything run again: servers, parts, network."""
        while self.down:
            self.down.pop().start()
        for proxy in (self.to_postgres, self.to_redis):
            proxy.mend()
        for part in self.parts.values():
            if part.tampered:
                part.kill()
            part.start()
            part.signal(signal.SIGCONT)

    def ready(self, *, within: float = 60) -> None:
        """Wait until both web servers can serve."""
        for url in self.webs:
            eventually(lambda url=url: is_ready(url), within=within)


def is_ready(url: str) -> bool:
    """Whether a web server says that it can serve."""
    try:
        return requests.get(f"{url}/health/ready", timeout=2).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def whole(folder: Path, cluster: Path | None = None) -> Iterator[Whole]:
    """Run the service until the block ends; no part of it has been started yet.

    Args:
        folder: for all that it writes.
        cluster: what its database is a copy of; without one it is empty.
    """
    with servers(folder, durable=True, cluster=cluster) as running:
        proxies = Proxy(running.sockets / ".s.PGSQL.5432"), Proxy(running.sockets / "redis.sock")
        processes = Processes({**running.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
        parts = [*_webs(processes, folder, *proxies)]
        for name in ("a", "b"):
            worker = (*WORKER, "--hostname", f"{name}@%h")
            parts.append(Part(f"worker-{name}", worker, processes, folder / f"worker-{name}.txt"))
            parts.append(Part(f"beat-{name}", BEAT, processes, folder / f"beat-{name}.txt"))
        try:
            yield Whole(running, {part.name: part for part in parts}, *proxies)
        finally:
            for part in parts:
                if part.process is not None:
                    part.kill()
            for proxy in proxies:
                proxy.end()


def _webs(processes: Processes, folder: Path, to_postgres: Proxy, to_redis: Proxy) -> Iterator[Part]:
    """The Procfile's own line, twice."""
    through = {
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{to_postgres.port}/provisioning",
        "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0",
    }
    for name, reached in (("web-a", {}), ("web-b", through)):
        environ = {"PROVISIONING_PORT": str(free_port()), "PROVISIONING_WEB_PROCESSES": "1", **reached}
        yield Part(name, ("sh", "-c", PROCFILE["web"]), processes, folder / f"{name}.txt", environ)
