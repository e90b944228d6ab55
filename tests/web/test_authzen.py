"""OpenID AuthZEN, Authorization API 1.0: the working group's certification scenarios of the Core level, and more.

Alice may read and write the first record and read the second; Bob may read the first. Records are sources here, `write`
is `source.update`, and people are called by the ids that the service gave them.
"""

from __future__ import annotations

import orjson
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Admin

READ, WRITE = {"name": "read"}, {"name": "source.update"}
CONTEXT = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}


class Asker:
    """An application with a token that may ask about access."""

    def __init__(self, admin: Admin, alice: str, bob: str) -> None:
        self.base_url, self.token = admin.base_url, admin.token
        self.alice, self.bob = ({"type": "user", "id": one} for one in (alice, bob))
        self.r1, self.r2 = ({"type": "source", "id": one} for one in ("record-1", "record-2"))

    def post(self, path, body, **headers):
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return requests.post(f"{self.base_url}/access/v1/{path}", data=data, headers=sent, timeout=20)

    def evaluate(self, subject, action, resource, **more):
        answer = self.post("evaluation", {"subject": subject, "action": action, "resource": resource, **more})
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"decision"}
        return answer.json()["decision"]

    def many(self, *items, **top):
        answer = self.post("evaluations", {**top, "evaluations": list(items)})
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"evaluations"}
        return [one["decision"] for one in answer.json()["evaluations"]]

    def search(self, kind, **body):
        answer = self.post(f"search/{kind}", body)
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.json()["page"]["next_token"], str)
        return answer.json()["results"]


@pytest.fixture
def ask(idp, new_admin):
    admin = new_admin(idp.workspace.slug)
    alice, bob = (idp.create_user(f"{name}@corp.example")["id"] for name in ("alice", "bob"))
    told = [{"type": "source", "id": f"record-{n}", "name": "Record"} for n in (1, 2)]
    assert admin.request("PUT", "/resources", {"resources": told}).status_code == 200

    def permission(role, record):
        return {"roleId": role, "resources": [{"type": "SOURCE", "id": record}]}

    given_to = {
        alice: [permission("source-admin", "record-1"), permission("source-read-only", "record-2")],
        bob: [permission("source-read-only", "record-1")],
    }
    for user, permissions in given_to.items():
        answer = admin.request("PUT", f"/users/{user}/permissions", {"permissions": permissions})
        assert answer.status_code == 200
    return Asker(admin, alice, bob)


def test_single_evaluations(ask):
    """Scenarios 5.2.1, 5.2.2, 5.2.3, 5.2.8, 5.2.9, 5.6."""
    for _ in range(3):
        assert ask.evaluate(ask.alice, READ, ask.r1) is True
        assert ask.evaluate(ask.alice, WRITE, ask.r1) is True
        assert ask.evaluate(ask.bob, READ, ask.r1) is True
        assert ask.evaluate(ask.bob, WRITE, ask.r1) is False
        assert ask.evaluate(ask.alice, READ, ask.r2) is True
        assert ask.evaluate(ask.alice, WRITE, ask.r2) is False
    assert ask.evaluate(ask.alice, READ, ask.r1, context=CONTEXT) is True
    assert ask.evaluate(ask.alice, READ, ask.r1, foo="bar", futureField={"nested": True}) is True
    dressed = ({**one, "properties": {"status": "active"}, "x": [1]} for one in (ask.alice, READ, ask.r1))
    assert ask.evaluate(*dressed) is True


def test_what_a_caller_says_of_somebody_decides_nothing(ask):
    boss = {**ask.bob, "properties": {"role": "admin", "owner": True}}
    assert ask.evaluate(boss, WRITE, {**ask.r1, "properties": {"status": "archived"}}) is False


