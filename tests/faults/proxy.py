"""A TCP way to a server's Unix socket that fails as networks do: refused, silent, cut off, slow, or without the answer.

It runs in a thread of the test's process. What is asked of it holds for connections that are open, too.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_CHUNK = 65_536


class Proxy:
    """One way, which is open until it is told to fail.

    Args:
        to: the server's Unix socket.
    """

    def __init__(self, to: Path) -> None:
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy to {to.name}", daemon=True)
        self._thread.start()
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._carries = self._run(_event())
        self._delay = 0.0
        self._left: int | None = None
        self._unanswered: bytes | None = None
        self.port = 0
        # How often an answer was dropped, or a connection cut off.
        self.struck = 0
        self.mend()

    def refuse(self) -> None:
        """Nobody listens any more, and what was open is cut."""
        self._run(self._close())

    def swallow(self) -> None:
        """Take everything and carry nothing on: a network that lost its way, or a server that froze."""
        self._run(_call(self._carries.clear))

    def delay(self, seconds: float) -> None:
        """Carry each piece on so much later."""
        self._delay = seconds

    def cut_after(self, count: int) -> None:
        """Cut the connection off on which so many more bytes were answered."""
        self._left = count

    def drop_the_answer_to(self, words: bytes) -> None:
        """Carry the next request with these words to the server, and cut the connection off before its answer."""
        self._unanswered = words

    def mend(self) -> None:
        """Carry everything again; what was swallowed arrives late."""
        self.mend_what_is_open()
        self._run(self._listen())

    def mend_what_is_open(self) -> None:
        """As `mend`, but let nobody in who was refused."""
        self._delay, self._left, self._unanswered = 0.0, None, None
        self._run(_call(self._carries.set))

    def end(self) -> None:
        """Cut everything, for good."""
        self.refuse()
        self.mend_what_is_open()
        self._run(_settled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        done: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return done.result(timeout=10)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        self._open.add(writer)
        try:
            from_server, to_server = await asyncio.open_unix_connection(self._to)
            ends.add(to_server)
            self._open.add(to_server)
            awaited = _Awaited()
            ways = (self._carry(reader, to_server, awaited.ask), self._carry(from_server, writer, awaited.answer))
            await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass
        finally:
            for end in ends:
                self._open.discard(end)
                end.transport.abort()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        strikes: Callable[[Proxy, bytes], bool],
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(_CHUNK):
                await self._carries.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                if strikes(self, piece):
                    self.struck += 1
                    return
                writer.write(piece)
                await writer.drain()

    def asks_unanswered(self, piece: bytes) -> bool:
        """Whether this is the request whose answer is to be dropped; it is so once."""
        if self._unanswered is None or self._unanswered not in piece:
            return False
        self._unanswered = None
        return True

    def is_cut_by(self, piece: bytes) -> bool:
        """Whether this piece of an answer is one too many; it is so once."""
        if self._left is None:
            return False
        self._left -= len(piece)
        if self._left >= 0:
            return False
        self._left = None
        return True


class _Awaited:
    """Whether the answer that comes next on one connection is to be dropped."""

    def __init__(self) -> None:
        self._drops = False

    def ask(self, proxy: Proxy, piece: bytes) -> bool:
        self._drops = self._drops or proxy.asks_unanswered(piece)
        return False

    def answer(self, proxy: Proxy, piece: bytes) -> bool:
        return self._drops or proxy.is_cut_by(piece)


async def _event() -> asyncio.Event:
    return asyncio.Event()


async def _call(work: Callable[[], None]) -> None:
    work()


async def _settled() -> None:
    """Wait until every other task has come to its end."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
