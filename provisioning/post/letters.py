"""A letter: to one person, plain text, nothing to load from anywhere; and who carries it."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Protocol

from provisioning import clock, entropy

_NO_ADDRESS = "this is no address that a mail could go to"


class Undeliverable(Exception):
    """The letter was refused for good: sending it again would change nothing."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to somebody.

    Args:
        recipient: the address.
        subject: one line.
        body: plain text. It may hold a secret, so it is in no `repr`.
    """

    recipient: str
    subject: str
    body: str

    def __repr__(self) -> str:
        return f"Letter(recipient={self.recipient!r}, subject={self.subject!r})"

    def message(self, sender: str) -> EmailMessage:
        """The letter as a mail (RFC 5322) that no machine is to answer (RFC 3834, section 5).

        Raises:
            Undeliverable: the recipient's address is none.
        """
        mail = EmailMessage()
        mail["From"] = sender
        try:
            mail["To"] = self.recipient
        except (ValueError, AttributeError, IndexError) as error:
            raise Undeliverable(_NO_ADDRESS) from error
        # Exactly the one who was meant: a comma is not to bring in somebody else.
        found = [address.addr_spec for address in mail["To"].addresses]
        if "@" not in self.recipient or not self.recipient.isprintable() or found != [self.recipient]:
            raise Undeliverable(_NO_ADDRESS)
        # A name in the subject is somebody else's text: it never begins a header of its own.
        mail["Subject"] = " ".join(self.subject.split())
        mail["Date"] = format_datetime(clock.now())
        mail["Message-ID"] = f"<{entropy.new_id()}@{parseaddr(sender)[1].rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        # Links stay on one line for whoever reads the raw text.
        mail.set_content(self.body, cte="7bit" if self.body.isascii() else "quoted-printable")
        return mail


class Carrier(Protocol):
    """Whoever takes letters to their readers."""

    def send(self, letter: Letter) -> None:
        """Take a letter over; when this returns, it is somebody else's to deliver.

        Raises:
            Undeliverable: the recipient was refused for good.
            OSError: it didn't work this time.
        """