def test_people_are_called_by_id_by_user_name_or_by_address(ask):
    for name in (ask.alice["id"], "alice@corp.example", "ALICE@corp.example"):
        assert ask.evaluate({"type": "user", "id": name}, WRITE, ask.r1) is True
    for stranger in ("alice", "nobody@corp.example", "1", "\0"):
        answer = ask.post(
            "evaluation", {"subject": {"type": "user", "id": stranger}, "action": READ, "resource": ask.r1}
        )
        assert answer.json().get("decision") is not True
        assert answer.status_code in {200, 400}


def test_what_is_unknown_is_denied(ask):
    for question in (
        ({"type": "spaceship", "id": ask.alice["id"]}, READ, ask.r1),
        (ask.alice, {"name": "fly"}, ask.r1),
        (ask.alice, READ, {"type": "source", "id": "record-9"}),
        (ask.alice, READ, {"type": "spaceship", "id": "record-1"}),
        (ask.alice, {"name": "source.create"}, {"type": "workspace", "id": "elsewhere"}),
    ):
        assert ask.evaluate(*question) is False


def test_the_workspace_itself_is_a_resource(ask, idp, new_admin):
    place = {"type": "workspace", "id": idp.workspace.slug}
    assert ask.evaluate(ask.alice, READ, place) is True
    assert ask.evaluate(ask.alice, {"name": "source.create"}, place) is False
    permission = {"roleId": "source-admin", "resources": [{"type": "WORKSPACE"}]}
    new_admin(idp.workspace.slug).request(
        "POST", f"/users/{ask.alice['id']}/permissions", {"permissions": [permission]}
    )
    assert ask.evaluate(ask.alice, {"name": "source.create"}, {**place, "id": str(idp.workspace.id)}) is True


def test_many_evaluations(ask):
    """Scenarios 6.2.1, 6.2.2, 6.2.5, 6.2.6, 6.3 and 6.4."""
    r1, r2 = {"resource": ask.r1}, {"resource": ask.r2}
    assert ask.many(r1, r2, subject=ask.alice, action=READ) == [True, True]
    assert ask.many({"action": READ}, {"action": WRITE}, subject=ask.bob, resource=ask.r1) == [True, False]
    each = [{"subject": s, "action": a, **r1} for s, a in ((ask.alice, READ), (ask.bob, WRITE))]
    assert ask.many(*each) == [True, False]
    later = {**r2, "context": {"source": "batch-override"}}
    assert ask.many(r1, later, subject=ask.alice, action=READ, context=CONTEXT) == [True, True]
    assert ask.many(r1, {}, subject=ask.alice, action=READ) == [True, False]
    assert ask.many(r1, action=READ) == [False]
    assert ask.many({"action": READ}, {}, subject=ask.bob, action=WRITE, resource=ask.r1) == [True, False]
    assert ask.many(r1, 5, None, subject=ask.alice, action=READ) == [True, False, False]
    alone = {"subject": ask.alice, "action": READ, "resource": ask.r1}
    for body in (alone, {**alone, "evaluations": []}):
        assert ask.post("evaluations", body).json() == {"decision": True}


@pytest.mark.parametrize(
    ("semantic", "actions", "decisions"),
    [
        ("execute_all", [READ, WRITE, READ], [True, False, True]),
        ("deny_on_first_deny", [READ, WRITE, READ], [True, False]),
        ("permit_on_first_permit", [WRITE, READ, WRITE], [False, True]),
    ],
)
def test_many_evaluations_stop_where_they_are_told_to(ask, semantic, actions, decisions):
    items = [{"action": action} for action in actions]
    options = {"evaluations_semantic": semantic}
    assert ask.many(*items, subject=ask.bob, resource=ask.r1, options=options) == decisions


