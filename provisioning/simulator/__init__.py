"""Plays identity providers over HTTP, against any SCIM service: their requests, their order, their strictness.

Knows: what each identity provider sends, what it accepts as an answer, and a company of plausible people.
Never knows: the rest of this project; it speaks to it as a stranger does.
Offers: `play`, `Plan` and `Report`; `IDPS` by name, and the `VARIANTS` of each.
"""

from __future__ import annotations

from provisioning.simulator.play import IDPS, VARIANTS, Plan, play
from provisioning.simulator.report import Report

__all__ = ["IDPS", "VARIANTS", "Plan", "Report", "play"]
