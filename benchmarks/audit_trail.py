"""How fast the audit trail is sealed and checked, and in how much memory."""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import orjson
from sqlalchemy import text

from provisioning import entropy
from provisioning.app import create_app
from provisioning.audit import seals, signatures, verification
from provisioning.cli.service import settings_of
from provisioning.context import context
from provisioning.database import db, snapshot, take_any_time, transaction
from tests.service import start

_FACTS = text(
    """
    INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, actor_id, request_id, done_at)
    SELECT gen_random_uuid(), :chain, 'group.members_changed', 'group:' || gen_random_uuid(),
           jsonb_build_object('group_id', gen_random_uuid(), 'display_name', 'Group ' || n, 'added',
                              jsonb_build_array(gen_random_uuid()), 'removed', '[]'::jsonb),
           'connection', gen_random_uuid(), gen_random_uuid(), clock_timestamp()
    FROM generate_series(1, :count) AS n
    """
)


def fill(chain: UUID, *, facts: int) -> float:
    """Write facts and seal them here, with nobody else at it; seconds that the sealing took."""
    with transaction() as connection:
        take_any_time(connection)
        seals.held(connection, chain=chain)
        connection.execute(_FACTS, {"chain": chain, "count": facts})
        begun = time.perf_counter()
        while seals.seal(connection, chain=chain, most=1000, notary=context().notary):
            pass
        return time.perf_counter() - begun


def check(chain: UUID, *, facts: int) -> float:
    """Check the chain as `provisioning audit verify` does; seconds."""
    begun = time.perf_counter()
    with snapshot() as connection:
        known = signatures.known(connection, vouching=context().notary.vouching)
        found = verification.verify(connection, chain=chain, known=known)
    took = time.perf_counter() - begun
    if found.trouble_count or found.facts != facts:
        sys.exit(f"the trail is not in order: {found}")
    return took


def measure(data_dir: str, *, facts: int) -> tuple[float, float, int]:
    """Seconds of sealing and of checking, and by how many KiB this process grew while it checked."""
    with create_app(settings_of(data_dir)).app_context():
        chain = entropy.new_id()
        sealing = fill(chain, facts=facts)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        checking = min(check(chain, facts=facts) for _ in range(3))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        db.engine.dispose()
    return sealing, checking, grown


def main() -> None:
    """Seal and check, and print rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=500_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as service:
        sealing, checking, grown = measure(str(service.data_dir), facts=asked.facts)
    rates = {"sealed_per_s": round(asked.facts / sealing), "checked_per_s": round(asked.facts / checking)}
    sys.stdout.write(orjson.dumps({"facts": asked.facts, **rates, "grown_kib": grown}).decode() + "\n")


if __name__ == "__main__":
    main()
