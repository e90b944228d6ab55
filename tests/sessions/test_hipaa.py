"""What ends whose sessions: each change, through a real door, judged right after its answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.sessions import clearing, lifecycle
from provisioning.sessions.models import Session
from tests.conftest import TEST, USER_URN
from tests.sessions.playing import begin, flip, judge
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def email(idp) -> str:
    """An address that only this test knows."""
    return f"{idp.workspace.slug}@corp.example"


@pytest.fixture
def plain(new_idp, email):
    """A workspace that is not HIPAA-eligible, with the person in it."""
    found = new_idp()
    found.create_user(email, externalId="e1")
    return found


def suspend(idp, user):
    return idp.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})


DOORS_OUT = {
    "PATCH without path": suspend,
    "PATCH with path and text": lambda i, u: i.patch(
        f"/Users/{u['id']}", {"op": "Replace", "path": "active", "value": "False"}
    ),
    "PUT": lambda i, u: i.request(
        "PUT", f"/Users/{u['id']}", {"schemas": [USER_URN], "userName": u["userName"], "active": False}
    ),
    "DELETE": lambda i, u: i.request("DELETE", f"/Users/{u['id']}"),
    "another address": lambda i, u: i.patch(
        f"/Users/{u['id']}", {"op": "replace", "path": "userName", "value": f"new.{u['userName']}"}
    ),
}


@pytest.mark.parametrize("hipaa", [False, True])
@pytest.mark.parametrize("door", DOORS_OUT)
def test_leaving_any_workspace_ends_the_sessions_begun_before(new_idp, plain, email, door, hipaa):
    left = new_idp(hipaa=hipaa)
    user = left.create_user(email)
    before = begin(email)
    assert judge(before).active
    assert DOORS_OUT[door](left, user).status_code in {200, 204}
    verdict = judge(before)
    expected = "suspended" if "P" in door and door != "DELETE" else "removed"
    assert (verdict.active, verdict.reason, verdict.workspace) == (False, expected, left.workspace.slug)
    after = judge(begin(email))
    assert (after.active, after.policy) == (True, "standard")


DOORS_IN = {
    "POST": lambda i, email, _: i.create_user(email),
    "reactivation": lambda i, _, u: i.patch(f"/Users/{u['id']}", {"op": "replace", "value": {"active": True}}),
    "POST again": lambda i, email, _: i.create_user(email, externalId="e9"),
    "address taken over": lambda i, email, u: i.patch(
        f"/Users/{u['id']}", {"op": "replace", "value": {"userName": email, "active": True}}
    ),
}


@pytest.mark.parametrize("door", DOORS_IN)
def test_joining_a_hipaa_workspace_ends_the_sessions_begun_before(new_idp, plain, email, door):
    clinic = new_idp(hipaa=True)
    user = None
    if door in {"reactivation", "POST again"}:
        user = clinic.create_user(email, externalId="e9")
        suspend(clinic, user)
    if door == "address taken over":
        user = clinic.create_user(f"other.{email}", active=False)
    before = begin(email)
    assert judge(before).policy == "standard"
    DOORS_IN[door](clinic, email, user)
    verdict = judge(before)
    assert (verdict.active, verdict.reason) == (False, "revoked_hipaa_change")
    assert verdict.workspace == clinic.workspace.slug
    assert judge(begin(email)).policy == "hipaa"


def test_joining_a_workspace_that_is_not_eligible_ends_nothing(new_idp, plain, email):
    before = begin(email)
    new_idp().create_user(email)
    assert judge(before).active


def test_a_membership_that_begins_suspended_binds_nobody(new_idp, plain, email):
    before = begin(email)
    new_idp(hipaa=True).create_user(email, active=False)
    assert (judge(before).active, judge(begin(email)).policy) == (True, "standard")


def test_flipping_the_flag_ends_sessions_of_members_in_all_workspaces_and_nobody_elses(new_idp, plain, email):
    other = new_idp()
    other.create_user(f"x.{email}")
    suspended = plain.create_user(f"s.{email}")
    suspend(plain, suspended)
    other.create_user(f"s.{email}")
    mine, theirs, unbound = begin(email), begin(f"x.{email}"), begin(f"s.{email}")
    flip(plain.workspace.slug, on=True)
    assert judge(mine).reason == "revoked_hipaa_change"
    assert (judge(theirs).active, judge(unbound).active) == (True, True)
    short = begin(email)
    assert judge(short).policy == "hipaa"
    flip(plain.workspace.slug, on=False)
    assert judge(short).reason == "revoked_hipaa_change"
    assert judge(begin(email)).policy == "standard"


def test_flipping_to_what_it_is_already_ends_nothing(plain, email):
    session = begin(email)
    flip(plain.workspace.slug, on=False)
    assert judge(session).active


def test_who_joins_after_the_flag_was_off_again_is_not_concerned_by_what_was_before(new_idp, plain, email):
    later = new_idp()
    session = begin(email)
    flip(later.workspace.slug, on=True)
    flip(later.workspace.slug, on=False)
    later.create_user(email)
    assert judge(session).active


def test_an_alias_is_another_person_and_another_case_is_not(new_idp, plain, email):
    alias = email.replace("@", "+alias@")
    plain.create_user(alias)
    session, aliased = begin(email.upper()), begin(alias)
    new_idp(hipaa=True).create_user(email.title())
    assert (judge(session).active, judge(aliased).active) == (False, True)


def test_nobody_signs_in_without_an_active_membership(plain, email):
    (user,) = plain.find("/Users", f'userName eq "{email}"')
    suspend(plain, user)
    with pytest.raises(Exception, match="no workspace"):
        begin(email)


def test_a_late_worker_never_ends_a_session_begun_after_the_change(plain, email):
    (user,) = plain.find("/Users", f'userName eq "{email}"')
    before = begin(email)
    suspend(plain, user)
    plain.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": True}})
    after = begin(email)
    with reading() as connection:
        user_id = connection.execute(select(Session.user_id).where(Session.digest == after)).scalar_one()
    for _ in range(2):
        with transaction() as connection:
            clearing.clear_person(connection, user_id=user_id, by=TEST)
    assert (judge(before).active, judge(after).active) == (False, True)


def test_a_session_that_is_judged_dead_is_marked_so_by_the_workers(plain, email):
    session = begin(email)
    flip(plain.workspace.slug, on=True)

    def marked():
        with reading() as connection:
            return connection.execute(
                select(Session.ended_reason).where(Session.digest == session, Session.ended_at.is_not(None))
            ).scalar_one_or_none()

    assert eventually(marked) == "revoked_hipaa_change"
    assert judge(session).workspace == plain.workspace.slug


def test_activity_is_written_once_an_interval_and_never_revives(plain, email):
    session = begin(email)
    policy = context().session_policy
    with reading() as connection:
        _, standing = lifecycle.judge(connection, digest=session, policy=policy)
        lifecycle.record_activity(connection, standing=standing, policy=policy)
    assert seen(session) == standing.last_seen_at
    past = standing.last_seen_at - 2 * policy.activity_interval
    with transaction() as connection:
        connection.execute(update(Session).where(Session.digest == session).values(last_seen_at=past))
    with reading() as connection:
        _, standing = lifecycle.judge(connection, digest=session, policy=policy)
        lifecycle.record_activity(connection, standing=standing, policy=policy)
    assert seen(session) == standing.now


def seen(session: bytes):
    with reading() as connection:
        return connection.execute(select(Session.last_seen_at).where(Session.digest == session)).scalar_one()


def test_a_sign_in_that_races_with_the_flag_is_judged_by_it_or_refused(app, new_idp, email):
    """Whatever the order of the two commits, no session of a member is alive with the long policy afterwards."""
    clinic = new_idp()
    clinic.create_user(email)
    sessions: list[bytes] = []
    barrier = threading.Barrier(3)

    def sign_in() -> None:
        with app.app_context():
            barrier.wait()
            sessions.append(begin(email))

    def change(*, state: bool) -> None:
        with app.app_context():
            barrier.wait()
            flip(clinic.workspace.slug, on=state)

    with ThreadPoolExecutor(3) as pool:
        for round_ in range(30):
            done = [pool.submit(sign_in), pool.submit(sign_in), pool.submit(change, state=round_ % 2 == 0)]
            for future in done:
                future.result()
            expected = "hipaa" if round_ % 2 == 0 else "standard"
            assert {v.policy for v in map(judge, sessions) if v.active} <= {expected}
