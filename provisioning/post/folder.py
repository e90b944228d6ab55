"""Keeps letters as files (`.eml`, RFC 5322) where no mail server is set: the operator reads them, or passes them on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from provisioning import clock, entropy
from provisioning.post.letters import Letter


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter in the folder; they are numbered from 1 in the order in which they were written."""

    number: int
    file: Path
    message: EmailMessage

    @property
    def body(self) -> str:
        """The text."""
        return str(self.message.get_content())


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that letters are put into, readable by its owner alone: a letter may hold a secret."""

    path: Path
    sender: str

    def send(self, letter: Letter) -> None:
        """Put a letter into the folder; nobody ever sees half of it."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{clock.now():%Y%m%dT%H%M%S.%f}Z-{entropy.new_id()}"
        draft = self.path / f"{name}.new"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(letter.message(self.sender).as_bytes())
        draft.rename(self.path / f"{name}.eml")


def every(path: Path) -> Sequence[Kept]:
    """The letters of a folder, oldest first; of one that isn't there, none."""
    files = sorted(path.glob("*.eml"))
    return [Kept(number, file, _read(file)) for number, file in enumerate(files, start=1)]


def _read(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)
