"""A Redis-compatible broker of our own: in memory only, for it holds nothing that can't be lost."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from provisioning.embedded.binaries import Unavailable, redis_program

_PATIENCE_SECONDS = 10.0
_STOP_SECONDS = 3.0


class EmbeddedRedis:
    """One server on one Unix socket, which only we can open.

    Args:
        sockets: a short, private folder for the socket.
    """

    def __init__(self, *, sockets: Path) -> None:
        self._socket = sockets / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The broker's address, as redis-py writes it."""
        return f"unix://{self._socket}?db=0"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise Unavailable("Redis was not started")
        return self._process.pid

    def start(self) -> None:
        """Start the server.

        Raises:
            Unavailable: it can't be run here.
        """
        options = {"port": "0", "unixsocket": self._socket, "unixsocketperm": "700", "save": "", "appendonly": "no"}
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(  # noqa: S603 - a program out of our own packages
            [redis_program(), *arguments],
            cwd=self._socket.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable("the embedded Redis did not start: set REDIS_URL to one of yours")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self._socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self) -> None:
        """Stop the server."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
