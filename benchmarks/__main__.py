"""`make bench`: the service beside the floor and its peers, as ratios; see README.md."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import driver, report
from benchmarks.comparison import Plan, Store, compare
from benchmarks.cycles import CYCLES
from benchmarks.targets import Place, Target, django_scim2, floor, scim2_server, scimmy, service
from benchmarks.workloads import WORKLOADS
from config import settings

_KEPT = Path(".bench")
_USUAL = settings.load({})


def main() -> None:
    """Measure what was not measured yet, and print and keep the table."""
    asked = _arguments()
    # What was started ends with us, however we are told to end.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    begun = time.monotonic()

    def tell(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - begun:7.1f} s  {text}\n")

    _KEPT.mkdir(exist_ok=True)
    file = _KEPT / ("quick.json" if asked.quick else "full.json")
    if asked.afresh or asked.quick:
        file.unlink(missing_ok=True)
    store = Store.opened(file)
    plan = (
        Plan([1_000], asked.rounds, asked.seconds / 2)
        if asked.quick
        else Plan(asked.people, asked.rounds, asked.seconds)
    )
    wanted = [one for one in (*WORKLOADS, *CYCLES) if asked.only is None or asked.only in one.name]
    tell(f"the driver alone: {driver.ceiling():,.0f} requests/s of a server that does nothing")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        size = {"processes": asked.processes, "threads": asked.threads}
        with service.running(Path(folder), **size) as running:
            place = Place(_KEPT.absolute(), running.database, **size)
            targets = _targets(running, asked)
            compare(targets, wanted, plan, place=place, store=store, tell=tell)
    sys.stdout.write(file.read_text())
    if not asked.quick:
        report.write(store, targets, [*WORKLOADS, *CYCLES], command=_command())


def _targets(running: service.Running, asked: argparse.Namespace) -> Sequence[Target]:
    others = [] if asked.quick or asked.alone else [scim2_server.TARGET, django_scim2.TARGET, scimmy.TARGET]
    return [floor.TARGET, service.target(running), *others]


def _command() -> str:
    given = " ".join(sys.argv[1:])
    return f'make bench ARGS="{given}"' if given else "make bench"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the service and the floor alone, with 1,000 people")
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 100_000], help="numbers of people")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each workload, of each target, in each round")
    parser.add_argument("--alone", action="store_true", help="without peers")
    parser.add_argument("--only", help="the workloads with this in their names")
    parser.add_argument("--afresh", action="store_true", help="forget what an earlier run has measured")
    parser.add_argument("--processes", type=int, default=_USUAL.web_processes, help="of each web server")
    parser.add_argument("--threads", type=int, default=_USUAL.web_threads, help="of each web process")
    return parser.parse_args()


if __name__ == "__main__":
    main()
