"""Real workers and beats, killed in the middle: the work that a committed change calls for gets done."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from config import settings
from provisioning import entropy
from provisioning.access.founding import found_workspace
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import members, workspaces
from provisioning.directory.profile import Profile
from provisioning.forwarding.means import QUEUE as FORWARDING
from provisioning.nudge import task_of
from provisioning.outbox import Event, Fact, Urgency
from provisioning.sessions import lifecycle
from provisioning.sessions.models import Session
from provisioning.tokens import api, standing
from provisioning.tokens.models import ApiToken
from tests.conftest import TEST
from tests.waiting import eventually
from workers.app import make_worker
from workers.handlers import HANDLERS

WORKER = ("worker", "--queues", "urgent,letters,housekeeping", "--concurrency", "2", "--loglevel", "warning")
BEAT = ("beat", "--loglevel", "warning")


pytestmark = pytest.mark.usefixtures("alone")


def company(people: int) -> str:
    """A workspace whose members have all signed in."""
    slug = f"c{entropy.new_id().hex[-10:]}"
    with transaction() as connection:
        workspace = found_workspace(connection, slug=slug, name=slug, hipaa_eligible=False, by=TEST)
        for number in range(people):
            profile = Profile.of({"userName": f"{number}@{slug}.example", "active": True})
            member = members.create(connection, workspace_id=workspace.id, profile=profile, connection_id=None, by=TEST)
            digest = context().keyring.mint(Kind.SESSION).digest
            policy = context().session_policy
            lifecycle.begin(connection, user_id=member.user_id, digest=digest, policy=policy, by=TEST)
    return slug


def flip(slug: str) -> None:
    with transaction() as connection:
        workspaces.set_hipaa_eligible(connection, slug=slug, eligible=True, by=TEST)


def alive() -> int:
    with reading() as connection:
        return connection.execute(select(func.count()).where(Session.ended_at.is_(None))).scalar_one()


def undone() -> int:
    with reading() as connection:
        return connection.execute(select(func.count()).where(Event.done_at.is_(None))).scalar_one()


def test_a_worker_killed_right_after_the_flag_was_flipped_leaves_its_work_to_the_next(spawn):
    slug = company(300)
    first = spawn(*WORKER)
    flip(slug)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(timeout=10)
    spawn(*WORKER)
    spawn(*BEAT)
    eventually(lambda: alive() == 0 and undone() == 0, within=60)
    with reading() as connection:
        reasons = connection.execute(select(Session.ended_reason).distinct()).scalars().all()
    assert reasons == ["revoked_hipaa_change"]


def test_facts_whose_nudge_was_lost_are_found_by_the_sweep(spawn, bench):
    slug = company(3)
    broker = make_worker(settings.load(bench))
    flip(slug)
    broker.control.purge()
    assert undone() == 1
    spawn(*WORKER)
    spawn(*BEAT)
    eventually(lambda: undone() == 0 and alive() == 0, within=60)


def test_of_two_beats_one_leads_and_the_other_takes_over_when_it_is_killed(spawn):
    spawn(*WORKER)
    beats = [spawn(*BEAT), spawn(*BEAT)]
    slug = company(1)
    eventually(lambda: _leader() is not None, within=30)
    led = _leader()
    for beat in beats:
        if _is_of(beat.pid, led):
            os.killpg(beat.pid, signal.SIGKILL)
    eventually(lambda: _leader() not in {None, led}, within=20)
    with transaction() as connection:
        connection.execute(update(Session).where(Session.ended_at.is_(None)).values(created_at=_long_ago()))
    eventually(lambda: alive() == 0, within=30)
    assert slug


def _long_ago():
    return func.clock_timestamp() - timedelta(days=8)


def _leader() -> int | None:
    """The server process that serves the leading beat."""
    with reading() as connection:
        return connection.exec_driver_sql(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 1886547830"
        ).scalar_one_or_none()


def _is_of(pid: int, backend: int | None) -> bool:
    """Whether a process is the client of a server process: told by the application name that it gave."""
    with reading() as connection:
        name = connection.exec_driver_sql(
            "SELECT application_name FROM pg_stat_activity WHERE pid = %s", (backend,)
        ).scalar_one_or_none()
    return name == f"beat-{pid}"


def test_expired_sessions_and_tokens_are_marked_with_the_reason(spawn):
    slug = company(2)
    with transaction() as connection:
        workspace = workspaces.by_slug(connection, slug)
        digest = context().keyring.mint(Kind.API_TOKEN).digest
        lifetime = timedelta(days=366)
        token = api.issue(connection, workspace_id=workspace.id, name="t", digest=digest, lifetime=lifetime, by=TEST)
        past = _long_ago()
        connection.execute(update(ApiToken).where(ApiToken.id == token.id).values(expires_at=past))
        connection.execute(update(Session).where(Session.ended_at.is_(None)).values(created_at=past))
        assert standing.live(connection, digest) is None
    spawn(*WORKER)
    spawn(*BEAT)

    def reasons():
        with reading() as connection:
            sessions = connection.execute(select(Session.ended_reason).distinct()).scalars().all()
            ended = connection.execute(select(ApiToken.ended_reason).where(ApiToken.id == token.id)).scalar_one()
        return (sessions, ended) == (["absolute"], "expired")

    eventually(reasons, within=30)


def test_what_nudges_call_is_known_to_the_workers_and_every_fact_has_its_handlers(bench):
    celery = make_worker(settings.load(bench))
    scheduled = {entry["task"] for entry in celery.conf.beat_schedule.values()}
    nudged = {task_of(queue) for queue in (*Urgency, FORWARDING)}
    assert nudged <= scheduled <= set(celery.tasks)
    queues = {entry["options"]["queue"] for entry in celery.conf.beat_schedule.values()}
    assert queues == {*Urgency, FORWARDING}
    with_work = {fact.name for fact in _facts() if fact.calls_for_work}
    assert set(HANDLERS) == with_work


def _facts():
    waiting = list(Fact.__subclasses__())
    while waiting:
        fact = waiting.pop()
        waiting += fact.__subclasses__()
        if hasattr(fact, "name") and fact.__module__.startswith("provisioning."):
            yield fact
