"""PostgreSQL and Redis are killed, frozen, emptied or out of reach: checks fail closed, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, text

from provisioning import outbox
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import db, transaction
from provisioning.directory.events import SessionsOutdated
from provisioning.directory.models import Member, Membership
from provisioning.sessions.models import Session
from tests.conftest import GROUP_URN, PATCH_URN, TEST, USER_URN
from tests.faults.asking import Answer, Client, check, probed
from tests.faults.company import Company, found, sign_in
from tests.faults.disk import full_disk
from tests.faults.looking import count, endings, undone
from tests.waiting import blocked_by, eventually


@pytest.fixture
def ended(service, company):
    """A session that has ended, of which nobody may ever hear that it is active; and one that lives."""
    gone, there = company.hire(), company.hire()
    sessions = sign_in(gone), sign_in(there)
    assert suspend(Client(), service.webs[0], company, gone).status == 200
    return sessions


def suspend(client: Client, url: str, company: Company, member: Any) -> Answer:
    body = {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "active", "value": False}]}
    return client.ask("PATCH", f"{url}/scim/v2/Users/{member.id}", company.scim, body)


def push(client: Client, url: str, company: Company, name: str) -> Answer:
    body = {"schemas": [USER_URN], "userName": name, "active": True}
    return client.ask("POST", f"{url}/scim/v2/Users", company.scim, body)


def test_what_redis_forgets_between_a_commit_and_its_worker_is_done_all_the_same(service, company, client):
    people = [company.hire() for _ in range(3)]
    sessions = [sign_in(person) for person in people]
    workers = [service.parts["worker-a"], service.parts["worker-b"]]
    for worker in workers:
        worker.kill()
    company.become_eligible()
    with probed(service, company, *sessions):
        with service.broker() as forgetful:
            forgetful.flushall()
        _, active, reason = check(client, service.webs[1], company, sessions[0])
        assert (active, reason) == (False, "revoked_hipaa_change")
        assert endings(company.slug) == [None] * 3
        begun_later = sign_in(people[0])
        for worker in workers:
            worker.start()
        eventually(lambda: undone() == 0 and endings(company.slug).count("revoked_hipaa_change") == 3, within=60)
        assert check(client, service.webs[0], company, begun_later)[1] is True


def doors(company: Company, url: str) -> dict[str, Callable[[Client], Answer]]:
    """A request at each door, some of which have work done and so nudge."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return {
        "scim, read": lambda client: client.ask("GET", f"{url}/scim/v2/Users?count=1", company.scim),
        "scim, suspend": lambda client: suspend(client, url, company, company.hire()),
        "api": lambda client: client.ask("GET", f"{url}/api/users", company.api),
        "introspection": lambda client: client.ask("POST", f"{url}/oauth/introspect", {**company.api, **form}),
        "sign-in": lambda client: client.ask("GET", f"{url}/sign-in", {"Accept": "text/html"}),
    }


def test_a_frozen_redis_holds_no_request_up(service, company, client, ended):
    live = doors(company, service.webs[1])
    for ask in live.values():
        ask(client)
    os.kill(service.servers.redis.pid, signal.SIGSTOP)
    try:
        with probed(service, company, ended[0]):
            for name, ask in live.items():
                answers = [ask(client) for _ in range(3)]
                assert [a.status for a in answers if a.is_unknown] == [], name
                # A third of a second for Redis, and the rest for a machine that is busy.
                assert min(a.seconds for a in answers) < 1.0, name
            _, active, _ = check(client, service.webs[1], company, ended[1])
            assert active is True
    finally:
        os.kill(service.servers.redis.pid, signal.SIGCONT)
    eventually(lambda: undone() == 0, within=60)


def test_a_redis_that_dies_with_a_thousand_nudges_loses_no_work_and_workers_find_the_next(service, company):
    facts = [SessionsOutdated(user_id=company.hire().user_id, reason="suspended") for _ in range(50)]
    with transaction() as connection:
        for _ in range(20):
            outbox.append(connection, *facts, workspace_id=company.id, by=TEST)
    service.fell(service.servers.redis)
    service.mend()
    eventually(lambda: undone() == 0, within=60)
    sessions = [sign_in(company.hire())]
    company.become_eligible()
    eventually(lambda: endings(company.slug) == ["revoked_hipaa_change"] * len(sessions), within=30)


@contextmanager
def ended_by(over: threading.Event) -> Iterator[None]:
    """Whatever fails, nobody goes on for ever."""
    try:
        yield
    finally:
        over.set()


def test_a_killed_postgresql_means_no_loses_nothing_acknowledged_and_heals_by_itself(service, company, client, ended):
    acknowledged, over = [], threading.Event()

    def write(writer: int) -> list[Answer]:
        answers, number = [], 0
        while not over.is_set():
            name = f"w{writer}-{(number := number + 1)}@{company.slug}.example"
            answers.append(push(client, service.webs[number % 2], company, name))
            if answers[-1].is_done:
                acknowledged.append(name)
        return answers

    with probed(service, company, ended[0]) as prober, ThreadPoolExecutor(4) as pool, ended_by(over):
        writers = [pool.submit(write, writer) for writer in range(4)]
        eventually(lambda: len(acknowledged) > 20, within=60)
        service.fell(service.servers.postgres)
        eventually(lambda: any(probe.active is None for probe in prober.history.probes))
        service.mend()
        before = len(acknowledged)
        eventually(lambda: len(acknowledged) > before + 20, within=60)
        over.set()
        answers = [answer for writer in writers for answer in writer.result()]
    assert {answer.status for answer in answers} <= {201, 503, None}
    # Who is refused before all was read may find the connection closed instead; nobody is kept waiting.
    assert all(answer.seconds < 20 for answer in answers if answer.status in {503, None})
    assert count(Member, Member.user_name.in_(acknowledged)) == len(acknowledged)
    eventually(lambda: check(client, service.webs[0], company, ended[1])[1] is True)


