"""What clients saw, line by line, and whether a service that keeps its promises can have answered so.

Moments are of one process's monotonic clock. A change whose answer never came may be done at any time after it was
asked for, or never.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf


@dataclass(frozen=True, slots=True)
class Span:
    """From when something was asked for until it was answered; without an answer it never was."""

    begun: float
    done: float = inf


@dataclass(frozen=True, slots=True)
class Life:
    """A session or token whose text a client got: everything by which a change can end it, and when it began."""

    id: str
    scopes: frozenset[str]
    born: Span


@dataclass(frozen=True, slots=True)
class Change:
    """What ends every life of a scope that began before it.

    Args:
        scope: of the lives that it concerns.
        span: when it was asked for; answered only if it was acknowledged.
        reasons: one of which whoever is refused by it is told.
        certain: whether it ends anything at all, if it was acknowledged.
    """

    scope: str
    span: Span
    reasons: frozenset[str]
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about a life: whether it was accepted, or None where that was not answered."""

    life: str
    span: Span
    active: bool | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """An answer that breaks a rule: `accepted`, `refused`, `revived` or `reason`."""

    rule: str
    probe: Probe


@dataclass
class History:
    """All lines, in any order; threads add to it."""

    lives: dict[str, Life] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)

    def violations(self) -> Iterator[Violation]:
        """The answers that can't be."""
        changes, probes = defaultdict(list), defaultdict(list)
        for change in self.changes:
            changes[change.scope].append(change)
        for probe in self.probes:
            probes[probe.life].append(probe)
        for life in self.lives.values():
            concerning = [change for scope in life.scopes for change in changes[scope]]
            yield from _of(life, concerning, sorted(probes[life.id], key=lambda probe: probe.span.begun))


def _of(life: Life, changes: list[Change], probes: list[Probe]) -> Iterator[Violation]:
    refused_since = inf
    for probe in probes:
        possible = [change for change in changes if _may_concern(change, life, probe)]
        if probe.active is True:
            if any(_ends(change, life, probe) for change in possible):
                yield Violation("accepted", probe)
            elif refused_since < probe.span.begun:
                yield Violation("revived", probe)
        elif probe.active is False:
            refused_since = min(refused_since, probe.span.done)
            if not possible:
                yield Violation("refused", probe)
            elif not any(probe.reason in change.reasons for change in possible):
                yield Violation("reason", probe)


def _may_concern(change: Change, life: Life, probe: Probe) -> bool:
    """Whether the life can have begun before the change, and the change been made before the answer."""
    return life.born.begun < change.span.done and change.span.begun < probe.span.done


def _ends(change: Change, life: Life, probe: Probe) -> bool:
    """Whether the life had begun before the change, and that was acknowledged before anybody asked."""
    before = life.born.done < change.span.begun and change.span.done < probe.span.begun
    return change.certain and before
