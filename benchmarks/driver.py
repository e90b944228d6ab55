"""A client that costs little: HTTP/1.1 on asyncio's sockets, as many requests under way as asked for, all judged.

A script is a generator: it yields requests and is sent their answers, so that what follows can rest on what came. It
raises `Wrong` at an answer that is not what it must be; that counts as an error, never as a fast answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from typing import Any, TypeVar

import orjson

# A connection is left after so many requests: else the chance of which process accepted it would decide a whole run.
_REQUESTS_PER_CONNECTION = 50
_PATIENCE_SECONDS = 60
_SHOWN = 3


class Wrong(Exception):
    """An answer is not what it must be."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; the body is SCIM's JSON, and who asks is told by the address, unless something else is given."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/scim+json"
    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON.

        Raises:
            Wrong: it is none.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Wrong(f"{self.status} with a body that is not JSON: {self.body[:200]!r}") from None


R = TypeVar("R")
Script = Generator[Request, Answer, R]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and what is sent along with every request."""

    port: int
    authorization: str = ""

    def head(self, request: Request) -> bytes:
        """The request on the wire."""
        authorization = request.authorization or self.authorization
        proof = f"Authorization: {authorization}\r\n" if authorization else ""
        sent = f"Content-Type: {request.content_type}\r\nContent-Length: {len(request.body)}\r\n"
        head = f"{request.method} {request.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{proof}"
        return f"{head}{sent if request.body else ''}\r\n".encode() + request.body


@dataclass(slots=True)
class Run:
    """What became of one workload's run: how long each request took, and what was wrong."""

    seconds: float = 0.0
    scripts: int = 0
    took: list[float] = field(default_factory=list)
    errors: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests that were answered rightly, a second."""
        return len(self.took) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float | None:
        """How many milliseconds so large a share of the requests took at the most."""
        ordered = sorted(self.took)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None

    def find(self, error: Exception) -> None:
        """Count an error; the first few are told."""
        self.errors += 1
        if len(self.wrong) < _SHOWN:
            self.wrong.append(f"{type(error).__name__}: {error}"[:300])


class _Wire(asyncio.Protocol):
    """One connection, with one request under way at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answered: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        answered = self._answered
        if answered is not None and not answered.done():
            try:
                answer = _parsed(self._received)
            except ValueError as error:
                answered.set_exception(Wrong(f"what came is not HTTP: {error}"))
            else:
                if answer is not None:
                    self._received.clear()
                    answered.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError("the server closed the connection"))

    async def ask(self, head: bytes) -> Answer:
        assert self._transport is not None  # noqa: S101 - made by create_connection
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(head)
        return await self._answered

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _parsed(received: bytearray) -> Answer | None:
    """The answer, once all of it is there."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(received[:end]).lower()
    status, begin = int(head[9:12]), end + 4
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(head[at + 17 : (head + b"\r\n").find(b"\r\n", at + 2)])
        return Answer(status, bytes(received[begin : begin + length])) if len(received) >= begin + length else None
    if b"transfer-encoding: chunked" in head:
        return _unchunked(status, bytes(received[begin:]))
    return Answer(status, b"")


def _unchunked(status: int, rest: bytes) -> Answer | None:
    if not rest.endswith(b"0\r\n\r\n"):
        return None
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return Answer(status, body)
        body, rest = body + rest[:length], rest[length + 2 :]


def drive(address: Address, scripts: Iterator[Script[Any]], *, seconds: float, at_once: int) -> Run:
    """Carry out scripts until the time is over or none is left, each client at least one.

    Args:
        address: of the server.
        scripts: what is to be done; each is begun by whichever client is free.
        seconds: after which none is begun any more.
        at_once: how many clients there are, each with a connection of its own.
    """
    return asyncio.run(_drive(address, scripts, seconds, at_once))


def carry_out(address: Address, script: Script[R]) -> R:
    """Carry one script out, and return what it returns.

    Raises:
        Wrong: an answer is.
    """
    found: list[R] = []

    def kept() -> Script[None]:
        found.append((yield from script))

    run = drive(address, iter([kept()]), seconds=0, at_once=1)
    if run.errors:
        raise Wrong(run.wrong[0])
    return found[0]


async def _drive(address: Address, scripts: Iterator[Script[Any]], seconds: float, at_once: int) -> Run:
    run = Run()
    begun = time.perf_counter()
    clients = (_client(address, scripts, begun + seconds, run) for _ in range(at_once))
    try:
        # One clock for all: one for each request would cost as much as the request.
        await asyncio.wait_for(asyncio.gather(*clients), seconds + _PATIENCE_SECONDS)
    except TimeoutError:
        run.find(TimeoutError(f"answers were not there after {_PATIENCE_SECONDS} s"))
    run.seconds = time.perf_counter() - begun
    return run


async def _client(address: Address, scripts: Iterator[Script[Any]], deadline: float, run: Run) -> None:
    wires: list[_Wire] = []
    left = 0
    for script in scripts:
        answer = None
        try:
            while True:
                request = next(script) if answer is None else script.send(answer)
                if not left:
                    wires, left = [await _renewed(address, wires)], _REQUESTS_PER_CONNECTION
                left -= 1
                begun = time.perf_counter()
                answer = await wires[0].ask(address.head(request))
                run.took.append(time.perf_counter() - begun)
        except StopIteration:
            run.scripts += 1
        except (Wrong, OSError, KeyError, IndexError, TypeError) as error:
            if run.took:
                run.took.pop()
            run.find(error)
            left = 0
        if time.perf_counter() >= deadline:
            break
    for wire in wires:
        wire.close()


async def _renewed(address: Address, wires: list[_Wire]) -> _Wire:
    for wire in wires:
        wire.close()
    _, wire = await asyncio.get_running_loop().create_connection(_Wire, "127.0.0.1", address.port)
    return wire


class _Trivial(asyncio.Protocol):
    """Answers everything with the same bytes."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def _serve_trivially(pipe: Pipe) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Trivial, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def _trivial_server() -> Iterator[Address]:
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve_trivially, args=(there,), daemon=True)
    process.start()
    try:
        yield Address(here.recv())
    finally:
        process.terminate()
        process.join()


def ceiling(*, seconds: float = 1.0, at_once: int = 8) -> float:
    """How many requests a second the driver itself can send to a server that does nothing."""

    def ask() -> Script[None]:
        answer = yield Request("GET", "/")
        if answer.document != {}:
            raise Wrong(str(answer.body))

    endless: Callable[[], Iterator[Script[None]]] = lambda: (ask() for _ in iter(int, 1))  # noqa: E731 - one expression
    with _trivial_server() as address:
        return drive(address, endless(), seconds=seconds, at_once=at_once).rate
