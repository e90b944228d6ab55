"""A picture of how something grows: lines on two logarithmic axes, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 360, 60, 40, 170, 40
_COLOURS = ("#1f6feb", "#d1242f", "#8250df", "#bf8700", "#1a7f37", "#57606a")

Points = Sequence[tuple[float, float]]


def growth(title: str, along: str, lines: Mapping[str, Points]) -> str:
    """Draw lines of points, each with a name, over powers of ten.

    Args:
        title: above it.
        along: what the lower axis counts.
        lines: by name; values are positive.
    """
    points = [point for line in lines.values() for point in line]
    across = _Axis.over([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    upward = _Axis.over([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        _text(_LEFT, 20, title, size=15),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, along, anchor="middle"),
    ]
    for power in across.powers():
        parts += [_rule(across.at(power), _TOP, across.at(power), _HEIGHT - _BOTTOM)]
        parts += [_text(across.at(power), _HEIGHT - _BOTTOM + 16, f"{power:,.0f}", anchor="middle")]
    for power in upward.powers():
        parts += [_rule(_LEFT, upward.at(power), _WIDTH - _RIGHT, upward.at(power))]
        parts += [_text(_LEFT - 6, upward.at(power) + 4, f"{power:g}", anchor="end")]
    for colour, (name, line) in zip(_COLOURS, lines.items(), strict=False):
        placed = [(across.at(x), upward.at(y)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        parts += [_text(placed[-1][0] + 8, placed[-1][1] + 4, name, colour=colour)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>', *parts, "</svg>", ""])


class _Axis:
    """Places on a line, by the logarithm of what stands there, from one power of ten to another."""

    def __init__(self, low: int, high: int, begin: float, end: float) -> None:
        self._low, self._high, self._begin, self._end = low, high, begin, end

    @classmethod
    def over(cls, values: Sequence[float], begin: float, end: float) -> _Axis:
        """The axis that all of these fit on."""
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1), begin, end)

    def at(self, value: float) -> float:
        """Where a value stands."""
        return self._begin + (math.log10(value) - self._low) / (self._high - self._low) * (self._end - self._begin)

    def powers(self) -> list[float]:
        """The powers of ten along it."""
        return [10.0**power for power in range(self._low, self._high + 1)]


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="#d0d7de"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#24292f") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f"<text {where}>{escape(text)}</text>"
