"""Workspaces' own limits: shorter ones bind at once, and nothing lengthens a session."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.directory import workspaces
from provisioning.refusals import Invalid, NotFound
from provisioning.sessions import clearing, lifecycle, limits
from provisioning.sessions.limits import OwnLimits
from tests.conftest import TEST
from tests.sessions.playing import begin, flip, grow_older, judge, look, stored, use

pytestmark = pytest.mark.usefixtures("app")
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def email(idp) -> str:
    found = f"{idp.workspace.slug}@corp.example"
    idp.create_user(found)
    return found


def limit(idp, idle: int | None = None, absolute: int | None = None) -> OwnLimits:
    with transaction() as connection:
        return limits.replace(
            connection,
            workspace_id=idp.workspace.id,
            limits=OwnLimits(idle, absolute),
            policy=context().session_policy,
            by=TEST,
        )


def in_force(idp) -> OwnLimits:
    with reading() as connection:
        return limits.of_workspace(connection, workspace_id=idp.workspace.id)


def test_a_shorter_limit_binds_sessions_that_live_already_and_names_the_workspace(idp, email):
    idle, old = begin(email), begin(email)
    limit(idp, idle=600, absolute=3600)
    assert (judge(idle).active, judge(idle).next_reason, judge(idle).next_workspace) == (
        True,
        "idle",
        idp.workspace.slug,
    )
    grow_older([idle], 11 * MINUTE)
    grow_older([old], 59 * MINUTE)
    assert (judge(idle).reason, judge(idle).workspace) == ("idle", idp.workspace.slug)
    assert judge(old).reason == "idle"
    limit(idp, absolute=3600)
    fresh = begin(email)
    grow_older([fresh], HOUR + SECOND)
    assert (judge(fresh).reason, judge(fresh).workspace) == ("absolute", idp.workspace.slug)


def test_the_strictest_of_all_workspaces_counts(idp, new_idp, email):
    other = new_idp()
    other.create_user(email)
    limit(idp, idle=3600)
    limit(other, idle=600)
    session = begin(email)
    grow_older([session], 11 * MINUTE)
    assert judge(session).workspace == other.workspace.slug


def test_a_relaxed_limit_lengthens_no_session_that_was_begun_before(idp, email):
    limit(idp, idle=600)
    before = begin(email)
    limit(idp)
    after = begin(email)
    grow_older([before, after], 11 * MINUTE)
    assert (judge(before).reason, judge(before).workspace) == ("idle", idp.workspace.slug)
    assert judge(after).active


def test_a_session_that_was_refused_stays_so_when_the_limit_is_relaxed_and_no_worker_ran(idp, email):
    session = begin(email)
    limit(idp, idle=600)
    grow_older([session], 11 * MINUTE)
    assert not judge(session).active
    limit(idp, idle=3600)
    assert not judge(session).active
    limit(idp)
    assert not judge(session).active


def test_who_joins_later_is_not_bound_by_a_limit_that_was_before(new_idp, idp, email):
    session = begin(email)
    later = new_idp()
    limit(later, idle=60)
    limit(later)
    later.create_user(email)
    grow_older([session], HOUR)
    assert judge(session).active


def test_leaving_the_strict_workspace_lengthens_nothing(new_idp, idp, email):
    strict = new_idp()
    user = strict.create_user(email)
    limit(strict, idle=600)
    session = begin(email)
    grow_older([session], 11 * MINUTE)
    strict.request("DELETE", f"/Users/{user['id']}")
    assert not judge(session).active


@pytest.mark.parametrize(
    ("idle", "absolute"), [(0, None), (59, None), (None, 59), (-1, None), (7 * 86400 + 1, None), (None, 10**9)]
)
def test_a_limit_is_never_longer_than_the_services_nor_shorter_than_a_minute(idp, idle, absolute):
    limit(idp, idle=60)
    with pytest.raises(Invalid):
        limit(idp, idle, absolute)
    assert in_force(idp) == OwnLimits(60, None)


def test_a_hipaa_workspace_is_measured_by_the_hipaa_limits(new_idp, email):
    clinic = new_idp(hipaa=True)
    with pytest.raises(Invalid, match="the service's, 900"):
        limit(clinic, idle=901)
    clinic.create_user(email)
    limit(clinic, idle=300)
    session = begin(email)
    grow_older([session], 5 * MINUTE + SECOND)
    assert (judge(session).reason, judge(session).workspace) == ("idle", clinic.workspace.slug)


def test_a_limit_set_before_eligibility_never_makes_a_hipaa_session_longer(idp, email):
    limit(idp, idle=7200)
    flip(idp.workspace.slug, on=True)
    session = begin(email)
    grow_older([session], 16 * MINUTE)
    assert judge(session).reason == "idle_hipaa"


def test_a_deleted_workspace_has_no_limits_to_set(idp):
    with transaction() as connection:
        workspaces.delete(connection, slug=idp.workspace.slug, by=TEST)
    with pytest.raises(NotFound):
        limit(idp, idle=60)


def test_the_sweep_marks_what_a_check_refuses_for_the_same_reason_and_nothing_else(idp, email):
    limit(idp, idle=600, absolute=3600)
    idle, old, alive = begin(email), begin(email), begin(email)
    grow_older([idle], 10 * MINUTE + SECOND)
    grow_older([old], 59 * MINUTE + 59 * SECOND)
    told = [(judge(one).reason, judge(one).workspace) for one in (idle, old)]
    assert told == [("idle", idp.workspace.slug)] * 2
    with transaction() as connection:
        clearing.mark_expired(connection, policy=context().session_policy, most=1000, by=TEST)
    marked = [stored(one) for one in (idle, old, alive)]
    assert [row.ended_reason for row in marked] == ["idle", "idle", None]
    assert [row.ended_workspace_id for row in marked] == [idp.workspace.id, idp.workspace.id, None]
    assert [(judge(one).reason, judge(one).workspace) for one in (idle, old)] == told


def test_activity_that_is_written_late_revives_nothing(idp, email):
    session = begin(email)
    limit(idp, idle=600)
    grow_older([session], 9 * MINUTE)
    verdict, standing = look(session)
    assert verdict.active
    grow_older([session], 2 * MINUTE)
    assert not judge(session).active
    use_as_judged(standing)
    assert not judge(session).active


def use_as_judged(standing) -> None:
    """Write the activity of a request that was judged before time passed."""
    aged = replace(
        standing, created_at=standing.created_at - 2 * MINUTE, last_seen_at=standing.last_seen_at - 2 * MINUTE
    )
    with reading() as connection:
        lifecycle.record_activity(connection, standing=aged, policy=context().session_policy)


@pytest.mark.parametrize("before_the_end", [SECOND, timedelta(0), -SECOND])
def test_activity_in_the_last_second_never_reaches_beyond_the_absolute_end(idp, email, before_the_end):
    limit(idp, absolute=3600)
    session = begin(email)
    grow_older([session], HOUR - before_the_end - MINUTE)
    use(session)
    grow_older([session], MINUTE)
    use(session)
    grow_older([session], 2 * SECOND)
    assert judge(session).reason == "absolute"
