"""The simulator finds what is wrong with an answer: a server that lies in one chosen way must be caught lying."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

import pytest

from provisioning.database import transaction
from provisioning.directory import connections
from provisioning.directory.connections import Settings
from provisioning.simulator import IDPS, VARIANTS, Plan, play
from provisioning.simulator.by_replacement import UsersAlone
from provisioning.simulator.company import company
from tests.conftest import PATCH_URN, TEST


@contextmanager
def between(base_url: str, lie: Callable[[str, str, int, Any], tuple[int, Any]]):
    """A server in front of the real one, which may change status and body of any answer."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            data = self.rfile.read(length) if length else None
            headers = {k: v for k, v in self.headers.items() if k.lower() in {"authorization", "content-type"}}
            request = Request(f"{base_url}{self.path}", data=data, headers=headers, method=self.command)  # noqa: S310
            try:
                with urlopen(request, timeout=10) as answer:  # noqa: S310 - the service under test
                    status, body, location = answer.status, answer.read(), answer.headers.get("Location")
            except OSError as error:
                status, body, location = error.code, error.read(), None
            document = json.loads(body) if body else None
            status, document = lie(self.command, self.path, status, document)
            sent = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/scim+json")
            self.send_header("Content-Length", str(len(sent)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/scim/v2"
    finally:
        server.shutdown()
        server.server_close()


def plan(idp_name: str, base_url: str, token: str, variant: str | None = None) -> Plan:
    return Plan(idp_name, base_url, token, users=25, groups=4, concurrency=2, variant=variant)


EVERY = [(name, variant) for name in sorted(IDPS) for variant in (None, *VARIANTS[name])]
every = pytest.mark.parametrize(("name", "variant"), EVERY, ids=["-".join(filter(None, one)) for one in EVERY])


@pytest.fixture
def pin(idp):
    """Sets the dialect of the connection, as it is set where the identity provider is connected."""

    def to(name: str) -> None:
        key = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id}
        with transaction() as database:
            connections.configure(database, **key, settings=Settings(dialect=name), by=TEST)

    return to


@every
def test_the_service_passes_twice_in_a_row_and_ends_where_it_should(service, idp, pin, name, variant):
    pin(name)
    for _ in range(2):
        report = play(plan(name, f"{service.base_url}/scim/v2", idp.token, variant))
        assert report.violations == []
        assert len(report.samples) > 20


@every
def test_a_second_full_cycle_changes_nothing(service, idp, pin, name, variant):
    pin(name)
    full = replace(plan(name, f"{service.base_url}/scim/v2", idp.token, variant), rounds="full")
    assert play(full).violations == []
    before = {kind: idp.request("GET", f"/{kind}").json() for kind in ("Users", "Groups")}
    assert play(full).violations == []
    after = {kind: idp.request("GET", f"/{kind}").json() for kind in ("Users", "Groups")}
    assert after == before


# One that counts the people in a group's groups among its own; one that sends the group itself, and is told no.
NESTED = {"ping": "flattened", "other": "refused"}


@pytest.mark.parametrize("name", sorted(IDPS))
def test_a_group_in_a_group_ends_as_its_documents_say(service, idp, name):
    report = play(replace(plan(name, f"{service.base_url}/scim/v2", idp.token), rounds="full"))
    assert report.violations == []
    if issubclass(IDPS[name], UsersAlone):
        assert idp.request("GET", "/Groups").json()["totalResults"] == 0
        return
    day = company(seed=1, users=25, groups=4).before
    outer, inner = day.teams[0], day.teams[1]
    assert outer.teams == {1}
    assert inner.members - outer.members
    expected = outer.members | inner.members if NESTED.get(name) == "flattened" else outer.members
    (group,) = idp.find("/Groups", f"displayName eq {json.dumps(outer.name)}")
    there = {idp.request("GET", f"/Users/{one['value']}").json()["userName"] for one in group["members"]}
    assert {user_name.partition("@")[0] for user_name in there} == {
        day.people[number].user_name.partition("@")[0] for number in expected
    }
    refused = [sample for sample in report.samples if sample.operation == "group in a group"]
    assert len(refused) == (1 if NESTED.get(name) == "refused" else 0)


def test_a_service_that_lets_people_keep_a_group_they_have_lost_is_found(service, idp, pin):
    """Keycloak says nothing of members where there are none; in another dialect they stay, and keep what they had."""
    pin("authentik")
    violations = play(plan("keycloak", f"{service.base_url}/scim/v2", idp.token, "put")).violations
    assert [one for one in violations if "are too many" in one]


def text_totals(_method, _path, status, document):
    if document and "totalResults" in document:
        document["totalResults"] = str(document["totalResults"])
    return status, document


def bulk_ids(_method, _path, status, document):
    if status == 201:
        document["id"] = "bulkId:1"
    return status, document


def shouted_names(_method, path, status, document):
    if status == 201 and "/Users" in path:
        document["userName"] = document["userName"].upper()
    return status, document


def lost_members(method, path, status, document):
    if method == "GET" and "/Groups/" in path and document and document.get("members"):
        document["members"].pop()
    return status, document


def two_hundred_for_delete(method, _path, status, document):
    return (200, {"schemas": []}) if method == "DELETE" and status == 204 else (status, document)


def forgotten_state(method, path, status, document):
    if method in {"PUT", "GET"} and "/Users" in path and document and document.get("active") is False:
        document["active"] = True
    return status, document


def groups_taken_in_silence(method, _path, status, document):
    if method == "PATCH" and status == 400 and "Group" in document["detail"]:
        return 200, {"schemas": [PATCH_URN]}
    return status, document


def groups_refused_without_a_word(method, _path, status, document):
    if method == "PATCH" and status == 400 and "Group" in document["detail"]:
        del document["detail"]
    return status, document


def broken_put(method, _path, status, document):
    return (500, {"schemas": [], "detail": "oops"}) if method == "PUT" else (status, document)


def broken_patch(method, _path, status, document):
    return (500, {"schemas": [], "detail": "oops"}) if method == "PATCH" else (status, document)


# Of the others some push no groups, and some never patch.
@pytest.mark.parametrize("name", ["okta", "entra", "onelogin", "authentik", "jumpcloud"])
@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (text_totals, "totalResults is"),
        (bulk_ids, "the id is 'bulkId:1'"),
        (shouted_names, "userName came back as"),
        (lost_members, "members are missing"),
        (two_hundred_for_delete, "expected 204"),
        (broken_patch, "got 500"),
    ],
)
def test_a_lie_is_found(service, idp, name, lie, words):
    with between(service.base_url, lie) as address:
        violations = play(plan(name, address, idp.token)).violations
    assert [v for v in violations if words in v]
    assert not [v for v in violations if idp.token in v]


