"""Whoever can write every table leaves a trace all the same: each deed is found, and the fact and seal are named."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from provisioning import signing_keys
from provisioning.audit import canonical, retention, signatures, verification
from provisioning.context import context
from provisioning.sealing import Sealer
from tests.audit.conftest import Called
from tests.conftest import TEST

YEARS = timedelta(days=6 * 366)


@pytest.fixture
def sealed(chain):
    """Twelve facts under four seals."""
    chain.write(12)
    assert chain.seal(most=3) == [3, 3, 3, 3]
    return chain


def check(chain, *, anchors=None, vouching=None, trusted=()):
    vouching = vouching or context().notary.vouching
    known = signatures.known(chain.connection, vouching=vouching, trusted=trusted)
    return verification.verify(chain.connection, chain=chain.id, known=known, anchors=anchors)


def troubles(chain, **asked):
    return [(t.seal, t.seq, t.event_id, t.what) for t in check(chain, **asked).troubles]


def test_what_nobody_touched_is_in_order_and_the_unsealed_tail_is_told(sealed):
    sealed.write(2, Called)
    found = check(sealed)
    assert (found.seals, found.facts, found.unsealed, found.dropped, found.trouble_count) == (4, 12, 2, 0, 0)
    assert found.unsealed_since is not None
    assert found.last_hash == sealed.rows("hash", "audit_seal", "number")[-1].hash.hex()


CHANGES = {
    "name": "'other'",
    "subject": "'other:1'",
    "payload": "'{\"number\": 99}'",
    "actor_kind": "'person'",
    "actor_id": "NULL",
    "request_id": "'r'",
    "occurred_at": "occurred_at + interval '1 microsecond'",
    "id": "gen_random_uuid()",
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_fact_is_named(sealed, column):
    fact = sealed.rows()[4]
    sealed.tamper(f"UPDATE event SET {column} = {CHANGES[column]} WHERE seq = :seq", seq=fact.seq)
    identifier = sealed.rows()[4].id
    assert troubles(sealed) == [(2, fact.seq, identifier, "was changed")]


def test_a_deleted_fact_is_named(sealed):
    fact = sealed.rows()[0]
    sealed.tamper("DELETE FROM event WHERE seq = :seq", seq=fact.seq)
    assert troubles(sealed) == [(1, fact.seq, None, "is missing")]


INSERT = """
    INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind, done_at, seal_number)
    VALUES (gen_random_uuid(), :chain, 'n', 's', '{}', 'system', now(), :seal)
