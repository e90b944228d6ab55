"""Several of each part, on the servers that companies have: they are one service, and each thing is done once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import func, select

from provisioning.outbox import Event
from provisioning.simulator import Plan, play
from tests.bench import Processes
from tests.conftest import PATCH_URN
from tests.faults import between
from tests.faults.asking import check
from tests.faults.between import pgbouncer, rabbitmq
from tests.faults.company import found, run, sign_in
from tests.faults.looking import call_all_done, clearings, leader, undone, value
from tests.faults.whole import BEAT, PROCFILE, WORKER, Part, Whole, is_ready
from tests.service import free_port
from tests.waiting import eventually


@contextmanager
def fleet(stage: Whole, folder: Path, servers: Mapping[str, str], to_lead: Mapping[str, str]) -> Iterator[list[Part]]:
    """Two web servers, four workers and two beats, until the block ends; in that order.

    Args:
        stage: whose database it is.
        folder: for what the parts say.
        servers: how web servers and workers reach theirs, where that is not as on the stage.
        to_lead: how beats do.
    """
    processes = Processes({**stage.servers.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"})
    web = ("sh", "-c", PROCFILE["web"])
    webs = [{**servers, "PROVISIONING_PORT": str(free_port()), "PROVISIONING_WEB_PROCESSES": "1"} for _ in range(2)]
    workers = [(*WORKER, "--concurrency", "1", "--hostname", f"{number}@%h") for number in range(4)]
    described = [
        *((f"web-{number}", web, environ) for number, environ in enumerate(webs)),
        *((f"worker-{number}", worker, servers) for number, worker in enumerate(workers)),
        *((f"beat-{number}", BEAT, to_lead) for number in range(2)),
    ]
    parts = [Part(name, command, processes, folder / f"{name}.txt", environ) for name, command, environ in described]
    try:
        for part in parts:
            part.start()
        yield parts
    finally:
        for part in parts:
            part.kill()


@pytest.fixture(params=["PostgreSQL and Redis", *(["PgBouncer and RabbitMQ"] if between.ARE_HERE else [])])
def parts(request, stage, stage_app, tmp_path) -> Iterator[list[Part]]:
    """The fleet, where nothing else of the service runs; in its application's context the test runs."""
    for part in stage.parts.values():
        if part.process is not None:
            part.kill()
    with stage_app.app_context():
        call_all_done()
        if request.param == "PostgreSQL and Redis":
            with fleet(stage, tmp_path, {}, {}) as running:
                yield running
            return
        with pgbouncer(tmp_path, stage.servers.sockets) as pooled, rabbitmq(tmp_path) as broker:
            servers = {"DATABASE_URL": pooled, "PROVISIONING_DATABASE_POOLER": "transaction", "REDIS_URL": broker}
            with fleet(stage, tmp_path, servers, {"REDIS_URL": broker}) as running:
                yield running


def test_two_web_servers_four_workers_and_two_beats_are_one_service(stage, parts, client):
    environ = stage.servers.environ
    webs = [f"http://127.0.0.1:{part.environ['PROVISIONING_PORT']}" for part in parts[:2]]
    beats = parts[6:]
    for url in webs:
        eventually(lambda url=url: is_ready(url), within=60)
    here, there = found(environ), found(environ)

    # Two identity providers arrive, each at another web server.
    def arrive(idp, company, web):
        token = company.scim["Authorization"].removeprefix("Bearer ")
        return play(Plan(idp, f"{web}/scim/v2", token, users=30, groups=4, seed=7))

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(arrive, ("okta", "entra"), (here, there), webs))
    assert [report.violations for report in reports] == [[], []]
    of = ("--workspace", here.slug)
    people = run(environ, "member", "list", *of)["members"]
    assert len(people) >= 30

    # What an admin maps at one web server gives access at the other.
    inside = next(person for person in people if person["active"] and person["groups"])
    given = ("--group", inside["groups"][0], "--role", "source-admin", "--label", "environment:prod")
    run(environ, "mapping", "create", *of, *given)
    for url in webs:
        told = client.ask("GET", f"{url}/api/users/{inside['id']}/access", here.api).body["data"]["access"]
        assert "source-admin" in {line["role"] for line in told}

    # People sign in at either, and a change of HIPAA eligibility ends their sessions at both, and nobody else's.
    staying = sign_in(there.hire())
    active = [person["user_name"] for person in people if person["active"]][:6]
    answers = [client.ask("POST", f"{u}/api/sessions", here.api, {"email": e}) for u, e in zip(cycle(webs), active)]
    begun = [answer.body["data"]["session"] for answer in answers]
    assert len(begun) == 6
    here.become_eligible()
    for url in webs:
        verdicts = [check(client, url, here, session["token"])[1:] for session in begun]
        assert verdicts == [(False, "revoked_hipaa_change")] * 6
        assert check(client, url, there, staying)[1] is True

    # So does a suspension, whose work a web server sends for.
    again = client.ask("POST", f"{webs[0]}/api/sessions", here.api, {"email": active[0]}).body["data"]["session"]
    (left,) = [person["id"] for person in people if person["user_name"] == active[0]]
    leave = {"schemas": [PATCH_URN], "Operations": [{"op": "replace", "path": "active", "value": False}]}
    assert client.ask("PATCH", f"{webs[0]}/scim/v2/Users/{left}", here.scim, leave).status == 200
    assert check(client, webs[1], here, again["token"])[1] is False

    # Whichever worker took it up, whoever told it: each thing was done once.
    eventually(lambda: undone() == 0, within=60)
    cleared = clearings()
    assert [cleared[session["id"]] for session in (*begun, again)] == [1] * 7
    tries = select(func.max(Event.attempts)).where(Event.workspace_id.in_([here.id, there.id]))
    assert value(tries) == 1

    # One beat leads, and the other one when that has died.
    led = eventually(leader, within=30)
    next(beat for beat in beats if beat.pid == led).kill()
    assert eventually(lambda: leader() not in {None, led}, within=20)
