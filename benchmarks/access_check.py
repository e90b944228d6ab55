"""Whether an access check costs the same whatever the size of the group and of the workspace."""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson
from sqlalchemy import text

from config.roles import CATALOGUE
from provisioning.access import facts, policies, resources
from provisioning.access.founding import found_workspace
from provisioning.access.policies import Giver, Subject, Terms
from provisioning.access.resources import Registration
from provisioning.access.roles import Catalogue
from provisioning.access.rules import Reference, decide
from provisioning.app import create_app
from provisioning.cli.service import settings_of
from provisioning.database import db, reading, take_any_time, transaction
from provisioning.directory import local_groups
from provisioning.outbox import Actor
from tests.service import start

_BY = Giver(Actor("operator", "benchmark"), Catalogue(CATALOGUE))
_SOURCE = Reference("source", "s")
_PEOPLE = text(
    """
    WITH person AS (
        SELECT gen_random_uuid() AS user_id, gen_random_uuid() AS member_id, :slug || n || '@corp.example' AS name
        FROM generate_series(1, :members) AS n
    ), account AS (
        INSERT INTO user_account (id, email, email_key) SELECT user_id, name, name FROM person
    )
    INSERT INTO member (id, workspace_id, user_id, origin, active, user_name, user_name_key, document, search)
    SELECT member_id, :workspace, user_id, 'manual', true, name, name, jsonb_build_object('userName', name), '{}'
    FROM person
    """
)
_INSIDE = text(
    """
    INSERT INTO membership (workspace_id, group_id, member_id)
    SELECT :workspace, :group, id FROM member WHERE workspace_id = :workspace LIMIT :inside RETURNING member_id
    """
)


@dataclass(frozen=True)
class Place:
    """A workspace with one group that may update one source."""

    workspace_id: UUID
    inside: list[UUID]


def build(slug: str, *, members: int, inside: int) -> Place:
    """A workspace of so many members, so many of them in the group."""
    with transaction() as connection:
        take_any_time(connection)
        workspace_id = found_workspace(connection, slug=slug, name=slug, hipaa_eligible=False, by=_BY.by).id
        place = {"workspace_id": workspace_id, "by": _BY.by}
        resources.register(connection, resources=[Registration("source", "s", "S")], **place)
        connection.execute(_PEOPLE, {"workspace": workspace_id, "slug": slug, "members": members})
        group = local_groups.create(connection, name="G", **place)
        asked = {"workspace": workspace_id, "group": group.id, "inside": inside}
        found = list(connection.execute(_INSIDE, asked).scalars())
        subject, terms = Subject("group", group.id), Terms("source-admin", (), ("source:s",))
        policies.give(connection, workspace_id=workspace_id, subject=subject, terms=terms, giver=_BY)
    return Place(workspace_id, random.sample(found, min(len(found), 1000)))


def check(place: Place) -> float:
    """How many seconds one check takes of somebody in the group."""
    member_id = random.choice(place.inside)  # noqa: S311 - no secret
    with reading() as connection:
        begun = time.perf_counter()
        case = facts.of_member(
            connection, workspace_id=place.workspace_id, member_id=member_id, catalogue=_BY.roles, on=_SOURCE
        )
        allowed = decide(case.facts, "source.update", case.resource).allowed
        took = time.perf_counter() - begun
    if not allowed:
        sys.exit("the check is wrong")
    return took


def measure(data_dir: str, *, members: int, group: int, checks: int) -> list[tuple[float, float]]:
    """Build a small and a large workspace and check in both by turns; seconds, the small one's first."""
    with create_app(settings_of(data_dir)).app_context():
        places = build("small", members=1000, inside=10), build("large", members=members, inside=group)
        with reading() as connection:
            take_any_time(connection)
            connection.execute(text("VACUUM ANALYZE"))
        for place in places * 200:
            check(place)
        took = [(check(places[0]), check(places[1])) for _ in range(checks)]
        db.engine.dispose()
    return took


def main() -> None:
    """Build both, check in turns, and print medians with their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--group", type=int, default=100_000)
    parser.add_argument("--checks", type=int, default=3000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as service:
        took = measure(str(service.data_dir), members=asked.members, group=asked.group, checks=asked.checks)
    small, large = (statistics.median(side) * 1000 for side in zip(*took, strict=True))
    shown = {"small_ms": round(small, 3), "large_ms": round(large, 3), "ratio": round(large / small, 3)}
    sys.stdout.write(orjson.dumps({"members": asked.members, "group": asked.group, **shown}).decode() + "\n")


if __name__ == "__main__":
    main()
