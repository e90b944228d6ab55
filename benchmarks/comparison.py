"""Everybody in turn, A B C A B C: what counts are ratios to the floor within one round, and medians of the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.company import World
from benchmarks.driver import Address, Run, Wrong, carry_out, drive
from benchmarks.targets import Place, Running, Target
from benchmarks.workloads import Workload

FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Cell:
    """What was measured of one target: a value a round."""

    rates: Sequence[float] = ()
    ratios: Sequence[float] = ()
    p50: Sequence[float] = ()
    p99: Sequence[float] = ()
    errors: int = 0
    wrong: Sequence[str] = ()
    # Why it was not measured.
    lacks: str | None = None

    @property
    def ratio(self) -> float | None:
        """To the floor."""
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def p50_ms(self) -> float | None:
        """The median of the rounds' medians."""
        return statistics.median(self.p50) if self.p50 else None


@dataclass(slots=True)
class Store:
    """What has been measured so far, in a file, so that a run that was broken off is gone on with."""

    file: Path
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def opened(cls, file: Path) -> Store:
        """The store of a file, with what is in it."""
        return cls(file, orjson.loads(file.read_bytes()) if file.exists() else {})

    def has(self, people: int, workload: str, targets: Sequence[Target]) -> bool:
        """Whether all of these were measured."""
        there = self.rows.get(str(people), {}).get(workload, {})
        return all(target.name in there for target in targets)

    def put(self, people: int, workload: str, cells: Mapping[str, Cell]) -> None:
        """Keep a row."""
        self.rows.setdefault(str(people), {}).setdefault(workload, {}).update(cells)
        draft = self.file.with_suffix(".new")
        draft.write_bytes(orjson.dumps(self.rows, option=orjson.OPT_INDENT_2))
        draft.replace(self.file)
        self.rows = orjson.loads(self.file.read_bytes())

    def cell(self, people: int, workload: str, target: str) -> Cell | None:
        """What was measured of a target, if anything was."""
        found = self.rows.get(str(people), {}).get(workload, {}).get(target)
        return None if found is None else Cell(**found)


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured.

    Args:
        sizes: numbers of people.
        rounds: of each workload.
        seconds: that a workload goes on in each round.
    """

    sizes: Sequence[int]
    rounds: int
    seconds: float


@dataclass(slots=True)
class _Filled:
    """A target with its people."""

    target: Target
    address: Address
    world: World


def compare(
    targets: Sequence[Target],
    workloads: Sequence[Workload],
    plan: Plan,
    *,
    place: Place,
    store: Store,
    tell: Callable[[str], None],
) -> None:
    """Measure what is not in the store yet.

    Args:
        targets: the first is the floor.
        workloads: what they do.
        plan: for how long.
        place: where they live.
        store: takes what is measured.
        tell: is told how far it has come.
    """
    with ExitStack() as stack:
        running: dict[str, Running] = {}
        for people in plan.sizes:
            refused = {one.name: _refused(targets, one, people) for one in workloads if _fits(one, people)}
            for name, cells in refused.items():
                store.put(people, name, cells)
            wanted = [one for one in workloads if one.name in refused and not store.has(people, one.name, targets)]
            filled: list[_Filled] = []
            for target in targets:
                if all(target.name in refused[workload.name] for workload in wanted):
                    continue
                tell(f"{people:,} people: filling {target.name}")
                if target.name not in running:
                    running[target.name] = stack.enter_context(target.run(place))
                filled.append(_Filled(target, *running[target.name].fill(people)))
            for workload in wanted:
                able = [one for one in filled if one.target.name not in refused[workload.name]]
                cells = _row(able, workload, plan)
                store.put(people, workload.name, cells)
                tell(f"{people:,} people: {workload.name}: {_told(cells)}")


def _fits(workload: Workload, people: int) -> bool:
    return workload.members is None or workload.members <= people


def _refused(targets: Sequence[Target], workload: Workload, people: int) -> dict[str, Cell]:
    """Those who can't, and why."""
    why = {one.name: one.refusal(workload.name, people=people, members=workload.members) for one in targets}
    return {name: Cell(lacks=reason) for name, reason in why.items() if reason is not None}


def _row(able: Sequence[_Filled], workload: Workload, plan: Plan) -> dict[str, Cell]:
    runs: dict[str, list[Run]] = {one.target.name: [] for one in able}
    for one in able:
        # Who does something for the first time compiles, connects and prepares: that is not what is asked.
        _measured(one, workload, plan.seconds / 5)
    for _ in range(plan.rounds):
        for one in able:
            runs[one.target.name].append(_measured(one, workload, plan.seconds))
    floor = runs.get(FLOOR, [])
    return {name: _cell(of, floor) for name, of in runs.items()}


def _measured(one: _Filled, workload: Workload, seconds: float) -> Run:
    """One round of one target: prepared, done, and looked at afterwards."""
    try:
        prepared = None if workload.prepare is None else carry_out(one.address, workload.prepare(one.world))
    except Wrong as error:
        failed = Run()
        failed.find(error)
        return failed
    turns = workload.turns(one.world, prepared)
    run = drive(one.address, turns, seconds=seconds, at_once=workload.at_once)
    if workload.after is not None:
        try:
            carry_out(one.address, workload.after(one.world, prepared, run.scripts))
        except Wrong as error:
            run.find(error)
    return run


def _cell(runs: Sequence[Run], floor: Sequence[Run]) -> Cell:
    return Cell(
        rates=[run.rate for run in runs],
        ratios=[run.rate / least.rate for run, least in zip(runs, floor, strict=True) if least.rate],
        p50=[value for run in runs if (value := run.percentile(0.5)) is not None],
        p99=[value for run in runs if (value := run.percentile(0.99)) is not None],
        errors=sum(run.errors for run in runs),
        wrong=[wrong for run in runs for wrong in run.wrong][:3],
    )


def _told(cells: Mapping[str, Cell]) -> str:
    return ", ".join(f"{name} {shown(cell)}" for name, cell in cells.items())


def shown(cell: Cell | None) -> str:
    """A cell as the table shows it."""
    if cell is None or cell.lacks is not None:
        return "-"
    if cell.ratio is None or not any(cell.rates):
        return "✗"
    wrong = f" ({cell.errors} wrong)" if cell.errors else ""
    digits = 2 if cell.ratio >= 0.1 else 3 if cell.ratio >= 0.01 else 5  # noqa: PLR2004 - so that two figures count
    return f"{cell.ratio:.{digits}f}{wrong}"
