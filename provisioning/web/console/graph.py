"""Paths of access as a picture: who has what by which group, mapping and role, from left to right.

Where everything stands is reckoned here, and a macro draws it. The picture says nothing that the table beside it
doesn't say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

COLUMNS = ("Person", "Group", "Mapping", "Role", "On", "Resource")
PERSON, GROUP, MAPPING, ROLE, ON, RESOURCE = range(len(COLUMNS))
# So many paths are drawn; all are told.
MOST = 40
# All columns fit beside the navigation on a desk.
_WIDTH, _HEIGHT = 132, 32
_GAP, _ROW, _HEAD = 25, 44, 26
_LONGEST = 17


@dataclass(frozen=True, slots=True)
class Step:
    """A place that a path leads through; one without a text is where it passes a column by, on its way to another."""

    column: int
    text: str
    on_the_way_to: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """A path from the left to the right; a broken one doesn't reach its last step."""

    steps: tuple[Step, ...]
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A step where it stands, from its upper left corner."""

    x: int
    y: int
    text: str

    @property
    def short(self) -> str:
        """As much of its text as there is room for."""
        return self.text if len(self.text) <= _LONGEST else self.text[: _LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True)
class Line:
    """The way from one step to the next."""

    x1: int
    y1: int
    x2: int
    y2: int
    is_broken: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture with its measures.

    Args:
        width: of all.
        height: of all.
        heads: what the columns are called, each with where it stands.
        boxes: the steps.
        lines: between them.
        left_out: how many paths are not drawn.
    """

    width: int
    height: int
    heads: tuple[tuple[int, str], ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: int
    box_width: int = _WIDTH
    box_height: int = _HEIGHT


def drawn(ways: Sequence[Way]) -> Drawing:
    """Draw paths: what several of them lead through stands once, and a column that none leads through is left out."""
    used = {step.column for way in ways[:MOST] for step in way.steps}
    shown = [Way(tuple(_without_gaps(way.steps, used)), way.is_broken) for way in ways[:MOST]]
    steps = dict.fromkeys(step for way in shown for step in way.steps)
    columns = [[step for step in steps if step.column == number] for number in sorted(used)]
    tallest = max(map(len, columns), default=0)
    boxes = {
        step: Box(place * (_WIDTH + _GAP), _HEAD + (tallest - len(column)) * _ROW // 2 + row * _ROW, step.text)
        for place, column in enumerate(columns)
        for row, step in enumerate(column)
    }
    heads = tuple((boxes[column[0]].x, COLUMNS[column[0].column]) for column in columns)
    lines = dict.fromkeys(
        _between(boxes[before], boxes[after], is_broken=way.is_broken and after == way.steps[-1])
        for way in shown
        for before, after in pairwise(way.steps)
    )
    width = len(columns) * (_WIDTH + _GAP) - _GAP
    return Drawing(width, _HEAD + tallest * _ROW, heads, tuple(boxes.values()), tuple(lines), len(ways) - len(shown))


def _without_gaps(steps: Sequence[Step], used: Collection[int]) -> Iterator[Step]:
    """A path with a step in each column that it passes by, so that it leads around what stands there."""
    yield steps[0]
    for before, after in pairwise(steps):
        for column in range(before.column + 1, after.column):
            if column in used:
                yield Step(column, "", after.text)
        yield after


def _between(before: Box, after: Box, *, is_broken: bool) -> Line:
    return Line(before.x + _WIDTH, before.y + _HEIGHT // 2, after.x, after.y + _HEIGHT // 2, is_broken)
