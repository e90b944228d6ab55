"""How often one address and one client may ask, with Redis, with one that is frozen, and with one that is gone."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path

import pytest
import requests
from flask import Flask

from provisioning.context import context
from provisioning.embedded import EmbeddedRedis
from provisioning.refusals import TooManyRequests
from provisioning.web import haste
from tests.service import start

MEASURE, INTROSPECTIONS = 6, 30


@pytest.fixture(scope="module")
def redis():
    with tempfile.TemporaryDirectory(prefix="haste-") as sockets:
        server = EmbeddedRedis(sockets=Path(sockets))
        server.start()
        yield server
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGCONT)
        server.stop()


@pytest.fixture(scope="module")
def measured(redis, tmp_path_factory, cluster):
    """A service of its own, with small measures, the lowest log level, and a Redis that can be taken away."""
    environ = {
        "REDIS_URL": redis.url,
        "PROVISIONING_LOG_LEVEL": "debug",
        "PROVISIONING_WEB_PROCESSES": "1",
        "PROVISIONING_TRUSTED_PROXIES": "1",
        "PROVISIONING_SIGN_IN_REQUESTS_PER_MINUTE": str(MEASURE),
        "PROVISIONING_OAUTH_REQUESTS_PER_MINUTE": str(MEASURE),
        "PROVISIONING_INTROSPECTIONS_PER_MINUTE": str(INTROSPECTIONS),
    }
    with start(tmp_path_factory.mktemp("measured"), cluster=cluster, **environ) as running:
        yield running


def ask(service, path, address, times, **more):
    """The statuses of so many requests from an address."""
    headers = {"X-Forwarded-For": address}
    method = "GET" if path.startswith("/sign-in") else "POST"
    answers = [
        requests.request(method, f"{service.base_url}{path}", headers=headers, timeout=5, **more) for _ in range(times)
    ]
    for answer in answers:
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            if path.startswith("/oauth"):
                assert answer.json()["error"] == "temporarily_unavailable"
    return [answer.status_code for answer in answers]


def refused(statuses):
    return statuses.count(429)


@pytest.mark.parametrize(
    "path", ["/sign-in/link", "/oauth/token", "/oauth/revoke", "/oauth/nothing", "/sign-in/nothing"]
)
def test_one_address_has_its_measure_and_another_has_its_own(measured, path):
    # A minute may end in between; then it begins anew.
    assert MEASURE <= refused(ask(measured, path, f"10.0.0.{len(path)}", 3 * MEASURE)) <= 2 * MEASURE
    assert refused(ask(measured, path, f"10.0.1.{len(path)}", MEASURE)) == 0


def test_introspection_has_a_measure_of_its_own(measured):
    assert refused(ask(measured, "/oauth/introspect", "10.0.2.1", INTROSPECTIONS)) == 0


def test_a_subscriber_with_many_addresses_is_one(measured):
    statuses = [status for n in range(3 * MEASURE) for status in ask(measured, "/oauth/token", f"2001:db8::{n:x}", 1)]
    assert MEASURE <= refused(statuses) <= 2 * MEASURE
    assert refused(ask(measured, "/oauth/token", "2001:db8:0:1::1", 1)) == 0


def is_too_much(client_id):
    try:
        haste.count_client(client_id)
    except TooManyRequests as refusal:
        return 1 <= refusal.facts["retry_after"] <= 60
    return False


def test_a_client_is_counted_once_it_has_proved_who_it_is(app: Flask, program):
    measure = context().measures.oauth
    with app.test_request_context("/oauth/token", method="POST"):
        # A minute may end in between; then it begins anew.
        assert any(is_too_much(f"{program.id}-other") for _ in range(2 * measure + 1))
    # Whoever only claims to be the client uses nothing of its measure up.
    for _ in range(20):
        requests.post(
            f"{program.base_url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(program.id, "wrong"),
            timeout=5,
        )
    assert program.token()


@pytest.mark.parametrize("trouble", ["frozen", "gone"])
def test_without_redis_the_doors_are_measured_all_the_same_and_nothing_hangs(measured, redis, trouble):
    if trouble == "frozen":
        os.kill(redis.pid, signal.SIGSTOP)
    else:
        os.kill(redis.pid, signal.SIGCONT)
        redis.stop()
    slowest, part = 0.0, 100 if trouble == "frozen" else 200
    for path in ("/sign-in/link", "/oauth/token"):
        statuses = []
        for _ in range(3 * MEASURE):
            began = time.monotonic()
            statuses += ask(measured, path, f"10.0.3.{part}", 1)
            slowest = max(slowest, time.monotonic() - began)
        assert MEASURE <= refused(statuses) <= 2 * MEASURE, path
        assert set(statuses) <= {200, 400, 401, 429}
    assert slowest < 1.5, slowest


def test_no_secret_is_in_the_logs_at_the_lowest_level(measured, redis):
    secret = "pvo_" + "s3cr3t" * 8 + "x"
    basic = {"Authorization": "Basic " + base64.b64encode(f"id:{secret}".encode()).decode()}
    for headers in ({"Authorization": f"Bearer {secret}"}, basic):
        for path in ("token", "introspect", "revoke"):
            form = {"token": secret, "client_secret": secret, "grant_type": secret, "client_assertion": secret}
            requests.post(f"{measured.base_url}/oauth/{path}", data=form, headers=headers, timeout=5)
            requests.post(f"{measured.base_url}/oauth/{path}?token={secret}", headers=headers, timeout=5)
    said = measured.output.read_text()
    assert "s3cr3t" not in said
    assert basic["Authorization"].split()[1] not in said
