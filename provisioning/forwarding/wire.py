"""Takes lines to a syslog receiver: over TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from provisioning.forwarding.syslog import framed

SCHEMES = ("syslog+tls", "syslog+tcp", "syslog+udp")
_PORTS = {"tls": 6514, "tcp": 601, "udp": 514}
_CONNECT_SECONDS, _SECONDS = 3.0, 10.0
# What is longer than a datagram is cut off (RFC 5424, section 6.1).
_LONGEST_DATAGRAM = 60_000
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """A syslog receiver."""

    transport: str
    host: str
    port: int

    @classmethod
    def at(cls, url: str) -> Target:
        """The receiver of `syslog+tls://host:6514`, `syslog+tcp://` or `syslog+udp://`."""
        parts = urlsplit(url)
        transport = parts.scheme.removeprefix("syslog+")
        return cls(transport, parts.hostname or "", parts.port or _PORTS[transport])

    def send(self, lines: Iterable[bytes]) -> None:
        """Hand lines over; over TCP and TLS, when this returns the receiver has read them all.

        Raises:
            OSError: it is not there, nobody trusts it, or the connection broke: who knows how much it has read.
        """
        if self.transport == "udp":
            self._cast(lines)
            return
        with socket.create_connection((self.host, self.port), timeout=_CONNECT_SECONDS) as plain:
            plain.settimeout(_SECONDS)
            if self.transport == "tcp":
                plain.sendall(b"".join(map(framed, lines)))
                plain.shutdown(socket.SHUT_WR)
                _await_end(plain)
                return
            with ssl.create_default_context().wrap_socket(plain, server_hostname=self.host) as secure:
                secure.sendall(b"".join(map(framed, lines)))
                _close(secure)

    def _cast(self, lines: Iterable[bytes]) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as sender:
            for written in lines:
                sender.sendto(written[:_LONGEST_DATAGRAM], address)


def _await_end(peer: socket.socket) -> None:
    """Wait until the receiver, too, has closed: it has read everything then, or the connection breaks."""
    while peer.recv(_CHUNK):
        pass


def _close(secure: ssl.SSLSocket) -> None:
    """Say that nothing comes any more, and wait for the same word (RFC 5425, section 4.4), or for the end."""
    try:
        secure.unwrap()
    except ssl.SSLEOFError:
        # It closed without that word, after it had read ours.
        return
