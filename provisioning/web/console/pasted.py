"""Lists that are pasted into a form, a thing a line: what each line says, and what is wrong with which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from provisioning.refusals import Invalid

T = TypeVar("T")

LONGEST = 300_000
_MOST = 1000
_TOLD = 50


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a line; they are counted from 1, empty ones too."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Pasted(Generic[T]):
    """What the lines say, and what is wrong with some of them; where anything is, nothing is to be done."""

    items: tuple[T, ...]
    mistakes: tuple[Mistake, ...]


def read(text: str, reading: Callable[[str], T]) -> Pasted[T]:
    """Read a list; empty lines say nothing.

    Args:
        text: as it was pasted.
        reading: makes an item of a line, and raises `Invalid` where it can't.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        return Pasted((), (Mistake(1, "Write one resource a line."),))
    if len(lines) > _MOST:
        return Pasted((), (Mistake(lines[_MOST][0], f"At most {_MOST} lines are taken at once: send the rest later."),))
    items: list[T] = []
    mistakes = list(_mistakes(lines, reading, items))
    return Pasted(tuple(items), tuple(mistakes[:_TOLD]))


def _mistakes(lines: list[tuple[int, str]], reading: Callable[[str], T], items: list[T]) -> Iterator[Mistake]:
    for number, line in lines:
        try:
            items.append(reading(line))
        except Invalid as refusal:
            yield Mistake(number, refusal.sentence)
