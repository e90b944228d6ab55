"""Seals: whatever commits when, every fact comes into one seal of its workspace's chain, and no writer waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from provisioning import entropy, outbox
from provisioning.audit import canonical, seals
from provisioning.audit.models import NOWHERE
from provisioning.context import context
from provisioning.database import db, rehearsal, transaction
from tests.audit.conftest import Called, Noted
from tests.conftest import TEST
from tests.waiting import eventually


def test_seals_hold_their_facts_in_order_and_the_hash_of_the_seal_before(chain):
    chain.write(5)
    assert chain.seal(most=2) == [2, 2, 1]
    found = chain.rows("number, count, first_seq, last_seq, previous, rows, hash", "audit_seal", "number")
    facts = chain.rows()
    assert [fact.seal_number for fact in facts] == [1, 1, 2, 2, 3]
    assert [seq for seal in found for seq, _ in canonical.unpack(seal.rows)] == [fact.seq for fact in facts]
    assert [seal.previous for seal in found] == [canonical.NOTHING_BEFORE, found[0].hash, found[1].hash]
    assert (found[0].count, found[0].first_seq, found[0].last_seq) == (2, facts[0].seq, facts[1].seq)


def test_a_fact_that_waits_for_its_work_is_left_to_it_for_a_minute(chain):
    chain.write(1, Called)
    assert chain.seal() == []
    chain.tamper("UPDATE event SET occurred_at = now() - interval '61 seconds' WHERE workspace_id = :chain")
    assert chain.seal() == [1]


@pytest.fixture
def workspace_id(app):
    """A workspace of whose facts the running service's sealer takes care, too."""
    return entropy.new_id()


def sealed(workspace_id):
    with transaction() as connection:
        asked = "SELECT seal_number FROM event WHERE workspace_id = :id ORDER BY seq"
        return list(connection.execute(text(asked), {"id": workspace_id}).scalars())


def write(connection, workspace_id, number=0):
    outbox.append(connection, Noted(number=number), workspace_id=workspace_id, by=TEST)


def test_what_commits_late_is_in_a_later_seal(workspace_id):
    with db.engine.connect() as late, late.begin():
        late.info["after_commit"] = []
        write(late, workspace_id)
        with transaction() as early:
            write(early, workspace_id, 1)
        assert eventually(lambda: sealed(workspace_id) == [1])
    assert eventually(lambda: sealed(workspace_id) == [2, 1])


def test_whoever_seals_waits_for_nobody_and_a_held_fact_comes_later(workspace_id):
    with transaction() as connection:
        for number in range(2):
            write(connection, workspace_id, number)
        # Held from birth on: the lock is there at the commit.
        held = connection.execute(text("SELECT min(seq) FROM event WHERE workspace_id = :id"), {"id": workspace_id})
        seq = held.scalar_one()
        connection.execute(text("UPDATE event SET done_at = NULL WHERE seq = :seq"), {"seq": seq})
    with transaction() as holder:
        holder.execute(text("UPDATE event SET done_at = now() WHERE seq = :seq"), {"seq": seq})
        assert eventually(lambda: sealed(workspace_id) == [None, 1])
    assert eventually(lambda: sealed(workspace_id) == [2, 1])


def test_of_several_sealers_one_is_at_a_chain(app, workspace_id):
    with rehearsal() as first:
        assert seals.held(first, chain=workspace_id)
        with rehearsal() as second:
            write(second, workspace_id)
            assert seals.seal(second, chain=workspace_id, most=10, notary=context().notary) is None

    def work(number):
        with app.app_context():
            with transaction() as connection:
                write(connection, workspace_id, number)
            with transaction() as connection:
                seals.seal(connection, chain=workspace_id, most=3, notary=context().notary)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(40)))
    assert eventually(lambda: None not in sealed(workspace_id))
    assert len(sealed(workspace_id)) == 40


def test_facts_of_no_workspace_have_a_chain_of_their_own(app):
    with rehearsal() as connection:
        write(connection, None)
        assert NOWHERE in seals.waiting(connection)
        eventually(lambda: seals.held(connection, chain=NOWHERE))
        made = seals.seal(connection, chain=NOWHERE, most=1000, notary=context().notary)
        assert made is not None
        assert made.chain == NOWHERE
