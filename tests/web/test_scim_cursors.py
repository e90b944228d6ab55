"""Walking through a list with cursors (RFC 9865)."""

from __future__ import annotations

import re
import time

import pytest

from provisioning.sealing import Sealer
from provisioning.web import walks
from tests.conftest import PATCH_URN

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
TITLES = ["b", None, "a", "B", None, "c", "ä"]


@pytest.fixture
def people(idp):
    for number, title in enumerate(TITLES):
        idp.create_user(f"p{number}", **({} if title is None else {"title": title}))
    return idp


def walk(idp, path="/Users", **params):
    """All the pages of a walk."""
    pages, cursor = [], ""
    while cursor is not None:
        answer = idp.request("GET", path, params={**params, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        cursor = pages[-1].get("nextCursor")
    return pages


def names(pages):
    return [user["userName"] for page in pages for user in page.get("Resources", [])]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("by", [None, "title", "userName", "meta.created", "active", "emails.value", "id"])
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_a_walk_sees_what_one_page_shows(people, by, order, count):
    if order == "descending" and by is None:
        return
    sorting = {} if by is None else {"sortBy": by, "sortOrder": order}
    at_once = [user["userName"] for user in people.request("GET", "/Users", params=sorting).json()["Resources"]]
    pages = walk(people, count=count, **sorting)
    assert names(pages) == at_once
    assert [page["itemsPerPage"] for page in pages[:-1]] == [count] * (len(pages) - 1)
    assert {page["totalResults"] for page in pages} == {len(TITLES)}
    assert not any("startIndex" in page for page in pages)


def test_cursors_are_texts_that_need_no_escaping_and_tell_nothing(people):
    cursor = walk(people, count=1, sortBy="title", filter='title eq "b"')[0]["nextCursor"]
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", cursor)
    first = people.request("GET", "/Users", params={"cursor": "", "count": 0})
    assert (first.json()["totalResults"], first.json().get("nextCursor")) == (len(TITLES), None)


def test_a_search_takes_cursors_too(people):
    query = {"schemas": [SEARCH_URN], "count": 4, "cursor": "", "sortBy": "userName", "filter": "title pr"}
    first = people.request("POST", "/Users/.search", query).json()
    second = people.request("POST", "/Users/.search", {**query, "cursor": first["nextCursor"]}).json()
    assert names([first, second]) == ["p0", "p2", "p3", "p5", "p6"]
    assert "nextCursor" not in second


def test_groups_and_the_root_are_walked_alike(people):
    for number in range(5):
        people.create_group(f"g{number}")
    shown = [group["displayName"] for page in walk(people, "/Groups", count=2) for group in page["Resources"]]
    assert shown == ["g0", "g1", "g2", "g3", "g4"]
    everything = [one["id"] for page in walk(people, "", count=5, sortBy="displayName") for one in page["Resources"]]
    assert len(set(everything)) == len(everything) == len(TITLES) + 5


def test_who_comes_or_goes_during_a_walk_moves_nobody_else(people):
    answer = people.request("GET", "/Users", params={"count": 3, "cursor": ""}).json()
    gone = answer["Resources"][0]["id"]
    people.request("DELETE", f"/Users/{gone}")
    people.create_user("p99")
    rest = people.request("GET", "/Users", params={"count": 3, "cursor": answer["nextCursor"]}).json()
    assert names([answer, rest]) == ["p0", "p1", "p2", "p3", "p4", "p5"]


def next_cursor(idp, **params):
    return idp.request("GET", "/Users", params={"count": 2, "cursor": "", **params}).json()["nextCursor"]


def refused(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["scimType"]


@pytest.mark.parametrize(
    ("changed", "scim_type"),
    [
        ({"filter": "title pr"}, "invalidCursor"),
        ({"sortBy": "title"}, "invalidCursor"),
        ({"count": 3}, "invalidCount"),
        ({"count": "x"}, "invalidCount"),
        ({"startIndex": 1}, "invalidValue"),
    ],
)
def test_the_question_stays_the_same(people, changed, scim_type):
    params = {"count": 2, "cursor": next_cursor(people), **changed}
    assert refused(people.request("GET", "/Users", params=params)) == scim_type


@pytest.mark.parametrize(
    "mangle", [lambda c: c[:-2], lambda c: c[:30] + "A" + c[31:], lambda c: c * 200, lambda c: c[::-1]]
)
def test_what_was_not_given_out_is_refused(people, mangle):
    query = {"schemas": [SEARCH_URN], "count": 2, "cursor": mangle(next_cursor(people))}
    assert refused(people.request("POST", "/Users/.search", query)) == "invalidCursor"


def test_a_cursor_is_good_for_one_connection_and_one_endpoint(people, new_idp):
    stranger = new_idp()
    params = {"count": 2, "cursor": next_cursor(people)}
    assert refused(stranger.request("GET", "/Users", params=params)) == "invalidCursor"
    assert refused(people.request("GET", "/Groups", params=params)) == "invalidCursor"


def test_a_cursor_ends(app, people):
    old = next_cursor(people)
    sealer: Sealer = app.extensions["provisioning.context"].cursors
    data = sealer.open(old, lifetime_seconds=walks.LIFETIME_SECONDS)
    late = sealer._fernet.encrypt_at_time(data, int(time.time()) - walks.LIFETIME_SECONDS - 2)  # noqa: SLF001
    params = {"count": 2, "cursor": late.rstrip(b"=").decode()}
    assert refused(people.request("GET", "/Users", params=params)) == "expiredCursor"
    told = people.request("GET", "/ServiceProviderConfig").json()["pagination"]
    assert told["cursorTimeout"] == walks.LIFETIME_SECONDS


def test_patching_while_walking_by_what_changes_loses_nobody_else(people):
    page = people.request("GET", "/Users", params={"count": 3, "cursor": "", "sortBy": "title"}).json()
    moved = page["Resources"][0]["id"]
    operation = {"op": "replace", "path": "title", "value": "zz"}
    people.request("PATCH", f"/Users/{moved}", {"schemas": [PATCH_URN], "Operations": [operation]})
    seen = [user["id"] for user in page["Resources"]]
    while cursor := page.get("nextCursor"):
        page = people.request("GET", "/Users", params={"count": 3, "cursor": cursor, "sortBy": "title"}).json()
        seen += [user["id"] for user in page["Resources"]]
    assert set(seen) == {user["id"] for user in people.request("GET", "/Users").json()["Resources"]}
    assert [one for one in seen if seen.count(one) > 1] in ([], [moved, moved])
