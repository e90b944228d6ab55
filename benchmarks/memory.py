"""What the web processes hold in memory while they answer a million requests: whether it grows, and how much it is."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.company import World
from benchmarks.driver import Address, Run, Script, carry_out, drive
from benchmarks.targets.service import running
from benchmarks.workloads import WORKLOADS
from config import settings
from provisioning.cli import instance

_PEOPLE = 1_000
# What identity providers and applications do all day; each is told by the beginning of its name.
_DONE = ("get a user", "look up, there", "look up, not there", "PATCH a user", "access check", "introspection")
_STRETCH_SECONDS = 20.0
_USUAL = settings.load({})


def web_processes(data_dir: Path) -> Sequence[psutil.Process]:
    """The processes of a running service that serve: those of the web server that another one of them has started."""
    found = instance.read(data_dir)
    if found is None:
        raise RuntimeError("the service does not say where it is")
    below = psutil.Process(found.pid).children(recursive=True)
    servers = [process for process in below if "granian" in " ".join(process.cmdline())]
    return [process for process in servers if process.parent() in servers]


def resident(process: psutil.Process) -> float:
    """What a process holds in memory, in MB of a million bytes."""
    return float(process.memory_info().rss / 1e6)


def mixed(address: Address, world: World) -> Iterator[Script[None]]:
    """One of each, again and again."""
    wanted = [one for name in _DONE for one in WORKLOADS if one.name.startswith(name)]
    prepared = [None if one.prepare is None else carry_out(address, one.prepare(world)) for one in wanted]
    made = ((one, before, number) for number in itertools.count() for one, before in zip(wanted, prepared, strict=True))
    scripts = (one.script(world, before, number) for one, before, number in made)
    return (script for script in scripts if script is not None)


def measure(address: Address, world: World, serving: Sequence[psutil.Process], *, requests: int) -> dict[str, Any]:
    """Ask until so many requests were answered, and look at the processes after every stretch."""
    answered, errors, held, scripts = 0, 0, [], mixed(address, world)
    while answered < requests:
        run: Run = drive(address, scripts, seconds=_STRETCH_SECONDS, at_once=8)
        answered, errors = answered + len(run.took), errors + run.errors
        sys.stderr.writelines(f"{wrong}\n" for wrong in run.wrong)
        held.append((answered, max(map(resident, serving))))
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
    size = {"processes": _USUAL.web_processes, "threads": _USUAL.web_threads}
    with tempfile.TemporaryDirectory(prefix="memory-") as folder, running(Path(folder), **size) as service:
        address, world = service.fill(_PEOPLE)
        measured = measure(address, world, web_processes(service.data_dir), requests=asked.requests)
    sys.stdout.write(orjson.dumps(measured).decode() + "\n")


if __name__ == "__main__":
    main()
