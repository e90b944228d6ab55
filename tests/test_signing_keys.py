"""The service's own keys: published before they sign and after, sealed at rest, and rotated by one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import delete, select, update
from sqlalchemy import text as statement

from provisioning import signing_keys
from provisioning.context import context
from provisioning.database import db, reading, rehearsal, transaction
from provisioning.sealing import Sealer
from provisioning.signing_keys import KEPT, PURPOSE, SigningKeyRow
from tests.conftest import TEST
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def connection():
    """A connection on which no key is there yet, and nothing is kept."""
    with rehearsal() as found:
        # The workers of the running service make keys, too, as soon as they miss them.
        found.execute(statement("LOCK TABLE signing_key IN EXCLUSIVE MODE"))
        found.execute(delete(SigningKeyRow))
        yield found


@pytest.fixture
def sealer():
    return Sealer(b"k" * 32, PURPOSE)


def states(connection):
    return [key.state for key in signing_keys.published(connection)]


def verified(connection, text):
    keys = KeySet.import_key_set({"keys": [key.jwk for key in signing_keys.published(connection)]})
    return jwt.decode(text, keys, algorithms=["ES256"])


def test_the_next_key_is_published_before_it_signs_and_a_former_one_after(connection, sealer):
    before = signing_keys.sign(connection, {"a": 1}, sealer=sealer, kind="x+jwt")
    assert sorted(states(connection)) == ["current", "next"]
    told = {key.state: key.kid for key in signing_keys.published(connection)}
    rotated = signing_keys.rotate(connection, sealer=sealer, by=TEST)
    assert rotated.kid == told["next"]
    after = signing_keys.sign(connection, {"a": 2}, sealer=sealer)
    assert sorted(states(connection)) == ["current", "former", "next"]
    for text, claims, kid in ((before, {"a": 1}, told["current"]), (after, {"a": 2}, told["next"])):
        token = verified(connection, text)
        assert (token.claims, token.header["kid"], token.header["alg"]) == (claims, kid, "ES256")
    assert verified(connection, before).header["typ"] == "x+jwt"


def test_private_parts_are_sealed(connection, sealer):
    key = signing_keys.current(connection, sealer=sealer)
    for row in connection.execute(select(SigningKeyRow.private, SigningKeyRow.public)):
        assert key.as_dict(private=True)["d"] not in row.private
        assert "d" not in row.public


def test_under_another_secret_key_new_keys_take_the_place_of_the_old(connection, sealer):
    before = signing_keys.sign(connection, {}, sealer=sealer)
    other = Sealer(b"o" * 32, PURPOSE)
    after = signing_keys.sign(connection, {}, sealer=other)
    assert sorted(states(connection)) == ["current", "former", "former", "next"]
    for text in (before, after):
        assert verified(connection, text)
    assert signing_keys.sign(connection, {}, sealer=other)
    assert len(states(connection)) == 4


def test_a_key_signs_for_its_term_and_is_dropped_when_nobody_needs_it(connection, sealer):
    signing_keys.current(connection, sealer=sealer)
    term = timedelta(days=30)
    assert not signing_keys.tend(connection, sealer=sealer, term=term)
    connection.execute(update(SigningKeyRow).values(current_since=SigningKeyRow.current_since - term))
    assert signing_keys.tend(connection, sealer=sealer, term=term)
    assert not signing_keys.tend(connection, sealer=sealer, term=term)
    assert sorted(states(connection)) == ["current", "former", "next"]
    connection.execute(update(SigningKeyRow).values(former_since=SigningKeyRow.former_since - KEPT))
    assert not signing_keys.tend(connection, sealer=sealer, term=term)
    assert sorted(states(connection)) == ["current", "next"]


def test_of_many_at_once_one_makes_the_first_keys():
    with transaction() as connection:
        connection.execute(delete(SigningKeyRow))
    sealer, engine = context().signing, db.engine

    def current():
        with engine.begin() as connection:
            return signing_keys.current(connection, sealer=sealer).kid

    with ThreadPoolExecutor(8) as several:
        assert len(set(several.map(lambda _: current(), range(8)))) == 1
    with reading() as connection:
        assert sorted(states(connection)) == ["current", "next"]


def test_beat_lets_the_next_key_sign(service):
    with transaction() as connection:
        signing_keys.current(connection, sealer=context().signing)
        told = {key.state: key.kid for key in signing_keys.published(connection)}
        connection.execute(
            update(SigningKeyRow).values(current_since=SigningKeyRow.current_since - context().signing_key_term)
        )

    def signs():
        with reading() as connection:
            return {key.state: key.kid for key in signing_keys.published(connection)}.get("current")

    eventually(lambda: signs() == told["next"])


def test_operators_rotate_by_hand(facts_of):
    before = {key["state"]: key["kid"] for key in facts_of("keys", "list")["keys"]}
    rotated = facts_of("keys", "rotate")
    assert rotated["state"] == "current"
    assert "next" not in before or rotated["kid"] == before["next"]
    assert {"next", "current"} <= {key["state"] for key in facts_of("keys", "list")["keys"]}
