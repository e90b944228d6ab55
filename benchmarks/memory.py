"""What the web processes hold in memory while they answer a million requests: whether it grows, and how much it is."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks.company import World
from benchmarks.driver import Address, Run, Script, carry_out, drive
from benchmarks.targets.service import running
from benchmarks.workloads import WORKLOADS
from config import settings

_PEOPLE = 1_000
# What identity providers and applications do all day; each is told by the beginning of its name.
_DONE = ("get a user", "look up, there", "look up, not there", "PATCH a user", "access check", "introspection")
_STRETCH_SECONDS = 20.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_USUAL = settings.load({})


def web_processes(folder: Path) -> Sequence[int]:
    """The web server's processes of the service in a folder that serve: those that another one of them has started."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, parent = (process / "cmdline").read_bytes(), (process / "stat").read_text().rpartition(")")[2]
            here = str(folder).encode() in (process / "environ").read_bytes()
        except OSError:
            continue
        if here and b"granian" in command:
            found[int(process.name)] = int(parent.split()[1])
    return sorted(pid for pid, parent in found.items() if parent in found)


def resident(pid: int) -> float:
    """What a process holds in memory, in MB of a million bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def mixed(address: Address, world: World) -> Iterator[Script[None]]:
    """One of each, again and again."""
    wanted = [one for name in _DONE for one in WORKLOADS if one.name.startswith(name)]
    prepared = [None if one.prepare is None else carry_out(address, one.prepare(world)) for one in wanted]
    made = ((one, before, number) for number in itertools.count() for one, before in zip(wanted, prepared, strict=True))
    scripts = (one.script(world, before, number) for one, before, number in made)
    return (script for script in scripts if script is not None)


def measure(address: Address, world: World, pids: Sequence[int], *, requests: int) -> dict[str, Any]:
    """Ask until so many requests were answered, and look at the processes after every stretch."""
    answered, errors, held, scripts = 0, 0, [], mixed(address, world)
    while answered < requests:
        run: Run = drive(address, scripts, seconds=_STRETCH_SECONDS, at_once=8)
        answered, errors = answered + len(run.took), errors + run.errors
        sys.stderr.writelines(f"{wrong}\n" for wrong in run.wrong)
        held.append((answered, max(map(resident, pids))))
        sys.stderr.write(f"{answered:>9,} requests, {errors} errors: {held[-1][1]:.1f} MB\n")
    # What is used for the first time is loaded and kept: that is over after the first tenth.
    settled = [megabytes for number, megabytes in held if number >= requests / 10]
    return {
        "requests": answered,
        "errors": errors,
        "largest_mb": round(max(megabytes for _, megabytes in held), 1),
        "growth_after_a_tenth": round(settled[-1] / settled[0], 3),
    }


def main() -> None:
    """Measure on a service of its own, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        here, size = Path(folder), {"processes": _USUAL.web_processes, "threads": _USUAL.web_threads}
        with running(here, **size) as service:
            address, world = service.fill(_PEOPLE)
            measured = measure(address, world, web_processes(here), requests=asked.requests)
    sys.stdout.write(orjson.dumps(measured).decode() + "\n")


if __name__ == "__main__":
    main()
