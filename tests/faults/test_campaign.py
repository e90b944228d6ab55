"""Twenty kills at random moments, and other faults between them, leave nothing behind and open nothing."""

from __future__ import annotations

import sys
from dataclasses import asdict

import orjson
import pytest

from tests.faults.campaign import strike

_SEED = 20261126
_KILLS = 20


def test_twenty_kills_under_load_break_no_promise(service, capsys):
    enough = lambda nemesis, _heard: nemesis.kills >= _KILLS  # noqa: E731 - a sentence of one line
    outcome = strike(service, seed=_SEED, until=enough, companies=1, pause=0.02)
    told = orjson.dumps(asdict(outcome)).decode()
    with capsys.disabled():
        sys.stdout.write(f"\n{told}\n")
    if not outcome.is_right:
        # An assertion would cut it short.
        pytest.fail(told)
    assert outcome.kills == _KILLS
    assert outcome.probes > 1000
