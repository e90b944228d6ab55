from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.sessions import rules
from provisioning.sessions.rules import HIPAA, STANDARD, Limits, SessionPolicy, Standing, verdict

DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
POLICY = SessionPolicy(Limits(7 * DAY, 7 * DAY), Limits(12 * HOUR, 15 * MINUTE), timedelta(seconds=30))
BORN = datetime(2026, 1, 1, tzinfo=UTC)
FRESH = Standing(
    id=UUID(int=1),
    user_id=UUID(int=2),
    reach_id=None,
    policy=STANDARD,
    created_at=BORN,
    last_seen_at=BORN,
    ended_at=None,
    ended_reason=None,
    ended_workspace=None,
    outdated=False,
    outdated_reason="suspended",
    outdated_workspace="old",
    renewal_due=False,
    changed=None,
    hipaa_workspace=None,
    limits=(),
    active_memberships=1,
    closed_workspace=None,
    now=BORN,
)
BOUND = replace(FRESH, policy=HIPAA, hipaa_workspace="clinic")


def seen(minutes_ago: int, *, now: datetime) -> dict[str, datetime]:
    return {"now": now, "last_seen_at": now - minutes_ago * MINUTE}


@pytest.mark.parametrize(
    ("standing", "reason", "workspace"),
    [
        (replace(FRESH, now=BORN + 7 * DAY - SECOND), None, None),
        (replace(FRESH, now=BORN + 7 * DAY), "absolute", None),
        (replace(FRESH, **seen(1, now=BORN + 7 * DAY)), "absolute", None),
        (replace(BOUND, now=BORN + 15 * MINUTE - SECOND), None, None),
        (replace(BOUND, now=BORN + 15 * MINUTE), "idle_hipaa", "clinic"),
        (replace(BOUND, **seen(1, now=BORN + 12 * HOUR - SECOND)), None, None),
        (replace(BOUND, **seen(1, now=BORN + 12 * HOUR)), "absolute", "clinic"),
        (replace(FRESH, outdated=True), "suspended", "old"),
        (replace(FRESH, changed=("revoked_hipaa_change", "flipped")), "revoked_hipaa_change", "flipped"),
        (replace(FRESH, changed=("removed", "gone")), "removed", "gone"),
        (replace(FRESH, limits=[["strict", None, 3600]], now=BORN + HOUR - SECOND), None, None),
        (replace(FRESH, limits=[["strict", None, 3600]], **seen(1, now=BORN + HOUR)), "absolute", "strict"),
        (replace(FRESH, limits=[["strict", 60, None], ["lax", 61, None]], now=BORN + MINUTE), "idle", "strict"),
        (replace(BOUND, limits=[["lax", 3600, 86400]], now=BORN + 15 * MINUTE), "idle_hipaa", "clinic"),
        (replace(FRESH, active_memberships=0), "no_active_membership", None),
        (replace(FRESH, ended_at=BORN, ended_reason="revoked", ended_workspace="a"), "revoked", "a"),
    ],
)
def test_why_a_session_ends_and_at_which_second(standing, reason, workspace):
    judged = verdict(standing, POLICY)
    assert (judged.active, judged.reason, judged.workspace) == (reason is None, reason, workspace)


def test_a_standard_session_of_somebody_who_is_bound_now_has_the_short_limits():
    judged = verdict(replace(FRESH, hipaa_workspace="clinic", now=BORN + HOUR), POLICY)
    assert (judged.policy, judged.reason) == (HIPAA, "idle_hipaa")


def test_a_session_begun_under_hipaa_never_gets_the_long_limits():
    assert verdict(replace(BOUND, hipaa_workspace=None, now=BORN + HOUR), POLICY).reason == "idle_hipaa"


def test_the_end_that_is_told_is_the_first_that_comes():
    near_the_end = replace(BOUND, **seen(0, now=BORN + 12 * HOUR - MINUTE))
    assert verdict(near_the_end, POLICY).expires_at == BORN + 12 * HOUR
    assert verdict(BOUND, POLICY).expires_at == BORN + 15 * MINUTE


@given(
    policy=st.sampled_from([STANDARD, HIPAA]),
    bound=st.booleans(),
    outdated=st.booleans(),
    changed=st.booleans(),
    ended=st.booleans(),
    age=st.timedeltas(timedelta(0), 9 * DAY),
    later=st.timedeltas(timedelta(0), 9 * DAY),
)
def test_what_is_refused_once_is_refused_whatever_time_passes(policy, bound, outdated, changed, ended, age, later):
    standing = replace(
        FRESH,
        policy=policy,
        hipaa_workspace="clinic" if bound else None,
        outdated=outdated,
        changed=("removed", "gone") if changed else None,
        ended_at=BORN if ended else None,
        now=BORN + age,
    )
    if not verdict(standing, POLICY).active:
        assert not verdict(replace(standing, now=BORN + age + later), POLICY).active


def test_the_room_has_no_clock_but_the_databases():
    """Web nodes whose clocks differ give the same answers: none of them is asked."""
    folder = Path(rules.__file__).parent
    for module in folder.glob("*.py"):
        assert not re.search(r"\b(clock\.|time\.time|utcnow|datetime\.now|\.today\()", module.read_text()), module.name
