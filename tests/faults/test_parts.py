"""Workers, beats and web servers that die, stop, come back, run twice or have a wrong clock: the work is done once."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from provisioning import nudge, outbox
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.directory import users
from provisioning.directory.events import HipaaEligibilityChanged, SessionsOutdated
from provisioning.outbox import Event, EventParked, Urgency
from provisioning.sessions.models import Session
from provisioning.tokens import api
from provisioning.tokens.models import ApiToken
from tests.conftest import TEST
from tests.faults.asking import Client, check, probed, use
from tests.faults.company import Company, found, sign_in
from tests.faults.looking import clearings, count, endings, judged, leader, make_due, undone
from tests.waiting import blocked_by, eventually

HOUR = 3600.0


def end_sessions(user_id: UUID) -> None:
    with transaction() as connection:
        users.end_sessions(connection, user_id=user_id, workspace_id=None, reason="suspended", by=TEST)


def token_of(company: Company, *, lasting: timedelta) -> str:
    """An API token that has so much time left, or whose time was over so long ago."""
    secret = context().keyring.mint(Kind.API_TOKEN)
    with transaction() as connection:
        made = api.issue(connection, workspace_id=company.id, name="t", digest=secret.digest, by=TEST)
        ends = update(ApiToken).where(ApiToken.id == made.id)
        connection.execute(ends.values(expires_at=func.clock_timestamp() + lasting))
    return secret.text


def marked(company: Company) -> int:
    """How many of a company's API tokens are marked as expired."""
    return count(ApiToken, ApiToken.workspace_id == company.id, ApiToken.ended_reason == "expired")


def grow_old(session: str, age: timedelta) -> None:
    digest = context().keyring.recognise(session, Kind.SESSION)
    older = update(Session).where(Session.digest == digest)
    with transaction() as connection:
        connection.execute(older.values(created_at=func.clock_timestamp() - age))


def times_told(sessions: list[str]) -> list[int]:
    """How many facts tell of each session that it was cleared away."""
    digests = [context().keyring.recognise(session, Kind.SESSION) for session in sessions]
    with reading() as connection:
        ids = connection.execute(select(Session.id).where(Session.digest.in_(digests))).scalars().all()
    cleared = clearings()
    return [cleared[str(session_id)] for session_id in ids]


def test_a_worker_that_is_stopped_and_then_killed_takes_nothing_with_it(service, company):
    service.parts["worker-b"].kill()
    stopped = service.parts["worker-a"]
    stopped.signal(signal.SIGSTOP)
    people = [company.hire() for _ in range(50)]
    sessions = [sign_in(person) for person in people]
    for person in people:
        end_sessions(person.user_id)
    stopped.kill()
    with probed(service, company, *sessions[:5]):
        stopped.start()
        eventually(lambda: undone() == 0, within=60)
    assert endings(company.slug) == ["suspended"] * 50


def test_a_worker_that_was_paused_beyond_the_timeout_finds_its_work_done_once(service, company):
    others, paused = service.parts["worker-b"], service.parts["worker-a"]
    others.kill()
    sessions = [sign_in(company.hire()) for _ in range(5)]
    elsewhere = found(service.servers.environ)
    sign_in(somebody := elsewhere.hire())
    digest = context().keyring.recognise(sessions[0], Kind.SESSION)
    with transaction() as connection:
        connection.execute(select(Session.id).where(Session.digest == digest).with_for_update())
        company.become_eligible()
        blocked_by(connection)
        paused.signal(signal.SIGSTOP)
    with service.broker() as timed_out:
        for message in timed_out.zrange("unacked_index", 0, -1):
            timed_out.zadd("unacked_index", {message: 0})
    with probed(service, company, *sessions):
        others.start()
        end_sessions(somebody.user_id)
        eventually(lambda: endings(elsewhere.slug) == ["suspended"], within=60)
        paused.signal(signal.SIGCONT)
        eventually(lambda: undone() == 0, within=60)
    assert times_told(sessions) == [1] * 5