@pytest.mark.parametrize(
    ("name", "variant", "lie", "words"),
    [
        ("okta", "put", forgotten_state, "active came back as True"),
        ("okta", "put", lost_members, "members are missing"),
        ("okta", "put", broken_put, "group replace: PUT"),
        ("entra", "flagged", broken_patch, "user update: PATCH"),
        ("keycloak", "put", broken_put, "group replace: PUT"),
        ("keycloak", "deactivate", forgotten_state, "active came back as True"),
        ("onelogin", "delete", two_hundred_for_delete, "expected 204"),
        ("ping", "merge", lost_members, "members are missing"),
        ("rippling", "put", broken_put, "group replace: PUT"),
        ("other", None, groups_taken_in_silence, "was taken as a member, and is none"),
        ("other", None, groups_refused_without_a_word, "does not say why"),
    ],
)
def test_a_lie_to_one_that_is_set_up_otherwise_is_found(service, idp, pin, name, variant, lie, words):
    pin(name)
    with between(service.base_url, lie) as address:
        violations = play(plan(name, address, idp.token, variant)).violations
    assert [v for v in violations if words in v]


def sent_by(service, idp, name, variant):
    """The methods, and the resources, of all that is sent."""
    seen: set[tuple[str, str]] = set()

    def listen(method, path, status, document):
        seen.add((method, path.removeprefix("/scim/v2/").partition("/")[0].partition("?")[0]))
        return status, document

    with between(service.base_url, listen) as address:
        assert play(plan(name, address, idp.token, variant)).violations == []
    return seen


@pytest.mark.parametrize(
    ("name", "variant", "never", "always"),
    [
        ("okta", "put", ("PATCH", "DELETE Users"), ("PUT Users", "PUT Groups")),
        ("okta", None, ("PUT Groups", "DELETE Users"), ("PUT Users", "PATCH Users", "PATCH Groups")),
        ("keycloak", "put", ("PATCH",), ("PUT Users", "PUT Groups", "DELETE Users")),
        ("keycloak", "deactivate", ("PATCH", "DELETE Users"), ("PUT Users",)),
        ("rippling", "put", ("PATCH",), ("PUT Groups",)),
        ("ping", "merge", ("PUT Groups", "DELETE Users"), ("PATCH Groups",)),
        ("ping", "delete", ("PATCH",), ("PUT Groups", "DELETE Users")),
        ("entra", "flagged", ("PUT",), ("PATCH Users", "PATCH Groups", "DELETE Users")),
        ("onelogin", "delete", (), ("DELETE Users",)),
        ("onelogin", None, ("DELETE Users",), ("PUT Users",)),
    ],
)
def test_each_speaks_by_the_methods_that_it_is_set_up_to(service, idp, pin, name, variant, never, always):
    pin(name)
    seen = {f"{method} {resource}" for method, resource in sent_by(service, idp, name, variant)}
    assert [one for one in seen if one.startswith(never)] == [] or not never
    assert set(always) <= seen


def test_four_at_once_do_each_other_no_harm_and_leave_nothing_with_one_another(service, new_idp, process):
    names = ("okta", "entra", "keycloak", "jumpcloud")
    places = {name: new_idp() for name in names}
    told: dict[str, Any] = {}

    def run(name: str) -> None:
        at = ("--url", f"{service.base_url}/scim/v2", "--token", places[name].token)
        told[name] = process("simulate", name, "--users", "40", "--groups", "4", *at, "--json")

    running = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    for name, idp in places.items():
        assert told[name].returncode == 0, told[name].stdout + told[name].stderr
        people = idp.request("GET", "/Users", params={"count": "1000"}).json()
        own = [user["userName"] for user in people["Resources"]]
        assert len(own) == people["totalResults"] > 30
        assert {user_name.partition("@")[2].partition(".")[0] for user_name in own} == {name}
        groups = idp.request("GET", "/Groups", params={"count": "1000"}).json()["Resources"]
        ids = {user["id"] for user in people["Resources"]}
        assert {member["value"] for group in groups for member in group.get("members", [])} <= ids
