"""Sends letters through a mail server (RFC 5321), over TLS unless that was switched off."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

from provisioning.post.letters import Letter, Undeliverable

_PORTS = {"smtp": 587, "smtps": 465}
# RFC 5321, section 4.2.1: replies from here on are final.
_FOR_GOOD = 500


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server that takes letters over."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    # TLS from the first byte, as `smtps://` says it (RFC 8314, section 3.3) ...
    wrapped: bool = False
    # ... or from STARTTLS on (RFC 3207). A server that doesn't offer it gets no letter.
    starttls: bool = True
    # Seconds for each step of the conversation; a letter takes about ten of them.
    patience: float = 10.0

    @classmethod
    def at(cls, url: str, *, sender: str) -> Server:
        """The server of `smtp://user:password@host:port` or `smtps://...`; `?starttls=off` sends without TLS."""
        parts = urlsplit(url)
        wrapped = parts.scheme == "smtps"
        return cls(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            sender=sender,
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
            wrapped=wrapped,
            starttls=not wrapped and parse_qs(parts.query).get("starttls") != ["off"],
        )

    def send(self, letter: Letter) -> None:
        """Hand a letter to the server.

        Raises:
            Undeliverable: the server refused the recipient or the letter for good.
            OSError: the server is away, doesn't speak TLS, or put the letter off.
        """
        with self._connected() as server:
            try:
                server.send_message(letter.message(self.sender))
            except smtplib.SMTPRecipientsRefused as error:
                _refused(next(iter(error.recipients.values()))[0], error)
            except smtplib.SMTPNotSupportedError as error:
                raise Undeliverable("the mail server takes no such address (RFC 6531)") from error
            except smtplib.SMTPDataError as error:
                _refused(error.smtp_code, error)

    def _connected(self) -> smtplib.SMTP:
        tls = ssl.create_default_context()
        if self.wrapped:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.patience, context=tls)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.patience)
        try:
            if self.starttls:
                server.starttls(context=tls)
            if self.user is not None:
                server.login(self.user, self.password or "")
        except BaseException:
            server.close()
            raise
        return server


def _refused(code: int, error: smtplib.SMTPException) -> NoReturn:
    if code < _FOR_GOOD:
        raise error
    raise Undeliverable(f"the mail server refused the letter for good ({code})") from error