def test_a_backend_that_dies_or_gives_up_under_a_group_leaves_it_whole(service, company, client):
    url, people = service.webs[0], [{"value": str(company.hire().id)} for _ in range(20)]
    new = {"schemas": [GROUP_URN], "displayName": "g"}
    group = client.ask("POST", f"{url}/scim/v2/Groups", company.scim, new).body["id"]
    add = {"schemas": [PATCH_URN], "Operations": [{"op": "add", "path": "members", "value": people}]}
    members = lambda: count(Membership, Membership.group_id == group)  # noqa: E731 - asked again and again
    # The second is what PostgreSQL does when a statement takes longer than its timeout.
    for ends_by in ("pg_terminate_backend", "pg_cancel_backend"):
        with ThreadPoolExecutor(1) as pool, transaction() as connection:
            connection.execute(text("SELECT 1 FROM user_group WHERE id = :id FOR UPDATE"), {"id": group})
            patched = pool.submit(client.ask, "PATCH", f"{url}/scim/v2/Groups/{group}", company.scim, add)
            victim = blocked_by(connection)
            connection.execute(text(f"SELECT {ends_by}(:pid)"), {"pid": victim})
            answer = patched.result()
        assert answer.status == 503
        assert members() == 0
    assert client.ask("PATCH", f"{url}/scim/v2/Groups/{group}", company.scim, add).status == 200
    assert members() == len(people)


def test_a_disk_that_is_full_refuses_what_it_cannot_keep_and_heals_by_itself(service, company, client, ended, tmp_path):
    member, acknowledged = company.hire(), []

    def is_refused() -> bool:
        name = f"{len(acknowledged)}@full.example"
        answer = push(client, service.webs[0], company, name)
        assert answer.status in {201, 503}
        acknowledged.extend([name] if answer.is_done else [])
        return not answer.is_done

    # Who works on a fact holds it and writes others: behind whoever moves the table that would wait for itself.
    for name in ("worker-a", "worker-b"):
        service.parts[name].kill()
    with probed(service, company, ended[0]):
        with full_disk(service, tmp_path):
            eventually(is_refused, every=0.0)
            for url in service.webs:
                assert push(client, url, company, "nobody@full.example").status == 503
                assert suspend(client, url, company, member).status == 503
            assert check(client, service.webs[1], company, ended[1])[1] is True
        assert count(Member, Member.workspace_id == company.id, Member.user_name.endswith("@full.example")) == len(
            acknowledged
        )
        assert count(Member, Member.id == member.id, Member.active) == 1
        assert suspend(client, service.webs[1], company, member).status == 200
        service.mend()
        eventually(lambda: undone() == 0, within=60)


def test_a_client_that_holds_a_row_and_falls_silent_holds_up_no_answer_and_no_other_work_and_is_ended(
    service, company, client
):
    sessions = [sign_in(company.hire()) for _ in range(3)]
    elsewhere = found(service.servers.environ)
    sign_in(somebody := elsewhere.hire())
    digest = context().keyring.recognise(sessions[0], Kind.SESSION)
    with db.engine.connect() as silent:
        silent.execute(select(Session.id).where(Session.digest == digest).with_for_update())
        assert silent.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "1min"
        # What is a minute for every connection of ours is some seconds for this one.
        silent.execute(text("SET LOCAL idle_in_transaction_session_timeout = '6s'"))
        company.become_eligible()
        with probed(service, company, *sessions):
            assert suspend(client, service.webs[0], elsewhere, somebody).status == 200
            eventually(lambda: endings(elsewhere.slug) == ["suspended"], within=5)
            assert check(client, service.webs[1], company, sessions[0])[1:] == (False, "revoked_hipaa_change")
            assert None in endings(company.slug)
            eventually(lambda: endings(company.slug) == ["revoked_hipaa_change"] * 3, within=60)
        silent.invalidate()


def test_a_network_that_swallows_everything_means_no_within_seconds_and_holds_no_thread_for_good(
    service, company, client, ended
):
    straight, through = service.webs
    assert check(client, through, company, ended[1])[1] is True
    with probed(service, company, ended[0]):
        service.to_postgres.swallow()
        for _ in range(2):
            with ThreadPoolExecutor(12) as pool:
                asked = [pool.submit(check, client, through, company, ended[1]) for _ in range(12)]
            answers = [one.result() for one in asked]
            assert {answer.status for answer, _, _ in answers} == {503}
            assert max(answer.seconds for answer, _, _ in answers) < 20
        assert check(client, straight, company, ended[1])[1] is True
        service.to_postgres.mend()
        eventually(lambda: check(client, through, company, ended[1])[1] is True, within=20)