"""


@pytest.mark.parametrize(
    ("seal", "what"),
    [
        (3, "was put in"),
        (9, "is said to be under a seal that is not there"),
        (0, "is said to be under a seal that is not there"),
    ],
)
def test_a_fact_that_was_put_in_is_named(sealed, seal, what):
    sealed.tamper(INSERT, seal=seal)
    fact = sealed.rows()[-1]
    assert troubles(sealed) == [(seal, fact.seq, fact.id, what)]


def test_facts_that_change_places_are_named(sealed):
    one, other = sealed.rows()[1], sealed.rows()[7]
    sealed.tamper("UPDATE event SET id = gen_random_uuid() WHERE seq = :other", other=other.seq)
    sealed.tamper("UPDATE event SET id = :second WHERE seq = :one", second=other.id, one=one.seq)
    sealed.tamper("UPDATE event SET id = :first WHERE seq = :other", first=one.id, other=other.seq)
    assert troubles(sealed) == [(1, one.seq, other.id, "was changed"), (3, other.seq, one.id, "was changed")]


def test_a_fact_taken_from_under_its_seal_is_missing_there(sealed):
    fact = sealed.rows()[5]
    sealed.tamper("UPDATE event SET seal_number = NULL WHERE seq = :seq", seq=fact.seq)
    assert troubles(sealed) == [(2, fact.seq, None, "is missing")]
    assert sealed.seal() == [1]
    assert troubles(sealed) == [(2, fact.seq, None, "is missing")]


def test_another_workspaces_fact_is_missing_here(sealed):
    fact = sealed.rows()[5]
    sealed.tamper("UPDATE event SET workspace_id = gen_random_uuid() WHERE seq = :seq", seq=fact.seq)
    assert troubles(sealed) == [(2, fact.seq, None, "is missing")]


def cut(chain, first, head=None):
    chain.tamper("DELETE FROM event WHERE workspace_id = :chain AND seal_number >= :first", first=first)
    chain.tamper("DELETE FROM audit_seal WHERE workspace_id = :chain AND number >= :first", first=first)
    if head is not None:
        chain.tamper("UPDATE audit_head SET signature = :head WHERE workspace_id = :chain", head=head)


def test_a_tail_that_was_cut_off_is_named_by_the_head(sealed):
    cut(sealed, 3)
    assert troubles(sealed) == [(3, None, None, "the seals from here to 4 are missing")]


def test_the_signature_of_a_seal_is_no_head(sealed):
    cut(sealed, 3, head=sealed.rows("signature", "audit_seal", "number")[1].signature)
    assert troubles(sealed) == [(2, None, None, "the head of the chain is not signed by the service")]


def test_a_tail_cut_off_with_a_head_that_was_kept_is_found_by_what_was_noted_outside(chain):
    chain.write(6)
    chain.seal(most=3)
    (kept,) = chain.rows("signature", "audit_head", "workspace_id")
    chain.write(3)
    chain.seal()
    ends = [end for end in verification.ends(chain.connection) if end.chain == chain.id]
    noted = {end.number: end.hash for end in ends}
    assert troubles(chain, anchors=noted) == []
    cut(chain, 3, head=kept.signature)
    assert troubles(chain) == []
    assert troubles(chain, anchors=noted) == [(3, None, None, "the seal that was noted outside is not there")]
    assert troubles(chain, anchors={1: "00"}) == [(1, None, None, "the seal is not the one that was noted outside")]


def test_a_missing_head_and_a_missing_seal_are_named(sealed):
    sealed.tamper("DELETE FROM audit_head WHERE workspace_id = :chain")
    sealed.tamper("DELETE FROM audit_seal WHERE workspace_id = :chain AND number = 2")
    stray = [(2, row.seq, row.id, "is said to be under a seal that is not there") for row in sealed.rows()[3:6]]
    gone = "the head of the chain is missing, which tells its last seal"
    assert sorted(troubles(sealed), key=str) == sorted(
        [*stray, (2, None, None, "the seal is missing"), (4, None, None, gone)], key=str
    )


def test_a_workspace_of_which_nothing_is_left_is_named(app, chain):
    what = "no fact and no seal of the workspace is there, not even of its beginning"
    assert troubles(chain) == [(None, None, None, what)]


@pytest.mark.parametrize("column", ["count", "first_seq", "last_seq"])
def test_a_changed_seal_is_named(sealed, column):
    sealed.tamper(f"UPDATE audit_seal SET {column} = {column} + 1 WHERE workspace_id = :chain AND number = 2")
    assert troubles(sealed) == [(2, None, None, "the seal was changed")]


def reseal(chain, number, signature=None):
    """Compute a seal anew over what the table says now, as whoever has read the code can."""
    facts = "SELECT {} FROM event WHERE workspace_id = :chain AND seal_number = :number ORDER BY seq"
    parameters = {"chain": chain.id, "number": number}
    rows = chain.connection.execute(text(facts.format(", ".join(canonical.FIELDS))), parameters).all()
    packed = canonical.pack((row.seq, canonical.digest(row)) for row in rows)
    seal = next(s for s in chain.rows("*", "audit_seal", "number") if s.number == number)
    header = {name: getattr(seal, name) for name in canonical.HEADER}
    hashed = canonical.hash_of(header, previous=seal.previous, rows=packed)
    change = (
        "UPDATE audit_seal SET rows = :rows, hash = :hash, signature = :by WHERE workspace_id = :chain AND number = "
    )
    by = seal.signature if signature is None else signature(hashed)
    chain.tamper(f"{change} {number}", rows=packed, hash=hashed, by=by)
    link = f"UPDATE audit_seal SET previous = :hash WHERE workspace_id = :chain AND number = {number + 1}"
    chain.tamper(link, hash=hashed)


def test_a_seal_made_anew_lacks_the_services_signature(sealed):
    sealed.tamper("UPDATE event SET name = 'other' WHERE seq = :seq", seq=sealed.rows()[4].seq)
    reseal(sealed, 2)
    assert troubles(sealed)[0] == (2, None, None, "the seal is not signed by the service")


def test_a_key_put_in_beside_the_services_is_not_believed(sealed):
    forger = Sealer(b"f" * 32, "of somebody who lacks the secret key")
    sealed.tamper("UPDATE event SET name = 'other' WHERE seq = :seq", seq=sealed.rows()[8].seq)
    sealed.tamper("DELETE FROM signing_key WHERE :chain IS NOT NULL")
    notary = signatures.Notary(forger, forger)

    def sign(hashed):
        told = signatures.claims(sealed.id, 3, hashed)
        return signatures.sign(sealed.connection, signatures.SEAL, told, notary=notary)

    reseal(sealed, 3, sign)
    assert troubles(sealed)[0] == (3, None, None, "the seal is not signed by the service")


def test_after_a_change_of_the_secret_key_former_keys_are_trusted_by_name(sealed):
    other = Sealer(b"o" * 32, signatures.PURPOSE)
    assert troubles(sealed, vouching=other)[0] == (1, None, None, "the seal is not signed by the service")
    kids = [row.kid for row in sealed.connection.execute(text("SELECT kid FROM audit_key"))]
    assert troubles(sealed, vouching=other, trusted=kids) == []
    sealed.tamper("UPDATE audit_key SET public = jsonb_set(public, '{x}', '\"AAAA\"') WHERE :chain IS NOT NULL")
    assert troubles(sealed, vouching=other, trusted=kids) != []


def test_seals_of_keys_that_sign_no_more_are_believed(sealed):
    for _ in range(2):
        signing_keys.rotate(sealed.connection, sealer=context().signing, by=TEST)
    sealed.connection.execute(text("DELETE FROM signing_key WHERE former_since IS NOT NULL"))
    sealed.write(1)
    sealed.seal()
    assert troubles(sealed) == []


def test_what_retention_dropped_is_told_and_the_chain_stays_whole(sealed):
    for number in (1, 2):
        assert retention.drop(sealed.connection, chain=sealed.id, number=number, notary=context().notary) == 3
    found = check(sealed)
    assert (found.trouble_count, found.seals, found.facts, found.dropped) == (0, 4, 6, 6)
    assert retention.drop(sealed.connection, chain=sealed.id, number=1, notary=context().notary) == 0


def test_nobody_else_says_that_retention_dropped_something(sealed):
    seq = [row.seq for row in sealed.rows()[:3]]
    sealed.tamper("DELETE FROM event WHERE workspace_id = :chain AND seal_number = 1")
    sealed.tamper("UPDATE audit_seal SET dropped = signature WHERE workspace_id = :chain AND number = 1")
    what = "it is not the service that says that retention dropped the facts"
    assert troubles(sealed) == [(1, None, None, what), *((1, number, None, "is missing") for number in seq)]


def test_retention_takes_whole_seals_that_are_old_and_done(chain):
    chain.write(4)
    chain.write(2, Called)
    chain.tamper("UPDATE event SET occurred_at = now() - interval '7 years' WHERE workspace_id = :chain")
    newest = chain.rows()[1].seq
    chain.tamper("UPDATE event SET occurred_at = now() WHERE seq = :seq", seq=newest)
    assert chain.seal(most=2) == [2, 2, 2]
    due = retention.overdue(chain.connection, keep=YEARS, most=100)
    assert [number for found, number in due if found == chain.id] == [2]


ENDS = (
    *(
        f"UPDATE event SET {column} = {value} WHERE seq = :seq"
        for column, value in CHANGES.items()
        if column != "actor_id"
    ),
    *("UPDATE event SET actor_id = 'somebody' WHERE seq = :seq", "DELETE FROM event WHERE seq = :seq"),
    "UPDATE event SET seal_number = seal_number % 4 + 1 WHERE seq = :seq",
    "UPDATE event SET seal_number = NULL WHERE seq = :seq",
    INSERT.replace("VALUES", "SELECT")
    .replace("(gen", "gen")
    .replace(":seal)", "seal_number FROM event WHERE seq = :seq"),
)


def test_of_a_thousand_deeds_a_thousand_are_found(sealed):
    chance = random.Random(12)  # noqa: S311 - no secret
    facts = sealed.rows()
    missed = []
    for _ in range(1000):
        deed, fact = chance.choice(ENDS), chance.choice(facts)
        with sealed.connection.begin_nested() as here:
            sealed.tamper(deed, seq=fact.seq)
            found = troubles(sealed)
            here.rollback()
        named = {seal for seal, *_ in found}
        if not found or fact.seal_number not in named:
            missed.append((deed, fact))
    assert missed == []
