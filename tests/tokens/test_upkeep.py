"""What workers do for API tokens: tell of ends that come near, mark what is over, forget what ended long ago."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.sql import func

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, rehearsal, transaction
from provisioning.directory import owners, roster
from provisioning.outbox import Actor, Event
from provisioning.tokens import api, ending, standing, warnings
from provisioning.tokens.models import ApiToken
from tests.conftest import TEST
from tests.statements import counted
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("app")
SYSTEM = Actor("system")


def new_token(idp, *, days=90.0, owner_id=None):
    secret = context().keyring.mint(Kind.API_TOKEN)
    with transaction() as connection:
        made = api.issue(
            connection,
            workspace_id=idp.workspace.id,
            name="deploy",
            digest=secret.digest,
            by=TEST,
            lifetime=timedelta(days=days),
            owner_id=owner_id,
        )
    return made.id, secret.digest


def ends_in(token_id, **length):
    with transaction() as connection:
        end = func.clock_timestamp() + timedelta(**length)
        connection.execute(update(ApiToken).where(ApiToken.id == token_id).values(expires_at=end))


def told(token_id, name="api_token.expiring"):
    with reading() as connection:
        mine = select(Event.payload).where(Event.subject == f"token:{token_id}", Event.name == name)
        return list(connection.execute(mine.order_by(Event.seq)).scalars())


def days_told(token_id):
    return [fact["days"] for fact in told(token_id)]


def warn():
    with transaction() as connection:
        return warnings.warn(connection, most=1000, by=SYSTEM)


def test_the_end_is_told_of_14_3_and_1_days_before_once_each_by_the_workers(idp, app):
    def warn_too(_):
        with app.app_context():
            warn()

    token, _ = new_token(idp)
    for left, days in ((13.9, [14]), (5, [14]), (2.9, [14, 3]), (1.1, [14, 3]), (0.9, [14, 3, 1]), (0.01, [14, 3, 1])):
        ends_in(token, days=left)
        eventually(lambda days=days: days_told(token) == days)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(warn_too, range(8)))
        assert days_told(token) == days


def test_ticks_that_were_missed_are_made_up_for_by_the_nearest(idp):
    token, _ = new_token(idp)
    ends_in(token, hours=2)
    eventually(lambda: days_told(token) == [1])
    assert warn() >= 0
    assert days_told(token) == [1]


@pytest.mark.parametrize(("lifetime", "expected"), [(0.5, []), (1, []), (2, [1]), (7, [3, 1]), (14, [3, 1])])
def test_nobody_is_told_of_a_nearness_that_was_there_from_the_start(idp, lifetime, expected):
    token, _ = new_token(idp, days=lifetime)
    for left in (13.5, 2.5, 0.5, 0.4):
        if left < lifetime:
            ends_in(token, days=left)
            warn()
    warn()
    eventually(lambda: days_told(token) == expected)


def test_a_renewed_token_is_told_of_anew_and_a_rotated_one_is_not(idp):
    token, _ = new_token(idp)
    ends_in(token, days=2)
    eventually(lambda: days_told(token) == [3])

    def rotate(lifetime):
        secret = context().keyring.mint(Kind.API_TOKEN)
        where = {"workspace_id": idp.workspace.id, "token_id": token}
        with transaction() as connection:
            api.rotate(connection, **where, digest=secret.digest, by=TEST, lifetime=lifetime)

    rotate(None)
    warn()
    assert days_told(token) == [3]
    rotate(timedelta(days=90))
    warn()
    assert days_told(token) == [3]
    ends_in(token, days=10)
    eventually(lambda: days_told(token) == [3, 14])


def test_a_letter_is_for_the_owner_or_for_the_owners_of_the_workspace(idp):
    ids = [idp.create_user(f"{name}@corp.example")["id"] for name in ("owner", "second", "member", "gone")]
    for owner in (*ids[:2], ids[3]):
        with transaction() as connection:
            member = roster.lock(connection, workspace_id=idp.workspace.id, member_id=owner)
            owners.appoint(connection, member=member, by=TEST)
    idp.patch(f"/Users/{ids[3]}", {"op": "replace", "path": "active", "value": False})
    theirs, _ = new_token(idp, owner_id=ids[2])
    nobodys, _ = new_token(idp)
    for token in (theirs, nobodys):
        ends_in(token, days=2)
    (letter,) = eventually(lambda: told(theirs))
    assert (letter["to"], letter["token_name"], letter["days"]) == ([ids[2]], "deploy", 3)
    (letter,) = eventually(lambda: told(nobodys))
    assert sorted(letter["to"]) == sorted(ids[:2])
    assert letter["expires_at"]


def test_nobody_is_told_of_a_token_that_is_dead_already(idp):
    owner = idp.create_user("owner@corp.example")["id"]
    revoked, _ = new_token(idp)
    orphan, _ = new_token(idp, owner_id=owner)
    with transaction() as connection:
        api.revoke(connection, workspace_id=idp.workspace.id, token_id=revoked, by=TEST)
    idp.patch(f"/Users/{owner}", {"op": "replace", "path": "active", "value": False})
    for token in (revoked, orphan):
        ends_in(token, days=2)
    warn()
    assert days_told(revoked) == days_told(orphan) == []


def test_what_is_over_is_marked_as_of_the_moment_when_it_ended(idp):
    token, digest = new_token(idp)
    ends_in(token, seconds=-100)
    with reading() as connection:
        assert standing.live(connection, digest) is None
    eventually(lambda: told(token, "api_token.expired"))
    with reading() as connection:
        row = connection.execute(select(ApiToken).where(ApiToken.id == token)).one()
    assert (row.ended_at, row.ended_reason) == (row.expires_at, "expired")


def test_many_that_are_over_cost_as_many_statements_as_one(idp):
    def sweep(count: int) -> int:
        tokens = [new_token(idp)[0] for _ in range(count)]
        # Never committed, so that no worker of the service is there first.
        with rehearsal() as connection:
            past = func.clock_timestamp() - timedelta(seconds=1)
            connection.execute(update(ApiToken).where(ApiToken.id.in_(tokens)).values(expires_at=past))
            with counted() as statements:
                assert ending.mark_expired(connection, most=1000, by=SYSTEM) >= count
        return len(statements)

    assert sweep(20) == sweep(1)


def test_what_ended_long_ago_is_forgotten_once_and_what_ended_lately_is_kept(idp):
    old, _ = new_token(idp)
    late, _ = new_token(idp)
    there, _ = new_token(idp)
    for token, days in ((old, 91), (late, 89)):
        with transaction() as connection:
            api.revoke(connection, workspace_id=idp.workspace.id, token_id=token, by=TEST)
            ago = func.clock_timestamp() - timedelta(days=days)
            connection.execute(update(ApiToken).where(ApiToken.id == token).values(ended_at=ago))
    eventually(lambda: told(old, "api_token.forgotten"))
    with transaction() as connection:
        assert ending.forget(connection, older_than=timedelta(days=90), most=1000, by=SYSTEM) == 0
        left = {token.id for token in api.every(connection, workspace_id=idp.workspace.id)}
    assert left == {late, there}
    assert [fact["token_name"] for fact in told(old, "api_token.forgotten")] == ["deploy"]
    assert len(told(old, "api_token.issued")) == 1
