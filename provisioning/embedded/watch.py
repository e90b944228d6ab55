"""Our end of the guardian: start it, and tell it what must not outlive us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from provisioning.embedded import guardian


class Guardian:
    """A process that ends process groups when this process dies without a word.

    Args:
        folder: removed in the end.
        file: removed in the end.
    """

    def __init__(self, *, folder: Path, file: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-I", "-S", guardian.__file__, str(os.getpid()), str(folder), str(file)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def watch(self, group: int, *, end_by: Literal["TERM", "INT"] = "TERM") -> None:
        """Have a process group ended with us; may be called in a forked child, too."""
        self._say(f"{end_by} {group}")

    def dismiss(self) -> None:
        """Say that everything has been cleaned up."""
        self._say("done")
        self._process.wait(timeout=5)

    def _say(self, line: str) -> None:
        if self._process.stdin is not None:
            os.write(self._process.stdin.fileno(), f"{line}\n".encode())