def test_searches(ask):
    """Scenarios 7.2.1 to 7.2.3, 7.3.1 to 7.3.3, 7.4.1, 7.4.2 and 7.6."""
    people = [ask.alice, ask.bob]
    for subject in ({"type": "user"}, {"type": "user", "id": ask.alice["id"]}):
        found = ask.search("subject", subject=subject, action=READ, resource=ask.r1, context=CONTEXT)
        assert sorted(one["id"] for one in found) == sorted(one["id"] for one in people)
        assert all(set(one) == {"type", "id"} for one in found)
    assert ask.search("subject", subject={"type": "user"}, action=WRITE, resource=ask.r1) == [ask.alice]
    for resource in ({"type": "source"}, ask.r1):
        assert ask.search("resource", subject=ask.alice, action=READ, resource=resource) == [ask.r1, ask.r2]
    assert ask.search("resource", subject=ask.alice, action=WRITE, resource={"type": "source"}) == [ask.r1]
    able = ask.search("action", subject=ask.alice, resource=ask.r1, action={"name": "ignored"})
    assert {"source.read", "source.update"} <= {one["name"] for one in able}
    for one in able:
        assert ask.evaluate(ask.alice, one, ask.r1) is True
    assert [one["name"] for one in ask.search("action", subject=ask.bob, resource=ask.r1)] == ["source.read"]
    nobody = {"type": "user", "id": "nonexistent-user"}
    assert ask.search("action", subject=nobody, resource=ask.r1) == []
    assert ask.search("resource", subject=nobody, action=READ, resource={"type": "source"}) == []
    assert ask.search("subject", subject={"type": "spaceship"}, action=READ, resource=ask.r1) == []
    assert ask.search("subject", subject={"type": "user"}, action=READ, resource={"type": "source", "id": "x"}) == []


@pytest.mark.parametrize("kind", ["subject", "resource", "action"])
def test_pages_of_a_search_make_up_the_whole(ask, kind):
    """Scenarios 7.5.1 and 7.5.2."""
    body = {
        "subject": {"subject": {"type": "user"}, "action": READ, "resource": ask.r1},
        "resource": {"subject": ask.alice, "action": READ, "resource": {"type": "source"}},
        "action": {"subject": ask.alice, "resource": ask.r1},
    }[kind]
    whole = ask.search(kind, **body)
    seen, page = [], {"limit": 1, "customAttr": "ignored"}
    while True:
        answer = ask.post(f"search/{kind}", {**body, "page": page}).json()
        assert len(answer["results"]) == 1
        seen += answer["results"]
        token = answer["page"]["next_token"]
        if not token:
            break
        page = {"token": token} if len(seen) % 2 else {"token": token, "limit": 1}
    assert seen == whole
    assert len(whole) >= 2
    first = ask.post(f"search/{kind}", {**body, "page": {"limit": 1}}).json()["page"]["next_token"]
    other = {**body, "subject": {"type": "user", "id": "x"}, "resource": {"type": "source", "id": "record-2"}}
    for wrong in ({**body, "page": {"token": first, "limit": 2}}, {**other, "page": {"token": first}}):
        assert ask.post(f"search/{kind}", wrong).status_code == 400
    for page in ({"token": "x"}, {"token": 1}, {"limit": 0}, {"limit": "1"}, {"limit": True}, 5):
        assert ask.post(f"search/{kind}", {**body, "page": page}).status_code == 400, page


