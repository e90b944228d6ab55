"""Requests that go out to addresses which an admin typed: bounded, and never a way into the network that we stand in.

What is judged is the peer that answered the connection, not the name that was asked for: a name can change what it
stands for between the look and the call. Nothing is sent before the peer has been judged.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import DEFAULT_POOLBLOCK, HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import InvalidURL
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# What Python takes for global and no stranger stands behind: a company's own translator, site-local, and IPv4 within.
_INWARD = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "fec0::/10", "::/96")))
_LARGEST_ANSWER = 1024 * 1024
_LONGEST_SECONDS = 10.0
_CHUNK = 64 * 1024


class ForbiddenAddress(RequestsConnectionError):
    """The address leads into a network that is none of the caller's business."""


class _Refused(Exception):
    """Says so through urllib3, which takes whatever is an `OSError` for trouble with the network."""


class Outbound:
    """What may be called: public addresses over https, and the private hosts that the operator names.

    Args:
        private_hosts: names or addresses of hosts that may stand in a private network, and speak plain http there.
        loopback: whether this machine's own services may be called, over http too: in development alone.
        at_once: how many calls there may be at one time: what is called must not use up who calls.
        longest_seconds: how long a call may take as a whole.
    """

    def __init__(
        self,
        *,
        private_hosts: Iterable[str] = (),
        loopback: bool = False,
        at_once: int = 2,
        longest_seconds: float = _LONGEST_SECONDS,
    ) -> None:
        self._private_hosts = frozenset(host.lower() for host in private_hosts)
        self._loopback = loopback
        self.places = threading.BoundedSemaphore(at_once)
        self.longest_seconds = longest_seconds

    def allows(self, url: str) -> bool:
        """Whether an address may be called, as far as its text tells; the call itself judges the peer."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        host = (parts.hostname or "").lower()
        if not host or parts.username or parts.password:
            return False
        if (literal := _literal(host)) is not None and not self.allows_peer(host, literal):
            return False
        is_known = host in self._private_hosts or (self._loopback and _is_loopback(host))
        return parts.scheme == "https" or (parts.scheme == "http" and is_known)

    def allows_peer(self, host: str, address: str) -> bool:
        """Whether the machine at this address may be spoken to under this name."""
        if host.lower() in self._private_hosts:
            return True
        found = _meant(ipaddress.ip_address(address.partition("%")[0]))
        is_public = found.is_global and not found.is_multicast and not any(found in network for network in _INWARD)
        return is_public or (self._loopback and found.is_loopback)

    def guard(self, session: Session) -> None:
        """Have a session of `requests` call nothing else, follow no redirect and believe no proxy or netrc."""
        session.trust_env = False
        session.max_redirects = 0
        adapter = _Adapter(self)
        session.mount("https://", adapter)
        session.mount("http://", adapter)


def _meant(found: _Address) -> _Address:
    """The address that another one carries: mapped, by 6to4, or for a translator to the fourth version (RFC 6052)."""
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _TRANSLATED:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or found


def _literal(host: str) -> str | None:
    """The host where it is an address itself, which nothing has to be asked about."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return host == "localhost" if literal is None else ipaddress.ip_address(literal).is_loopback


class _Adapter(HTTPAdapter):
    """Sends what is allowed, and reads no more than is bearable."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._opened: list[socket.socket] = []
        super().__init__(max_retries=0)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = DEFAULT_POOLBLOCK,  # noqa: FBT001 - requests' signature
        **pool_kwargs: Any,
    ) -> None:
        """Connections that judge their peer."""
        # What the machine trusts, and `SSL_CERT_FILE` names, besides the list that requests brings along.
        trust = ssl.create_default_context()
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=trust, **pool_kwargs
        )
        self.poolmanager.pool_classes_by_scheme = _pools(self._outbound, self._opened)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """One request and its whole answer.

        Raises:
            InvalidURL: the address may not be called.
            ForbiddenAddress: what answers there may not be spoken to.
            RequestsConnectionError: too much is asked at once, the answer is too large, or comes too slowly.
        """
        if not self._outbound.allows(request.url or ""):
            raise InvalidURL("This address may not be called.")
        if not self._outbound.places.acquire(blocking=False):
            raise RequestsConnectionError("Too many calls go out at this moment.")
        kwargs |= {"stream": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        late = threading.Event()
        over = threading.Timer(self._outbound.longest_seconds, self._cut, [late])
        over.start()
        try:
            return _read(super().send(request, *args, **kwargs), late)
        except _Refused:
            raise ForbiddenAddress("What answers at this address may not be spoken to.") from None
        finally:
            over.cancel()
            self._forget()
            # The next call opens a connection of its own, which can be cut: this one's may be taken already.
            self.poolmanager.clear()
            self._outbound.places.release()

    def _cut(self, late: threading.Event) -> None:
        """End what has been opened, wherever it waits: for a handshake, for headers that drip, or for a body."""
        late.set()
        for opened in self._opened:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        while self._opened:
            self._opened.pop().close()


def _read(response: Response, late: threading.Event) -> Response:
    """The whole answer, as far as it is bearable."""
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            response.close()
            raise RequestsConnectionError("The answer is too large.")
    # What was cut off within its headers looks like a whole answer.
    if late.is_set():
        raise RequestsConnectionError("The answer came too slowly.")
    response._content = bytes(body)  # noqa: SLF001 - how requests itself keeps what it has read
    return response


def _pools(outbound: Outbound, opened: list[socket.socket]) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _judged(outbound, opened, self.host, super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _judged(outbound, opened, self.host, super()._new_conn())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _judged(outbound: Outbound, opened: list[socket.socket], host: str, connected: socket.socket) -> socket.socket:
    if outbound.allows_peer(host, connected.getpeername()[0]):
        # Another handle of the same connection: the first one is going to be wrapped for TLS.
        opened.append(connected.dup())
        return connected
    connected.close()
    raise _Refused
