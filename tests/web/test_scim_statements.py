"""What each SCIM request costs: statements to the database, the credential's look-up and the facts included.

The numbers stand in docs/scim-conformance.md. BEGIN and COMMIT come on top of what writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GROUP_URN, PATCH_URN, USER_URN
from tests.statements import counted

DOCUMENT = (Path(__file__).parents[2] / "docs" / "scim-conformance.md").read_text()
TOLD = {name: int(number) for name, number in re.findall(r"^\| ([^|]+?) \| (\d+) \|$", DOCUMENT, re.MULTILINE)}


@pytest.fixture
def ask(app, idp) -> Callable[..., tuple[Any, list[str]]]:
    """One request, answered in this process on the real database, and the statements that it took."""
    client = app.test_client()

    def send(method: str, path: str, body: Any = None, **query: Any) -> tuple[Any, list[str]]:
        headers = {"Authorization": f"Bearer {idp.token}"}
        with counted() as statements:
            answer = client.open(f"/scim/v2{path}", method=method, json=body, query_string=query, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.get_json(silent=True), statements

    return send


def member(operation: str, identifier: str) -> dict[str, Any]:
    return {"op": operation, "path": "members", "value": [{"value": identifier}]}


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_URN], "Operations": list(operations)}


def test_each_request_takes_as_many_statements_as_are_told(ask):
    costs: dict[str, int] = {}
    # Once a minute, the use of the credential is noted with one statement more.
    ask("GET", "/ServiceProviderConfig")

    def measure(name: str, *request: Any, **query: Any) -> Any:
        shown, statements = ask(*request, **query)
        costs[name] = len(statements)
        return shown

    person = {"schemas": [USER_URN], "userName": "ann@corp.example", "externalId": "1"}
    ann = measure("create a User", "POST", "/Users", person)
    bob, _ = ask("POST", "/Users", {**person, "userName": "bob@corp.example", "externalId": "2"})
    user = f"/Users/{ann['id']}"
    measure("read a User", "GET", user)
    measure("look a User up by its userName", "GET", "/Users", filter='userName eq "ann@corp.example"')
    measure("look a User up by a filter", "GET", "/Users", filter='externalId eq "1"')
    measure("read a page of Users", "GET", "/Users", count=2)
    measure("change a User by PATCH", "PATCH", user, patch({"op": "replace", "path": "title", "value": "x"}))
    measure("replace a User", "PUT", user, {**person, "title": "y"})
    measure("suspend a User", "PATCH", user, patch({"op": "replace", "path": "active", "value": False}))
    measure("restore a User", "PATCH", user, patch({"op": "replace", "path": "active", "value": True}))
    measure("change nothing of a User", "PATCH", user, patch({"op": "replace", "path": "title", "value": "y"}))
    team = {"schemas": [GROUP_URN], "displayName": "T", "members": [{"value": ann["id"]}]}
    group = f"/Groups/{measure('create a Group with members', 'POST', '/Groups', team)['id']}"
    measure("read a Group with its members", "GET", group)
    alone = {"excludedAttributes": "members"}
    measure("read a Group without its members", "GET", group, **alone)
    measure("look a Group up by its displayName", "GET", "/Groups", filter='displayName eq "t"', **alone)
    measure("look a Group up by a filter", "GET", "/Groups", filter='displayName eq "t"')
    measure("add a member to a Group", "PATCH", group, patch(member("add", bob["id"])))
    measure("remove a member from a Group", "PATCH", group, patch(member("remove", bob["id"])))
    measure("rename a Group", "PATCH", group, patch({"op": "replace", "path": "displayName", "value": "U"}))
    measure("delete a Group", "DELETE", group)
    measure("delete a User", "DELETE", user)
    assert costs == {name: TOLD.get(name) for name in costs}
    assert max(costs.values()) <= 5


def test_a_groups_size_changes_nothing(ask):
    people = [
        ask("POST", "/Users", {"schemas": [USER_URN], "userName": f"p{number}"})[0]["id"] for number in range(260)
    ]
    team = {"schemas": [GROUP_URN], "displayName": "T", "members": [{"value": one} for one in people[1:]]}
    made, _ = ask("POST", "/Groups", team)
    shown, statements = ask("PATCH", f"/Groups/{made['id']}", patch(member("add", people[0])))
    assert (shown, len(statements)) == (None, TOLD["add a member to a Group"])


def test_a_group_without_members_in_the_answer_never_touches_their_table(ask):
    person, _ = ask("POST", "/Users", {"schemas": [USER_URN], "userName": "p"})
    team = {"schemas": [GROUP_URN], "displayName": "T", "members": [{"value": person["id"]}]}
    path = f"/Groups/{ask('POST', '/Groups', team)[0]['id']}"
    for projection in ({"excludedAttributes": "members"}, {"attributes": "displayName"}):
        for where in (path, "/Groups"):
            shown, statements = ask("GET", where, **projection)
            assert "members" not in str(shown)
            assert not [statement for statement in statements if "membership" in statement]


def test_a_change_that_is_answered_without_members_reads_none(ask):
    people = [ask("POST", "/Users", {"schemas": [USER_URN], "userName": name})[0]["id"] for name in ("p", "q")]
    team = {"schemas": [GROUP_URN], "displayName": "T", "members": [{"value": people[0]}]}
    path = f"/Groups/{ask('POST', '/Groups', team)[0]['id']}"
    shown, statements = ask("PATCH", path, patch(member("add", people[1])), excludedAttributes="members")
    assert "members" not in shown
    assert [statement for statement in statements if "INTO membership" in statement]
    reads = re.compile(r"(?<!DELETE )FROM membership")
    assert not [statement for statement in statements if reads.search(statement)]
    rename = {"op": "replace", "path": "displayName", "value": "U"}
    for change in (rename, member("remove", people[1])):
        assert [statement for statement in ask("PATCH", path, patch(change))[1] if reads.search(statement)]


def test_many_members_at_once_cost_as_many_statements_as_one(ask):
    people = [
        ask("POST", "/Users", {"schemas": [USER_URN], "userName": f"p{number}"})[0]["id"] for number in range(120)
    ]
    team = {"schemas": [GROUP_URN], "displayName": "T", "members": [{"value": one} for one in people[:60]]}
    made, statements = ask("POST", "/Groups", team)
    assert len(statements) == TOLD["create a Group with members"]
    path = f"/Groups/{made['id']}"
    many = [{"value": one} for one in people[60:]]
    for op in ("add", "remove"):
        shown, statements = ask("PATCH", path, patch({"op": op, "path": "members", "value": many}))
        assert len(statements) == TOLD[f"{op} a member {'to' if op == 'add' else 'from'} a Group"]
    assert len(shown["members"]) == 60


def test_a_walk_by_numbers_counts_along_no_index_and_is_where_counting_would_be(ask):
    new = [{"schemas": [USER_URN], "userName": f"p{number}"} for number in range(9)]
    people = sorted(ask("POST", "/Users", user)[0]["id"] for user in new)

    def page(start: int) -> tuple[list[str], bool]:
        shown, statements = ask("GET", "/Users", startIndex=start, count=2)
        assert (shown["totalResults"], shown["startIndex"]) == (len(people), start)
        return [one["id"] for one in shown["Resources"]], any("OFFSET" in statement for statement in statements)

    assert [page(5) for _ in range(2)] == [(people[4:6], True), (people[4:6], False)]
    assert [page(start) for start in (1, 3, 5, 7, 9)] == [(people[i : i + 2], False) for i in (0, 2, 4, 6, 8)]
    ask("DELETE", f"/Users/{people.pop(0)}")
    assert [page(start) for start in (3, 5, 7)] == [(people[2:4], True), (people[4:6], False), (people[6:8], False)]
