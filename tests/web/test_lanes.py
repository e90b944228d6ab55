"""The lanes for access checks and introspection answer as the views do, and leave to them whatever is not plain."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.pace import Pace
from provisioning.sessions.models import Session
from tests.conftest import Admin, Idp, new_workspace
from tests.statements import counted
from tests.web.lane import Answer, views_begun
from tests.web.test_introspection import begin, change
from tests.web.tokens import OWNER, SOURCE_ADMIN, made_by

EVALUATE, INTROSPECT = "/access/v1/evaluation", "/oauth/introspect"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MEASURE = {f"X-RateLimit-{name}" for name in ("Limit", "Consumed", "Remaining", "Reset")}


class Asker:
    """A program that asks in this process, with people whom it asks about."""

    def __init__(self, app: Any, idp: Idp, admin: Admin, people: dict[str, str]) -> None:
        self.app, self.idp, self.admin, self.people = app, idp, admin, people

    def post(self, path: str, body: bytes, media_type: str, token: str | None = None, **more: Any) -> Answer:
        headers = {"Authorization": f"Bearer {token or self.admin.token}", **more.pop("headers", {})}
        with views_begun(self.app) as begun:
            sent = {"data": body, "content_type": media_type, "headers": headers, **more}
            got = self.app.test_client().post(path, **sent)
        told = {name: value for name, value in got.headers.items() if name not in MEASURE - {"X-RateLimit-Limit"}}
        return Answer(got.status_code, got.data, told, bool(begun))

    def by_view(self, path: str, body: bytes, media_type: str, **more: Any) -> Answer:
        """The same with an id, which is given back: that is left to the views."""
        answer = self.post(path, body, media_type, headers={"X-Request-ID": "r"}, **more)
        answer.headers.pop("X-Request-ID", None)
        return answer

    def question(self, who: Any, action: Any, resource: Any) -> bytes:
        subject = {"type": "user", "id": self.people.get(who, who)}
        return orjson.dumps({"subject": subject, "action": {"name": action}, "resource": resource})


def with_rights(admin: Admin, user: str) -> None:
    """Let somebody administer the source `s`, which is there from then on."""
    resources = [{"type": "source", "id": "s", "name": "S"}]
    assert admin.request("PUT", "/resources", {"resources": resources}).status_code == 200
    permissions = [{"roleId": "source-admin", "resources": [{"type": "SOURCE", "id": "s"}]}]
    assert admin.request("PUT", f"/users/{user}/permissions", {"permissions": permissions}).status_code == 200


@pytest.fixture
def asker(app, idp, new_admin) -> Asker:
    admin = new_admin(idp.workspace.slug)
    people = {name: idp.create_user(f"{name}@corp.example")["id"] for name in ("ann", "bob")}
    with_rights(admin, people["ann"])
    found = Asker(app, idp, admin, people)
    # Once a minute the use of a token is noted, which the views do.
    found.post(INTROSPECT, b"token=x", FORM)
    return found


SOURCE = {"type": "source", "id": "s"}
NOBODY = "00000000-0000-0000-0000-000000000000"


def test_questions_are_answered_as_by_the_view_and_without_it(asker, service, new_admin):
    workspace = {"type": "workspace", "id": asker.idp.workspace.slug}
    other = new_workspace(service)
    elsewhere = other.create_user("ann@corp.example")["id"]
    with_rights(new_admin(other.workspace.slug), elsewhere)
    asked = [
        asker.question(who, action, resource)
        for who in ("ann", "bob", "ann@corp.example", "nobody", elsewhere)
        for action in ("source.update", "update", "workspace.read", "no.such")
        for resource in (SOURCE, {"type": "source", "id": "none"}, {"type": "x", "id": "s"}, workspace)
    ]
    got = [asker.post(EVALUATE, body, JSON) for body in asked]
    assert [answer for answer in got if answer.by_a_view] == []
    assert [answer._replace(by_a_view=True) for answer in got] == [
        asker.by_view(EVALUATE, body, JSON) for body in asked
    ]
    assert {answer.body for answer in got} == {b'{"decision":true}', b'{"decision":false}'}
    asker.idp.patch(f"/Users/{asker.people['ann']}", {"op": "replace", "path": "active", "value": False})
    assert asker.post(EVALUATE, asker.question("ann", "source.update", SOURCE), JSON).body == b'{"decision":false}'


def test_tokens_are_told_as_by_the_view_and_without_it(asker, program, service, new_admin):
    session, _ = begin("ann@corp.example")
    elsewhere = new_workspace(service)
    address = f"{elsewhere.workspace.slug}@corp.example"
    elsewhere.create_user(address)
    foreign = [begin(address)[0], new_admin(elsewhere.workspace.slug).token]
    bound = begin("ann@corp.example", reach_id=elsewhere.workspace.id)[0]
    dead, ended = begin("ann@corp.example")
    change(Session, ended.id, ended_at=func.clock_timestamp(), ended_reason="revoked")
    # Suspended here, and signed in again by way of the other workspace.
    elsewhere.create_user("bob@corp.example")
    asker.idp.patch(f"/Users/{asker.people['bob']}", {"op": "replace", "path": "active", "value": False})
    suspended = begin("bob@corp.example")[0]
    dead_ones = [bound, dead, suspended, context().keyring.mint(Kind.SESSION).text]
    asked = [session, asker.admin.token, program.token(), program.secret, *foreign, *dead_ones, "x", session[:-1]]
    forms = [f"token={text}".encode() for text in asked]
    got = [asker.post(INTROSPECT, form, FORM) for form in forms]
    assert [answer for answer in got if answer.by_a_view] == []
    assert [answer._replace(by_a_view=True) for answer in got] == [
        asker.by_view(INTROSPECT, form, FORM) for form in forms
    ]
    active = [orjson.loads(answer.body)["active"] for answer in got]
    assert active == [True] * 3 + [False] * 9


def test_what_is_asked_most_is_read_in_the_statement_that_makes_out_who_asks(asker):
    session, _ = begin("ann@corp.example")
    owner = asker.people["bob"]
    assert asker.admin.request("PUT", f"/users/{owner}/permissions", {"permissions": OWNER}).status_code == 200
    made, owned = made_by(asker.admin, ownerId=owner)
    assert made["ownerId"] == owner
    asker.post(INTROSPECT, b"token=x", FORM, token=owned.token)
    questions = [
        (EVALUATE, asker.question("ann", "source.update", SOURCE), JSON),
        (EVALUATE, asker.question(NOBODY, "source.update", SOURCE), JSON),
        (INTROSPECT, f"token={session}".encode(), FORM),
        (INTROSPECT, f"token={session[:-1]}".encode(), FORM),
    ]
    # What an owner may do themselves is one more.
    for token, each in ((asker.admin.token, 1), (owned.token, 2)):
        for question in questions:
            with counted() as statements:
                answer = asker.post(*question, token=token)
            assert (answer.by_a_view, len(statements)) == (False, each), statements
            assert answer._replace(by_a_view=True) == asker.by_view(*question, token=token)


def test_asking_about_a_session_in_the_lane_is_activity(asker, monkeypatch):
    session, _ = begin("bob@corp.example")
    noted: list[Any] = []
    monkeypatch.setattr(
        "provisioning.sessions.lifecycle.record_activity", lambda _db, **of: noted.append(1) or of["standing"]
    )
    assert not asker.post(INTROSPECT, f"token={session}".encode(), FORM).by_a_view
    assert noted == [1]


def test_what_is_not_plain_is_left_to_the_views(asker, program):
    plain = asker.question("ann", "source.update", SOURCE)
    left = [
        *((EVALUATE, plain, JSON, {"query_string": "x=1"}), (EVALUATE, plain, f"{JSON}; charset=utf-8", {})),
        *((EVALUATE, plain, "text/plain", {}), (EVALUATE, plain.ljust(10_000), JSON, {}), (EVALUATE, b"", JSON, {})),
        *((EVALUATE, body, JSON, {}) for body in (b"{", b"[]", b"{}", asker.question("ann", "", SOURCE))),
        (EVALUATE, plain, JSON, {"token": program.token(scope="api")}),
        *((INTROSPECT, form, FORM, {}) for form in (b"", b"token=", b"token=x&token=x", b"token=x&activity=false")),
        *((INTROSPECT, b"token=x&token_type_hint=x", FORM, {}), (INTROSPECT, b"token=%78", FORM, {})),
        *((INTROSPECT, b"token=x", JSON, {}), (INTROSPECT, b"token=x", FORM, {"query_string": "token=x"})),
    ]
    for path, body, media_type, more in left:
        answer = asker.post(path, body, media_type, **more)
        assert answer.by_a_view, body
        assert answer == asker.by_view(path, body, media_type, **more)


def test_nobody_is_refused_or_let_in_by_the_lanes(asker, idp):
    made, elsewhere = made_by(asker.admin, addressRanges=["192.0.2.0/24"])
    revoked, gone = made_by(asker.admin)
    assert asker.admin.request("DELETE", f"/tokens/{revoked['id']}").status_code == 200
    little = made_by(asker.admin, permissions=SOURCE_ADMIN)[1]
    refused = {"": 401, "x": 401, idp.token: 401, f"{asker.admin.token}x": 401, elsewhere.token: 403, little.token: 403}
    for path, body, media_type in (
        (EVALUATE, asker.question("ann", "source.update", SOURCE), JSON),
        (INTROSPECT, f"token={begin('ann@corp.example')[0]}".encode(), FORM),
    ):
        for token, status in {**refused, gone.token: 401}.items():
            answer = asker.post(path, body, media_type, token=token or " ")
            assert (answer.status, answer.by_a_view) == (status, True), (path, token)
        for scheme in ("Basic ", "bearer", ""):
            answer = asker.post(path, body, media_type, headers={"Authorization": f"{scheme}{asker.admin.token}"})
            assert (answer.status, answer.by_a_view) == (401, True), scheme
    inside = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}, "token": elsewhere.token}
    told = [asker.post(INTROSPECT, b"token=x", FORM, **inside) for _ in range(2)]
    told.append(asker.post(INTROSPECT, b"token=x", FORM, token=elsewhere.token))
    assert [(answer.status, answer.by_a_view) for answer in told] == [(200, True), (200, False), (403, True)]
    assert made["addressRanges"] == ["192.0.2.0/24"]


@pytest.mark.parametrize("exceeded", [False, True])
def test_each_request_is_counted_once_and_refused_where_it_is_too_much(asker, monkeypatch, exceeded):
    counted: list[str] = []
    measure, take = Pace.measure, Pace.take

    def measured(pace, what, who, per_minute):
        counted.append(what)
        return measure(pace, what, who, 0 if exceeded else per_minute)

    def taken(pace, who, per_minute, *, of="scim"):
        counted.append(who.partition(":")[0])
        return take(pace, who, per_minute, of=of)

    monkeypatch.setattr(Pace, "measure", measured)
    monkeypatch.setattr(Pace, "take", taken)
    told = asker.post(EVALUATE, asker.question("ann", "source.update", SOURCE), JSON)
    assert (told.status, told.by_a_view, counted) == (429 if exceeded else 200, exceeded, ["token"])
    assert told.headers["X-RateLimit-Limit"] == ("0" if exceeded else str(context().api_requests_per_minute))
    counted.clear()
    told = asker.post(INTROSPECT, b"token=x", FORM)
    assert (told.status, told.by_a_view) == (429 if exceeded else 200, exceeded)
    assert counted == (["address", "token"] if exceeded else ["address", "token", "client"])


def test_an_address_that_asks_too_much_is_refused_before_its_token_is_looked_at(asker, monkeypatch):
    monkeypatch.setattr(Pace, "take", lambda *_args, **_more: 7)
    monkeypatch.setattr(Pace, "measure", lambda *_args: pytest.fail("its token was looked at"))
    told = asker.post(INTROSPECT, b"token=x", FORM)
    assert (told.status, told.by_a_view, told.headers["Retry-After"]) == (429, True, "7")


WORDS = st.sampled_from(
    ["user", "source", "workspace", "s", "ann", "source.update", "update", "", "\0", "x" * 300, None, 7]
)
ENTITIES = st.fixed_dictionaries({}, optional={"type": WORDS, "id": WORDS, "name": WORDS, "properties": WORDS}) | WORDS
FORMLESS = st.fixed_dictionaries({}, optional=dict.fromkeys(("subject", "action", "resource", "context"), ENTITIES))
TEXTS = st.sampled_from(
    ["ann", "bob", "s", "source", "update", "\0", "x" * 300, "00000000-0000-0000-0000-000000000000"]
)
ABOUT_PEOPLE = st.fixed_dictionaries(
    {
        "subject": st.fixed_dictionaries({"type": st.just("user"), "id": TEXTS}),
        "action": st.fixed_dictionaries({"name": st.sampled_from(["source.update", "update", "\0"])}),
        "resource": st.fixed_dictionaries({"type": st.just("source") | TEXTS, "id": st.just("s") | TEXTS}),
    }
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=FORMLESS | ABOUT_PEOPLE)
def test_whatever_is_asked_is_answered_as_by_the_view(asker, asked):
    subject = asked.get("subject")
    if isinstance(subject, dict) and subject.get("id") in asker.people:
        asked = {**asked, "subject": {**subject, "id": asker.people[subject["id"]]}}
    body = orjson.dumps(asked)
    assert asker.post(EVALUATE, body, JSON)._replace(by_a_view=True) == asker.by_view(EVALUATE, body, JSON)
