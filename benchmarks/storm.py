"""A workspace of 100,000 people who are all signed in becomes HIPAA-eligible, while an identity provider is at work.

On a whole service: whether a session is accepted after the commit, how long workers take to clear all away, and how
long the SCIM requests of another workspace take meanwhile, compared with what they took before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

import orjson

from benchmarks.flip import build, flip, judge
from config import settings
from provisioning import migration
from provisioning.app import create_app
from provisioning.database import db
from provisioning.directory.roster import MemberView
from provisioning.sessions.models import Session
from tests.conftest import PATCH_URN
from tests.faults.asking import Client
from tests.faults.company import Company, found
from tests.faults.looking import count
from tests.faults.whole import Whole, is_ready, whole
from tests.waiting import eventually

_PEOPLE = 50
_BEFORE_SECONDS = 20.0
_AT_THE_MOST_SECONDS = 300.0


def provision(url: str, company: Company, people: list[MemberView], until: Callable[[], bool]) -> list[float]:
    """Look people up and change them, one request after another; how many milliseconds each took."""
    client, took, is_over = Client(), [], False
    while not is_over:
        for number, member in enumerate(people):
            path = f"{url}/scim/v2/Users/{member.id}"
            value = {"op": "replace", "path": "title", "value": f"{len(took)}"}
            change = {"schemas": [PATCH_URN], "Operations": [value]}
            answer = client.ask("GET" if number % 2 else "PATCH", path, company.scim, None if number % 2 else change)
            if answer.status != 200:  # noqa: PLR2004 - OK
                sys.exit(f"a SCIM request was answered with {answer.status}")
            took.append(answer.seconds * 1000)
        is_over = until()
    client.close()
    return took


def measure(service: Whole, *, members: int, judged: int) -> dict[str, Any]:
    """Build, work for a while, flip, go on until all is cleared."""
    url, company = service.url("web-a"), found(service.servers.environ)
    people = [company.hire() for _ in range(_PEOPLE)]
    build(members)
    begun = time.monotonic()
    before = provision(url, company, people, lambda: time.monotonic() - begun > _BEFORE_SECONDS)
    took, flipped = flip(on=True), time.monotonic()
    accepted, _ = judge(judged)
    given_up = flipped + _AT_THE_MOST_SECONDS
    meanwhile = provision(url, company, people, lambda: _is_cleared() or time.monotonic() > given_up)
    cleared = time.monotonic() - flipped
    tails = [quantiles(taken, n=100)[98] for taken in (before, meanwhile)]
    return {
        "members": members,
        "flip_ms": round(took * 1000, 1),
        "judged": judged,
        "accepted_after": accepted,
        "left": count(Session, Session.ended_at.is_(None)),
        "cleared_s": round(cleared, 1),
        "scim_requests": [len(before), len(meanwhile)],
        "scim_p99_ms": [round(tail, 1) for tail in tails],
        "scim_p99_ratio": round(tails[1] / tails[0], 2),
    }


def _is_cleared() -> bool:
    return count(Session, Session.ended_at.is_(None)) == 0


def main() -> None:
    """Measure on a service of its own, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--judged", type=int, default=1000)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        whole(Path(folder)) as service,
        create_app(settings.load(service.servers.environ)).app_context(),
    ):
        migration.migrate()
        for name in ("web-a", "worker-a", "beat-a"):
            service.parts[name].start()
        eventually(lambda: is_ready(service.url("web-a")), within=60)
        measured = measure(service, members=asked.members, judged=min(asked.judged, asked.members))
        db.engine.dispose()
    sys.stdout.write(orjson.dumps(measured).decode() + "\n")


if __name__ == "__main__":
    main()
