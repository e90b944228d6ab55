"""More is asked than can be done: what is let in is done, the rest is told so at once, and health is always told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest
import requests
from sqlalchemy import select

from provisioning.app import create_app
from provisioning.cli.service import settings_of
from provisioning.database import db, reading
from provisioning.directory.models import Member
from provisioning.web import shedding
from provisioning.web.shedding import Gate
from tests.conftest import ERROR_URN, USER_URN
from tests.waiting import eventually

# At once; two web processes work on eight of them, and let 128 wait.
CROWD = 600


@contextmanager
def asked_about_health(service) -> Iterator[list[int]]:
    """Ask for both kinds of health again and again, each time anew, until the block ends."""
    statuses, over = [], threading.Event()

    def ask():
        while not over.is_set():
            answers = [requests.get(f"{service.base_url}/health/{kind}", timeout=20) for kind in ("live", "ready")]
            statuses.extend(answer.status_code for answer in answers)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield statuses
        finally:
            over.set()
            asking.result()


async def push(idp, names):
    """Push people, all at once, each on a connection of its own; the answers in the order of the names."""
    headers = {"Authorization": f"Bearer {idp.token}", "Content-Type": "application/scim+json"}
    bounds = httpx2.Limits(max_connections=len(names))
    async with httpx2.AsyncClient(headers=headers, timeout=60, limits=bounds) as client:
        bodies = [{"schemas": [USER_URN], "userName": name, "active": True} for name in names]
        return await asyncio.gather(*(client.post(f"{idp.base_url}/scim/v2/Users", json=body) for body in bodies))


def test_a_crowd_is_served_or_turned_away_and_what_was_acknowledged_is_there_once(service, idp):
    names = [f"p{number}@crowd.example" for number in range(CROWD)]
    # On a thread of its own: where a browser was driven before, there is a loop on this one.
    with asked_about_health(service) as health, ThreadPoolExecutor(1) as pool:
        answers = pool.submit(asyncio.run, push(idp, names)).result()
    assert set(health) == {200}
    turned_away = [answer for answer in answers if answer.status_code != 201]
    assert turned_away
    assert {(a.status_code, a.headers["Retry-After"], *a.json()["schemas"]) for a in turned_away} == {
        (503, "1", ERROR_URN)
    }
    acknowledged = [name for name, answer in zip(names, answers, strict=True) if answer.status_code == 201]
    there = select(Member.user_name).where(Member.workspace_id == idp.workspace.id)
    with reading() as connection:
        assert sorted(connection.execute(there).scalars()) == sorted(acknowledged)
    idp.create_user("afterwards@crowd.example")


@pytest.fixture(scope="module")
def full(service):
    """An application that has no room for anybody."""
    made = create_app(settings_of(str(service.data_dir)))
    shedding.init_app(made, at_once=0, waiting=0)
    yield made.test_client()
    with made.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    ("method", "path", "shape"),
    [
        ("PATCH", "/scim/v2/Groups/1", lambda told: (told["schemas"], told["status"]) == ([ERROR_URN], "503")),
        ("GET", "/scim/v2", lambda told: told["status"] == "503"),
        ("POST", "/api/groups", lambda told: told["errors"][0]["type"] == "overloaded"),
        ("POST", "/oauth/introspect", lambda told: told["error"] == "temporarily_unavailable"),
        ("POST", "/access/v1/evaluation", lambda told: (told["error"], "decision" in told) == ("overloaded", False)),
        ("GET", "/.well-known/openid-configuration", lambda told: told["error"] == "overloaded"),
    ],
)
def test_each_door_turns_away_in_its_own_words(full, method, path, shape):
    answer = full.open(path, method=method, headers={"X-Request-ID": "r1"})
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-Request-ID"]) == (503, "1", "r1")
    assert answer.headers["Cache-Control"] == "no-store"
    assert shape(answer.get_json(force=True)), answer.text


@pytest.mark.parametrize("path", ["/console/main/members", "/sign-in"])
def test_people_see_a_page(full, path):
    answer = full.get(path)
    assert (answer.status_code, answer.headers["Retry-After"], answer.mimetype) == (503, "1", "text/html")
    assert "come again in a moment" in answer.text


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_has_room_of_its_own(full, path):
    assert full.get(path).status_code == 200


def test_who_waits_gets_in_in_the_order_of_coming():
    gate, entered = Gate(at_once=1, waiting=3, patience=20), []

    def come(number):
        assert gate.enter()
        entered.append(number)
        gate.leave()

    assert gate.enter()
    with ThreadPoolExecutor(3) as pool:
        for number in range(3):
            pool.submit(come, number)
            eventually(lambda number=number: gate.waiting == number + 1)
        assert not gate.enter()
        gate.leave()
    assert entered == [0, 1, 2]
    assert gate.enter()


def test_who_has_waited_too_long_goes_and_takes_nobodys_place():
    gate = Gate(at_once=1, waiting=1, patience=0.01)
    assert gate.enter()
    assert [gate.enter(), gate.enter()] == [False, False]
    gate.leave()
    assert gate.enter()


def test_what_breaks_off_leaves_its_place_to_others(service, monkeypatch):
    app = create_app(settings_of(str(service.data_dir)))

    def breaks_off(environ, start_response):
        raise ConnectionError

    monkeypatch.setattr(app, "wsgi_app", breaks_off)
    shedding.init_app(app, at_once=1, waiting=0)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            app.test_client().get("/api")