def test_two_beats_do_no_harm_and_when_none_has_run_for_long_the_first_sweep_does_it_all(service, company, client):
    sessions = [sign_in(company.hire()) for _ in range(6)]
    first, later = sessions[:3], sessions[3:]
    for session in first:
        grow_old(session, timedelta(days=8))
    eventually(lambda: times_told(first) == [1] * 3, within=30)
    beats = [service.parts["beat-a"], service.parts["beat-b"]]
    for beat in beats:
        beat.kill()
    with probed(service, company, *first):
        token = token_of(company, lasting=-timedelta(days=1))
        for session in later:
            grow_old(session, timedelta(days=8))
        assert [judged(session).reason for session in later] == ["absolute"] * 3
        assert use(client, service.webs[0], token)[1] is False
        for beat in beats:
            beat.start()
        eventually(lambda: endings(company.slug) == ["absolute"] * 6, within=30)
        eventually(lambda: marked(company) == 1, within=30)
    assert times_told(sessions) == [1] * 6


def test_a_leader_that_froze_is_followed_within_seconds(service, company):
    led = eventually(leader, within=30)
    frozen = next(part for part in (service.parts["beat-a"], service.parts["beat-b"]) if part.pid == led)
    frozen.signal(signal.SIGSTOP)
    followed = eventually(lambda: leader() not in {None, led}, within=20)
    assert followed
    frozen.signal(signal.SIGCONT)
    session = sign_in(company.hire())
    grow_old(session, timedelta(days=8))
    eventually(lambda: endings(company.slug) == ["absolute"], within=30)


def test_work_that_fails_and_work_that_kills_its_worker_are_parked_and_hold_up_no_other(service, company):
    deadly, good = company.hire(), [company.hire() for _ in range(100)]
    service.parts["worker-b"].kill()
    service.parts["worker-a"].restart(dies_of=str(deadly.user_id))
    poison = HipaaEligibilityChanged(workspace_id="none", hipaa_eligible=True)  # type: ignore[arg-type]
    facts = [
        SessionsOutdated(user_id=person.user_id, reason="suspended") for person in [*good[:50], deadly, *good[50:]]
    ]
    with transaction() as connection:
        outbox.append(connection, poison, *facts, workspace_id=company.id, by=TEST)
        # As if they had failed most of their times, and had waited longer each time.
        bad = Event.subject.in_((poison.subject, f"user:{deadly.user_id}"))
        connection.execute(update(Event).where(bad).values(attempts=outbox.MAX_ATTEMPTS - 3))
    here = (Event.workspace_id == company.id, Event.done_at.is_(None))

    def parked() -> bool:
        make_due()
        return count(Event, *here, Event.parked_at.is_not(None)) == 2

    eventually(lambda: count(Event, *here) == 2, within=60)
    eventually(parked, within=60, every=0.3)
    with transaction() as connection:
        errors = connection.execute(select(Event.error).where(*here)).scalars().all()
        connection.execute(update(Event).where(*here).values(done_at=func.clock_timestamp()))
    assert sorted(errors) == ["ValueError", "WorkerLost"]
    assert count(Event, Event.name == EventParked.name, Event.workspace_id == company.id) == 2


def test_a_hundred_thousand_old_nudges_neither_hide_what_is_new_nor_stay(service, company):
    for name in ("worker-a", "worker-b"):
        service.parts[name].signal(signal.SIGSTOP)
    with service.broker() as full:
        # On a busy machine a nudge may not be delivered in time.
        eventually(lambda: nudge.drain(Urgency.URGENT) or full.llen("urgent"))
        stale = full.lindex("urgent", 0)
        for _ in range(10):
            full.rpush("urgent", *[stale] * 10_000)
        person = company.hire()
        sign_in(person)
        end_sessions(person.user_id)
        for name in ("worker-a", "worker-b"):
            service.parts[name].signal(signal.SIGCONT)
        eventually(lambda: endings(company.slug) == ["suspended"])
        eventually(lambda: full.llen("urgent") == 0)


