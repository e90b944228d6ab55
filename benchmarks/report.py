"""Writes what was measured into docs/performance.md, between its two marks, with pictures of how it grows."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import chart
from benchmarks.comparison import FLOOR, Cell, Store, shown
from benchmarks.targets import Target
from benchmarks.workloads import Workload

_DOCS = Path(__file__).parents[1] / "docs"
PAGE = _DOCS / "performance.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
# What is drawn: a picture each, over the number of people.
_DRAWN = ("look up, there", "page of 100, deep by index", "create a user")


def write(store: Store, targets: Sequence[Target], workloads: Sequence[Workload], *, command: str) -> None:
    """Put a table and pictures of everything that was measured into the page."""
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    pictures = [picture for name in _DRAWN if (picture := _picture(store, targets, name)) is not None]
    parts = [_BEGIN, _machine(targets, command), *_tables(store, targets, workloads), *pictures, _END]
    PAGE.write_text(before + "\n\n".join(parts) + after)


def _machine(targets: Sequence[Target], command: str) -> str:
    cores, today = os.cpu_count(), datetime.now(UTC).date()
    versions = "; ".join(f"{target.name}: {target.version}" for target in targets)
    return (
        f"`{command}`, {today}: {platform.system()} on {platform.machine()}, {cores} cores, "
        f"Python {platform.python_version()}. {versions}."
    )


def _tables(store: Store, targets: Sequence[Target], workloads: Sequence[Workload]) -> Iterator[str]:
    for people in sorted(map(int, store.rows)):
        head = ["workload", *(target.name for target in targets if target.name != FLOOR), "wanted"]
        lines = [f"### {people:,} people", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        for workload in workloads:
            cells = {target.name: store.cell(people, workload.name, target.name) for target in targets}
            if any(cells.values()):
                wanted = "" if workload.target is None else f"{workload.target}"
                row = [shown(cell) for name, cell in cells.items() if name != FLOOR]
                lines.append(f"| {' | '.join([workload.name, *row, wanted])} |")
        yield "\n".join(lines)
    reasons = {reason for target in targets for reason in _reasons(target)}
    if reasons:
        yield "\n".join(["A dash says why:", "", *sorted(reasons)])


def _reasons(target: Target) -> Iterator[str]:
    for workload, why in target.lacks.items():
        yield f"- {target.name}, {workload}: {why}."
    if target.most_people is not None:
        yield f"- {target.name}, more than {target.most_people[0]:,} people: {target.most_people[1]}."
    if target.most_members is not None:
        yield f"- {target.name}, groups of more than {target.most_members[0]:,}: {target.most_members[1]}."


def _picture(store: Store, targets: Sequence[Target], workload: str) -> str | None:
    """How many times as long as the floor's with the fewest people a request takes, as they become more."""
    sizes = sorted(map(int, store.rows))
    least = store.cell(sizes[0], workload, FLOOR)
    if len(sizes) == 1 or least is None or least.p50_ms is None:
        return None
    lines: dict[str, list[tuple[float, float]]] = {}
    for target in targets:
        found: list[tuple[int, Cell | None]] = [(size, store.cell(size, workload, target.name)) for size in sizes]
        line = [(size, cell.p50_ms / least.p50_ms) for size, cell in found if cell is not None and cell.p50_ms]
        if line:
            lines[target.name] = line
    name = f"growth-{workload.replace(',', '').replace(' ', '-')}.svg"
    (_DOCS / "images").mkdir(exist_ok=True)
    title = f"{workload}: median time, in times of the floor's with {sizes[0]:,} people"
    (_DOCS / "images" / name).write_text(chart.growth(title, "people", lines))
    return f"![{workload}: how it grows](images/{name})"
