"""An endpoint of somebody else's: keeps what it is sent, and can be told to be difficult."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def events(self) -> list[dict[str, Any]]:
        return json.loads(self.body)["data"]["events"]


class Receiver(ThreadingHTTPServer):
    """Listens on a port of the loopback address.

    Args:
        certificate: a file with a key and a certificate; without one it speaks plain HTTP.
        port: where; any free one where it isn't said.
    """

    daemon_threads = True

    def __init__(self, certificate: Path | None = None, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.scheme = "http"
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            # The handshake is made by whoever handles the connection.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.received: list[Received] = []
        # What the next requests are answered: a status, or what waits before it tells one.
        self.answers: list[int | Callable[[], int]] = []
        self.always = 204
        self.headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/audit"

    def names(self) -> list[str]:
        """The names of all events that it was sent."""
        return [event["type"] for one in list(self.received) for event in one.events]

    def answer(self, request: Received) -> int:
        self.received.append(request)
        chosen = self.answers.pop(0) if self.answers else self.always
        return chosen() if callable(chosen) else chosen

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that is killed, or trusts nobody, is no trouble of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        status = self.server.answer(Received(self.path, headers, body))
        self.send_response_only(status)
        self.send_header("Location", "https://elsewhere.example/")
        self.send_header("Content-Length", "0")
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its signature
        """Says nothing."""


@contextmanager
def running(server: Receiver) -> Iterator[Receiver]:
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
