"""Runs the Procfile's processes by honcho: all of them, or none; what they say is passed on with their names.

One of them has the machine for itself until it is up: all of them together take several times as long to be up.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shlex
import signal
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process

_REMEMBERED_LINES = 15
_WISHED = frozenset({130, 143})  # what honcho ends with after SIGINT and SIGTERM


class _Remembering(Printer):  # type: ignore[misc]
    """Passes lines on, and remembers the last ones of each process."""

    def __init__(self) -> None:
        super().__init__(output=sys.stderr)
        self.last: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_REMEMBERED_LINES))

    def write(self, message: Message) -> None:
        """Print what a process says; what honcho says of its own work is of no interest here."""
        if message.name == "system":
            return
        line = message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
        self.last[message.name].append(line.rstrip())
        super().write(message)


class _Told(Manager):  # type: ignore[misc]
    """A manager that notes which process ended first."""

    first_stopped: tuple[str, int] | None = None

    def terminate(self) -> None:
        """Called by the first process that ends, or by a signal."""
        for name, process in self._processes.items():
            if process.get("returncode") is not None and self.first_stopped is None:
                self.first_stopped = (name, process["returncode"])
        super().terminate()


class Supervisor:
    """The processes of a Procfile.

    Args:
        commands: name to command, as a shell reads it.
        environ: the environment of all of them.
        started: told the process id of each, which leads a group of its own; called in another process.
        first: the name of the one that the others wait for, until `let_others_begin`.
        gate: where the others wait: a path of a file that isn't there yet. Who made its folder removes it.
    """

    def __init__(
        self,
        commands: Mapping[str, str],
        *,
        environ: Mapping[str, str],
        started: Callable[[int], None],
        first: str,
        gate: Path,
    ) -> None:
        # The children must inherit `started`, and what it writes to.
        multiprocessing.set_start_method("fork", force=True)
        self._printer = _Remembering()
        self._manager = _Told(printer=self._printer)
        self._manager._process_ctor = _announcing(started)  # noqa: SLF001 - the only way to follow a process's start
        self._gate = gate
        os.mkfifo(gate, mode=0o600)
        for name, command in commands.items():
            # A shell that opens a pipe waits for whoever writes; a signal ends it as it ends the command.
            waiting = "" if name == first else f": < {shlex.quote(str(gate))}; "
            self._manager.add_process(name, f"{waiting}{command}", env=dict(environ))

    def let_others_begin(self) -> None:
        """Open the gate for good; called once."""
        # Open for reading, too: that waits for nobody.
        os.open(self._gate, os.O_RDWR)

    def run(self) -> str | None:
        """Run until a signal asks to stop, or a process ends, with which all end.

        Returns:
            None after a signal; else what ended, and its last words.
        """
        self._manager.loop()
        if self._manager.first_stopped is None or self._manager.returncode in _WISHED:
            return None
        name, code = self._manager.first_stopped
        words = "\n".join(f"  {line}" for line in self._printer.last[name])
        return (
            f"{name} stopped with exit code {code}, so everything was stopped; its last words:\n{words or '  (none)'}"
        )


def _announcing(started: Callable[[int], None]) -> type[Process]:
    class AnnouncingPopen(Popen):  # type: ignore[misc]
        def __init__(self, command: str, **options: Any) -> None:
            super().__init__(command, **options)
            started(self.pid)
            threading.Thread(target=self._take_the_group_along, daemon=True).start()

        def _take_the_group_along(self) -> None:
            """When a process dies, what it has started dies with it; else its open output would hide its end."""
            self.wait()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    class AnnouncingProcess(Process):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._child_ctor = AnnouncingPopen

    return AnnouncingProcess