def test_what_is_no_question_is_refused(ask):
    """Scenarios 5.4 and 7.7."""
    whole = {"subject": ask.alice, "action": READ, "resource": ask.r1}
    wrong = [{name: part for name, part in whole.items() if name != left} for left in whole]
    wrong += [{**whole, "subject": {"id": "x"}}, {**whole, "subject": {"type": "user"}}, {**whole, "action": {}}]
    wrong += [{**whole, "resource": {"id": "x"}}, {**whole, "resource": {"type": "source"}}]
    wrong += [{**whole, "subject": "alice"}, {**whole, "action": {"name": 123}}, {**whole, "resource": None}, [whole]]
    for body in wrong:
        answer = ask.post("evaluation", body)
        assert (answer.status_code, set(answer.json())) == (400, {"error", "message"}), body
    for data, headers in (
        (b"", {}),
        (b'{ "subject": { "type": "user", "id": "alice" } , broken', {}),
        (orjson.dumps(whole), {"Content-Type": "text/plain"}),
    ):
        assert ask.post("evaluation", data, **headers).status_code == 400
    assert ask.post("evaluation", whole, **{"Content-Type": "application/json; charset=utf-8"}).status_code == 200
    bogus = {**whole, "evaluations": [{}], "options": {"evaluations_semantic": "bogus_value"}}
    assert ask.post("evaluations", bogus).status_code == 400
    assert ask.post("evaluations", {**whole, "evaluations": [{}] * 1001}).status_code == 400
    for kind, left in (("subject", "action"), ("resource", "subject"), ("action", "resource")):
        body = {name: part for name, part in whole.items() if name != left}
        assert ask.post(f"search/{kind}", body).status_code == 400
    for method in ("GET", "PUT"):
        assert requests.request(method, f"{ask.base_url}/access/v1/evaluation", timeout=20).status_code == 405


def test_who_may_not_ask_learns_nothing(ask, idp, new_admin, new_idp):
    """Credentials come before the body; a token of another workspace finds nobody there."""
    question = {"subject": ask.alice, "action": READ, "resource": ask.r1}
    refused = ask.post("evaluation", b"{", Authorization="Bearer nonsense")
    assert (refused.status_code, "WWW-Authenticate" in refused.headers) == (401, True)
    weak = new_admin(idp.workspace.slug, "source-admin")
    assert ask.post("evaluation", question, Authorization=f"Bearer {weak.token}").status_code == 403
    elsewhere = new_admin(new_idp().workspace.slug)
    answer = ask.post("evaluation", question, Authorization=f"Bearer {elsewhere.token}")
    assert answer.json() == {"decision": False}


def test_a_requests_id_comes_back_whatever_becomes_of_it(ask):
    """Scenario 5.5."""
    question = {"subject": ask.alice, "action": READ, "resource": ask.r1}
    for body, headers in ((question, {}), (b"{", {}), (question, {"Authorization": "Bearer x"})):
        answer = ask.post("evaluation", body, **{"X-Request-ID": "conformance 1/x"}, **headers)
        assert answer.headers["X-Request-ID"] == "conformance 1/x"
    assert "X-Request-ID" not in ask.post("evaluation", question).headers


def test_the_metadata_tells_where_everything_is(ask, service):
    told = requests.get(f"{service.base_url}/.well-known/authzen-configuration", timeout=10)
    assert (told.status_code, told.headers["Content-Type"]) == (200, "application/json")
    document = told.json()
    assert document["policy_decision_point"] == service.base_url
    assert document.pop("access_evaluation_endpoint") == f"{service.base_url}/access/v1/evaluation"
    at = {name: url for name, url in document.items() if name.endswith("_endpoint")}
    assert len(at) == 4
    for url in at.values():
        answer = requests.post(url, headers={"Authorization": f"Bearer {ask.token}"}, timeout=10)
        assert answer.status_code == 400


def test_a_page_token_is_no_cursor_of_scim(ask, idp):
    body = {"subject": ask.alice, "resource": ask.r1, "page": {"limit": 1}}
    token = ask.post("search/action", body).json()["page"]["next_token"]
    assert idp.request("GET", "/Users", params={"cursor": token, "count": "1"}).status_code == 400


_anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.sampled_from(["user", "source"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "id", "name", "limit", "token", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_bodies = st.dictionaries(
    st.sampled_from(["subject", "action", "resource", "context", "evaluations", "options", "page"]), _anything
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["evaluation", "evaluations", "search/subject", "search/resource", "search/action"]), _bodies)
def test_whatever_is_sent_is_answered_or_refused(ask, path, body):
    assert ask.post(path, orjson.dumps(body)).status_code in {200, 400}
