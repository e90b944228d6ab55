"""What a simulation found: counts, times, and every answer that the identity provider would not have taken."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioning.simulator.client import Sample

_SHOWN_VIOLATIONS = 20


@dataclass
class Report:
    """Collects samples, from several threads."""

    seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, sample: Sample) -> None:
        """Take up one request."""
        with self._lock:
            self.samples.append(sample)

    def find(self, finding: str) -> None:
        """Take up something that is wrong with the outcome, rather than with one answer."""
        with self._lock:
            self.findings.append(finding)

    @property
    def violations(self) -> list[str]:
        """Everything that was wrong."""
        return [s.violation for s in self.samples if s.violation is not None] + self.findings

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.samples) / self.seconds if self.seconds else 0.0

    def by_operation(self) -> dict[str, dict[str, Any]]:
        """Counts and times of each kind of request, in the order of their first appearance."""
        kinds: defaultdict[str, list[Sample]] = defaultdict(list)
        for sample in self.samples:
            kinds[sample.operation].append(sample)
        return {kind: _summary(samples) for kind, samples in kinds.items()}

    def as_json(self) -> dict[str, Any]:
        """The whole report, for programs."""
        summary = _summary(self.samples)
        return {
            "requests": summary["requests"],
            "errors": len(self.violations),
            "rate": round(self.rate, 1),
            "seconds": round(self.seconds, 2),
            "p50_ms": summary["p50_ms"],
            "p95_ms": summary["p95_ms"],
            "by_operation": self.by_operation(),
            "violations": self.violations[:_SHOWN_VIOLATIONS],
        }


def _summary(samples: Sequence[Sample]) -> dict[str, Any]:
    times = sorted(sample.milliseconds for sample in samples)
    return {
        "requests": len(samples),
        "errors": sum(1 for sample in samples if sample.violation is not None),
        "p50_ms": round(_quantile(times, 0.5), 2),
        "p95_ms": round(_quantile(times, 0.95), 2),
    }


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
