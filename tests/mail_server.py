"""A mail server (RFC 5321) that keeps what it is given, and can be told to be difficult."""

from __future__ import annotations

import base64
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HANG_UP, SILENCE = "hang up", "silence"


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a port of the loopback address.

    Args:
        certificate: a file with a key and a certificate; without one there is no TLS.
        wrapped: whether TLS begins with the first byte.
        login: the `user`, `password` that have to be given.
        port: where; any free one where it isn't said.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self,
        *,
        certificate: Path | None = None,
        wrapped: bool = False,
        login: tuple[str, str] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.wrapped = wrapped
        self.login = login
        self.tls = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        # What the next letters' RCPT is answered instead of 250: a reply, HANG_UP or SILENCE.
        self.replies: list[str] = []
        self.letters: list[EmailMessage] = []
        self.heard: list[str] = []
        self.over = threading.Event()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


@contextmanager
def running(server: MailServer) -> Iterator[MailServer]:
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.secure = self.known = False
        try:
            if self.server.wrapped:
                self._secure()
            self._say("220 test")
            while line := self.rfile.readline():
                command = line.decode().rstrip("\r\n")
                self.server.heard.append(command)
                if not self._answer(command):
                    return
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            # Wrapped, it is another than the one that the server closes.
            self.connection.close()

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def _secure(self) -> None:
        assert self.server.tls is not None
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.secure = True

    def _answer(self, command: str) -> bool:
        verb = command.upper().partition(" ")[0].partition(":")[0]
        if verb == "EHLO":
            offered = ["250-test", "250-AUTH PLAIN"] if self.server.login else ["250-test"]
            if self.server.tls is not None and not self.secure:
                offered.append("250-STARTTLS")
            self._say(*offered, "250 SIZE 1000000")
        elif verb == "STARTTLS":
            self._say("220 go ahead")
            self._secure()
        elif verb == "AUTH":
            given = base64.b64decode(command.split()[2]).decode().split("\0")[1:]
            self.known = tuple(given) == self.server.login
            self._say("235 welcome" if self.known else "535 no")
        elif verb == "RCPT":
            return self._judge()
        elif verb == "DATA":
            self._take()
        elif verb == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._say("530 who are you" if verb == "MAIL" and self.server.login and not self.known else "250 fine")
        return True

    def _judge(self) -> bool:
        reply = self.server.replies.pop(0) if self.server.replies else "250 fine"
        if reply == SILENCE:
            self.server.over.wait()
        if reply in {SILENCE, HANG_UP}:
            return False
        self._say(reply)
        return True

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.letters.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self._say("250 taken")


def certificate(folder: Path) -> Path:
    """A key with a certificate for 127.0.0.1 that nobody trusts by nature, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return file
