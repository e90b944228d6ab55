"""Sees to it that nothing outlives `provisioning up`, however that ends: a tiny process beside it.

Run as a script, with the standard library alone: `guardian.py PARENT_PID FOLDER FILE`. It reads lines from standard
input: `TERM 123` or `INT 123` is a process group to end, by that signal first, when the parent has died; `done` means
that the parent has cleaned up itself. FOLDER and FILE are removed in the end.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_LOOK_SECONDS = 0.3
_PATIENCE_SECONDS = 6.0


def main(parent: int, folder: Path, file: Path) -> None:
    """Wait for the parent's end, then clear away what it has left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups = _until_the_end_of(parent)
    if groups is None:
        return
    for group, name in groups.items():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.Signals[f"SIG{name}"])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(map(_lives, groups)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in filter(_lives, groups):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    file.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _until_the_end_of(parent: int) -> dict[int, str] | None:
    """The groups to end once the parent has died; None when it says that it is done."""
    groups: dict[int, str] = {}
    rest = b""
    is_open = True
    while os.getppid() == parent:
        if not is_open:
            time.sleep(_LOOK_SECONDS)
            continue
        if not select.select([0], [], [], _LOOK_SECONDS)[0]:
            continue
        read = os.read(0, 4096)
        is_open = bool(read)
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            if line == b"done":
                return None
            name, _, group = line.decode().partition(" ")
            groups[int(group)] = name
    return groups


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
