"""The checker lets nothing pass that a promise forbids, and accuses nobody of what can have been."""

from __future__ import annotations

from math import inf

import pytest

from tests.faults.checker import Change, History, Life, Probe, Span

LIFE = Life("s", frozenset({"s", "person:1", "workspace:1"}), Span(1, 2))
SUSPENDED = frozenset({"suspended"})


def change(begun: float, done: float, *, scope: str = "person:1", certain: bool = True) -> Change:
    return Change(scope, Span(begun, done), SUSPENDED, certain)


def probe(begun: float, *, active: bool | None, reason: str = "suspended") -> Probe:
    return Probe("s", Span(begun, begun + 1), active, None if active else reason)


@pytest.mark.parametrize(
    ("changes", "probes", "broken"),
    [
        ([change(3, 4)], [probe(5, active=True)], ["accepted"]),
        ([change(3, 4, scope="workspace:1")], [probe(5, active=True)], ["accepted"]),
        ([], [probe(5, active=False)], ["refused"]),
        ([change(3, 4, scope="person:2")], [probe(5, active=False)], ["refused"]),
        ([change(9, 10)], [probe(5, active=False)], ["refused"]),
        ([change(0, 0.5)], [probe(5, active=False)], ["refused"]),
        ([change(3, inf)], [probe(5, active=False), probe(7, active=True)], ["revived"]),
        ([change(3, 4)], [probe(5, active=False, reason="idle")], ["reason"]),
        # What overlaps may be answered either way, and what was never answered may be done at any time.
        ([change(3, 6)], [probe(4, active=True), probe(5, active=False)], []),
        ([change(3, inf)], [probe(5, active=True), probe(100, active=False)], []),
        ([change(1.5, 1.7)], [probe(5, active=True)], []),
        ([change(1.5, 1.7)], [probe(5, active=False)], []),
        ([change(3, 4, certain=False)], [probe(5, active=True)], []),
        ([change(3, 4)], [probe(5, active=None)], []),
    ],
)
def test_an_answer_is_judged_by_what_can_have_been(changes, probes, broken):
    history = History({"s": LIFE}, changes, probes)
    assert [violation.rule for violation in history.violations()] == broken