@pytest.mark.parametrize("off", [HOUR, -HOUR])
def test_clocks_that_are_off_by_an_hour_change_no_decision_and_hold_up_no_work(service, company, client, off):
    service.parts["web-b"].restart(off=off)
    service.parts["worker-a"].kill()
    service.parts["worker-b"].restart(off=off)
    half = timedelta(minutes=30)
    tokens = {token_of(company, lasting=half): True, token_of(company, lasting=-half): False}
    sessions = [sign_in(company.hire()) for _ in range(3)]
    grow_old(sessions[0], timedelta(days=7) - half)
    grow_old(sessions[1], timedelta(days=7) + half)
    service.ready()
    for url in service.webs:
        assert {token: use(client, url, token)[1] for token in tokens} == tokens
        assert [check(client, url, company, session)[1:] for session in sessions] == [
            (True, None),
            (False, "absolute"),
            (True, None),
        ]
    eventually(lambda: sorted(map(str, endings(company.slug))) == ["None", "None", "absolute"], within=30)
    eventually(lambda: marked(company) == 1, within=30)
    company.become_eligible()
    with service.broker() as forgetful:
        forgetful.flushall()
    assert {check(client, url, company, sessions[2])[1] for url in service.webs} == {False}
    eventually(lambda: undone() == 0, within=30)


def test_no_request_fails_while_every_part_is_restarted_in_turn(service, company):
    over, failed, done = threading.Event(), [], []

    def go_on(number: int) -> None:
        client = Client()
        while not over.is_set():
            urls = service.webs[:: 1 if number % 2 else -1]
            number += 1
            answer = client.ask("GET", f"{urls[0]}/scim/v2/Users?count=1", company.scim)
            if answer.status is None:
                answer = client.ask("GET", f"{urls[1]}/scim/v2/Users?count=1", company.scim)
            (done if answer.is_done else failed).append(answer)
        client.close()

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for name in ("web-a", "web-b", "worker-a", "beat-a"):
            part = service.parts[name]
            part.end()
            part.start()
            service.ready()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert len(done) > 50


def test_one_release_apart_workers_and_tables_lose_no_fact(service, company):
    with transaction() as connection:
        connection.execute(text("ALTER TABLE event ADD COLUMN of_the_next_release text DEFAULT 'x'"))
        connection.execute(
            text(
                "INSERT INTO event (id, workspace_id, name, subject, payload, actor_kind)"
                " VALUES (gen_random_uuid(), :here, 'of.the_next_release', 'x:1', '{}', 'system')"
            ),
            {"here": company.id},
        )
    person = company.hire()
    sign_in(person)
    end_sessions(person.user_id)
    eventually(lambda: endings(company.slug) == ["suspended"], within=30)
    waits = (Event.workspace_id == company.id, Event.name == "of.the_next_release")
    assert count(Event, *waits, Event.done_at.is_(None), Event.attempts == 0) == 1
    with transaction() as connection:
        connection.execute(update(Event).where(*waits).values(done_at=func.clock_timestamp()))
        connection.execute(text("ALTER TABLE event DROP COLUMN of_the_next_release"))


def test_a_newer_worker_on_tables_that_are_still_to_come_loses_no_fact(service, company, client):
    session = sign_in(company.hire())
    with transaction() as connection:
        connection.execute(text("ALTER TABLE progress RENAME TO to_come"))
    try:
        company.become_eligible()
        here = (Event.workspace_id == company.id, Event.done_at.is_(None), Event.parked_at.is_(None))
        eventually(lambda: count(Event, *here, Event.error == "ProgrammingError") == 1, within=30)
        assert check(client, service.webs[0], company, session)[1:] == (False, "revoked_hipaa_change")
        assert endings(company.slug) == [None]
    finally:
        with transaction() as connection:
            connection.execute(text("ALTER TABLE to_come RENAME TO progress"))
    make_due()
    eventually(lambda: endings(company.slug) == ["revoked_hipaa_change"], within=30)
