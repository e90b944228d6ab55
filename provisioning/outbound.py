"""Requests that go out to addresses which an admin typed: bounded, and never a way into the network that we stand in.

What is judged is the peer that answered the connection, not the name that was asked for: a name can change what it
stands for between the look and the call. Nothing is sent before the peer has been judged.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import DEFAULT_POOLBLOCK, HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import InvalidURL
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket

    from requests import PreparedRequest, Response, Session

CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
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
    """

    def __init__(self, *, private_hosts: Iterable[str] = (), loopback: bool = False) -> None:
        self._private_hosts = frozenset(host.lower() for host in private_hosts)
        self._loopback = loopback

    def allows(self, url: str) -> bool:
        """Whether an address may be called, as far as its text tells; the call itself judges the peer."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if not host or parts.username or parts.password:
            return False
        is_known = host in self._private_hosts or (self._loopback and _is_loopback(host))
        return parts.scheme == "https" or (parts.scheme == "http" and is_known)

    def allows_peer(self, host: str, address: str) -> bool:
        """Whether the machine at this address may be spoken to under this name."""
        found = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(found, "ipv4_mapped", None) or found
        if host.lower() in self._private_hosts:
            return True
        return bool(mapped.is_global and not mapped.is_multicast) or (self._loopback and mapped.is_loopback)

    def guard(self, session: Session) -> None:
        """Have a session of `requests` call nothing else, follow no redirect and believe no proxy or netrc."""
        session.trust_env = False
        session.max_redirects = 0
        adapter = _Adapter(self)
        session.mount("https://", adapter)
        session.mount("http://", adapter)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Adapter(HTTPAdapter):
    """Sends what is allowed, and reads no more than is bearable."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        super().__init__(max_retries=0)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = DEFAULT_POOLBLOCK,  # noqa: FBT001 - requests' signature
        **pool_kwargs: Any,
    ) -> None:
        """Connections that judge their peer."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._outbound)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """One request and its whole answer.

        Raises:
            InvalidURL: the address may not be called.
            ForbiddenAddress: what answers there may not be spoken to.
            RequestsConnectionError: the answer is too large, or comes too slowly.
        """
        if not self._outbound.allows(request.url or ""):
            raise InvalidURL("This address may not be called.")
        kwargs |= {"stream": True, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        try:
            response = super().send(request, *args, **kwargs)
        except _Refused:
            raise ForbiddenAddress("What answers at this address may not be spoken to.") from None
        until = time.monotonic() + _LONGEST_SECONDS
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > _LARGEST_ANSWER or time.monotonic() > until:
                response.close()
                raise RequestsConnectionError("The answer is too large, or comes too slowly.")
        response._content = bytes(body)  # noqa: SLF001 - how requests itself keeps what it has read
        return response


def _pools(outbound: Outbound) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _judged(outbound, self.host, super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _judged(outbound, self.host, super()._new_conn())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _judged(outbound: Outbound, host: str, connected: socket.socket) -> socket.socket:
    if outbound.allows_peer(host, connected.getpeername()[0]):
        return connected
    connected.close()
    raise _Refused
