"""Plain reads are answered by the lane as the views do, value for value; whatever is not plain is left to them."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from provisioning.database import transaction
from provisioning.directory import groups
from provisioning.directory.profile import GroupProfile
from provisioning.journal.entries import Entry
from provisioning.pace import Pace
from provisioning.web.scim import journal
from tests.conftest import ENTERPRISE_URN, TEST, USER_URN, Idp, new_workspace
from tests.statements import counted
from tests.waiting import eventually
from tests.web.lane import Answer, ask, views_begun

NAMES = ["ann@corp.example", "Zoë Ärmel", "a+b c@corp.example", "per%cent", "semi;colon&ampersand", "ﬁ" * 20]
# It looks like the name of an attribute, and is a text.
NAMES += [f'"{ENTERPRISE_URN}":{{\\']
WITHOUT = "excludedAttributes=members"


class World(NamedTuple):
    """A workspace with people and groups, and a client that asks in this process."""

    app: Any
    idp: Idp
    people: dict[str, str]
    groups: dict[str, str]

    def ask(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.idp.token}", **headers}
        return ask(self.app, path, method=method, headers=sent)

    def by_view(self, path: str, **headers: str) -> Answer:
        """The same, with a condition that nothing meets: those are left to the views."""
        answer = self.ask(path, **{"If-None-Match": '"none"', **headers})
        assert answer.by_a_view
        return answer


@pytest.fixture(scope="module")
def world(app, service) -> World:
    idp = new_workspace(service)
    more = {"externalId": "e1", "name": {"familyName": "Ä"}, ENTERPRISE_URN: {"department": "X"}}
    people = {name: idp.create_user(name, **(more if name == NAMES[0] else {}))["id"] for name in NAMES}
    groups = {name: idp.create_group(name, *list(people.values())[:2])["id"] for name in ("Eng", "Zoë & Co")}
    idp.create_group("Empty")
    idp.patch(f"/Users/{people[NAMES[2]]}", {"op": "replace", "path": "active", "value": False})
    found = World(app, idp, people, groups)
    # Once a minute the use of a credential is noted, which the views do.
    found.ask("/Schemas")
    return found


def named(attribute: str, name: str, *more: str) -> str:
    asked = quote(f'{attribute} eq "{name}"', safe="")
    return "&".join((f"filter={asked}", *more))


def plain(world: World) -> list[str]:
    people = [f"/Users/{identifier}" for identifier in world.people.values()]
    people += [f"/Users?{named('userName', name)}" for name in (*NAMES[:-1], "ANN@CORP.example", "nobody")]
    people += [f"/Users?{named('username', NAMES[0], 'startIndex=1', 'count=100')}"]
    people += ["/Users?filter=userName+EQ+%22ann%40corp.example%22", "/Users/?count=1&filter=userName%20eq%20%22x%22"]
    people += ["/Users", *(f"/Users?{query}" for query in ("count=2", "startIndex=3&count=2", "startIndex=99"))]
    groups = [f"/Groups/{identifier}?{WITHOUT}" for identifier in world.groups.values()]
    groups += [f"/Groups?{WITHOUT}&{named('displayName', name)}" for name in ("Eng", "zoë & co", "none")]
    return people + groups


def test_a_page_shows_each_user_as_a_read_by_id_does(world):
    listed = world.ask("/Users").body
    everybody = [world.ask(f"/Users/{user['id']}").body for user in listed["Resources"]]
    assert listed["Resources"] == everybody
    assert (listed["totalResults"], listed["itemsPerPage"], listed["startIndex"]) == (*[len(world.people)] * 2, 1)
    by_name = {user["userName"]: user for user in everybody}
    assert by_name[NAMES[0]]["externalId"] == "e1"
    assert by_name[NAMES[0]]["schemas"] == [USER_URN, ENTERPRISE_URN]
    assert [group["display"] for group in by_name[NAMES[1]]["groups"]] == ["Eng", "Zoë & Co"]
    assert (by_name[NAMES[-1]]["schemas"], "groups" in by_name[NAMES[-1]]) == ([USER_URN], False)


def test_what_is_plain_is_answered_as_by_the_views_and_without_them(world):
    asked = plain(world)
    got, wanted = [world.ask(path) for path in asked], [world.by_view(path) for path in asked]
    assert [answer for answer in got if answer.by_a_view] == []
    assert [answer._replace(by_a_view=True) for answer in got] == wanted
    assert {answer.status for answer in got} == {200}
    assert ["meta" in answer.body for answer in got].count(True) > len(NAMES)


def walked(world: World, cursor: str, *, count: int = 3, more: str = "", **headers: str) -> Answer:
    return world.ask(f"/Users?count={count}&cursor={cursor}{more}", **headers)


def test_a_walk_goes_on_as_by_the_views_and_without_them(world):
    begun = walked(world, "").body
    seen, cursor = [user["id"] for user in begun["Resources"]], begun["nextCursor"]
    for is_last in (False, True):
        asked = f"/Users?count=3&cursor={cursor}"
        got, wanted = world.ask(asked), world.by_view(asked)
        cursor, other = (answer.body.pop("nextCursor", None) for answer in (got, wanted))
        assert [cursor is None, other is None] == [is_last] * 2
        assert (got.by_a_view, got._replace(by_a_view=True)) == (False, wanted)
        seen += [user["id"] for user in got.body["Resources"]]
    assert sorted(seen) == sorted(world.people.values())


def test_a_cursor_that_does_not_fit_is_refused_by_the_views(world, service):
    cursor = walked(world, "").body["nextCursor"]
    stranger = {"Authorization": f"Bearer {new_workspace(service).token}"}
    assert not walked(world, cursor).by_a_view
    refused = [
        walked(world, cursor, count=2),
        walked(world, cursor, more="&startIndex=1"),
        walked(world, cursor, more="&sortBy=id"),
        walked(world, cursor.swapcase()),
        walked(world, "x"),
        walked(world, cursor, **stranger),
    ]
    assert {(answer.status, answer.by_a_view) for answer in refused} == {(400, True)}


@pytest.mark.parametrize("accept", ["application/json", "application/scim+json, */*;q=0.5", "*/*"])
def test_who_reads_plain_json_only_gets_that(world, accept):
    path = f"/Users/{world.people[NAMES[0]]}"
    got = world.ask(path, Accept=accept)
    assert (got.by_a_view, got._replace(by_a_view=True)) == (False, world.by_view(path, Accept=accept))


def test_what_is_not_plain_is_left_to_the_views(world):
    ann, group = f"/Users/{world.people[NAMES[0]]}", f"/Groups/{world.groups['Eng']}"
    left = [
        *(f"{ann}?{query}" for query in ("attributes=userName", "excludedAttributes=name", WITHOUT, "x=1")),
        *(group, f"{group}?{WITHOUT}&{WITHOUT}", f"{group}?excludedAttributes=displayName"),
        *(f"/Users?{query}" for query in ("count=0", "cursor=", "count=", named("userName", NAMES[0], "count=0"))),
        *(
            f"/Users?{named('userName', NAMES[0], more)}"
            for more in ("startIndex=2", "cursor=", "sortBy=id", "count=x")
        ),
        *(f"/Users?{named(attribute, NAMES[0])}" for attribute in ("displayName", "externalId", "id", "userName.x")),
        *(f"/Users?{named('userName', name)}" for name in ("a\\n", "", "x" * 300)),
        "/Users?filter=" + quote('userName eq "a" or userName eq "b"'),
        "/Users?filter=" + quote('userName ne "a"'),
        *("/Groups", f"/Groups?{WITHOUT}", f"/Groups?{named('displayName', 'Eng')}"),
        "/Users/none",
        f"/Users/{world.groups['Eng']}",
        f"{ann}/x",
        "/Nothing",
    ]
    assert [path for path in left if not world.ask(path).by_a_view] == []
    assert world.ask(ann, method="HEAD").by_a_view
    assert world.ask(ann, method="DELETE", **{"If-Match": '"0"'}).by_a_view


def test_bytes_that_do_not_belong_in_an_address_are_left_to_the_views(world):
    raw = named("userName", NAMES[1]).replace(quote("Zoë Ärmel"), "Zoë+Ärmel".encode().decode("latin-1"))
    environ = {**EnvironBuilder("/scim/v2/Users").get_environ(), "QUERY_STRING": raw}
    environ["HTTP_AUTHORIZATION"] = f"Bearer {world.idp.token}"
    with views_begun(world.app) as begun:
        body = b"".join(world.app(environ, lambda *_started: None))
    assert (len(begun), b'"totalResults":1' in body) == (1, True)


def test_nobody_is_refused_or_let_in_by_the_lane(world, service):
    ann, stranger = f"/Users/{world.people[NAMES[0]]}", new_workspace(service)
    for header in ("", "Bearer", "Bearer x", f"Basic {world.idp.token}", f"Bearer {world.idp.token}x", "Bearer  x"):
        refused = world.ask(ann, Authorization=header)
        assert (refused.status, refused.by_a_view) == (401, True), header
    assert world.ask(ann, Accept="text/html").status == 406
    foreign = world.ask(ann, Authorization=f"Bearer {stranger.token}")
    assert (foreign.status, "ann" in str(foreign.body)) == (404, False)
    path = f"/Users?{named('userName', NAMES[0])}"
    world.ask(path, Authorization=f"Bearer {stranger.token}")
    empty = world.ask(path, Authorization=f"Bearer {stranger.token}")
    assert (empty.by_a_view, empty.body["totalResults"]) == (False, 0)


def test_a_group_that_another_source_keeps_is_not_there(world):
    about = {"workspace_id": world.idp.workspace.id, "profile": GroupProfile.of({"displayName": "Local"})}
    with transaction() as database:
        local = groups.create(database, **about, members=(), connection_id=None, by=TEST)
    assert world.ask(f"/Groups/{local.id}?{WITHOUT}").status == 404
    found = world.ask(f"/Groups?{WITHOUT}&{named('displayName', 'Local')}")
    assert found.body["totalResults"] == 0


def test_what_was_answered_stands_in_the_log_as_what_the_views_answer(world, monkeypatch):
    put: list[Entry] = []
    monkeypatch.setattr(journal.Writer, "put", lambda _writer, entry: put.append(entry))
    path = f"/Users?{named('userName', 'Zoë Ärmel')}"
    world.ask(path, **{"X-Request-Id": "r-1"})
    world.by_view(path, **{"X-Request-Id": "r-1"})
    mine, theirs = (entry._replace(id=world.idp.connection.id, at=put[0].at, milliseconds=0) for entry in put)
    assert mine == theirs
    assert (mine.filter, mine.request_id, mine.path) == ('userName eq "Zoë Ärmel"', "r-1", "/scim/v2/Users")


def test_the_use_of_a_credential_is_noted_by_the_views(world, service):
    stranger = {"Authorization": f"Bearer {new_workspace(service).token}"}
    path = f"/Users?{named('userName', 'ann')}"
    assert [world.ask(path, **stranger).by_a_view for _ in range(2)] == [True, False]


def test_who_speaks_is_learned_by_the_views(world):
    path = f"/Users/{world.people[NAMES[0]]}"
    told = [world.ask(path, **{"User-Agent": "Okta SCIM Client 1.0.0"}).by_a_view for _ in range(2)]
    assert told == [True, False]


@pytest.fixture
def three_a_minute(world, new_admin):
    admin, path = new_admin(world.idp.workspace.slug), f"/connections/{world.idp.connection.id}"
    assert admin.request("PATCH", path, {"requestsPerMinute": 3}).status_code == 200
    # What was allowed by a larger measure lapses within a second; then the minute begins anew for this one.
    eventually(lambda: world.ask("/Users").status == 429)
    yield
    admin.request("PATCH", path, {"requestsPerMinute": 0})


@pytest.mark.usefixtures("three_a_minute")
def test_who_asks_too_much_is_refused_before_anything_is_read_for_them(world):
    with counted() as statements:
        refused = world.ask("/Users")
    assert (refused.status, refused.by_a_view) == (429, True)
    assert [statement for statement in statements if "FROM member" in statement] == []


def test_a_request_that_is_left_to_the_views_is_counted_once(world, monkeypatch):
    taken: list[str] = []
    monkeypatch.setattr(Pace, "take", lambda _pace, who, *_more, **_of: taken.append(who))
    assert world.ask(f"/Users/{world.idp.connection.id}").status == 404
    world.ask(f"/Users/{world.people[NAMES[0]]}")
    assert taken == [str(world.idp.connection.id)] * 2


@pytest.fixture
def paused(world, new_admin):
    admin, path = new_admin(world.idp.workspace.slug), f"/connections/{world.idp.connection.id}"
    assert admin.request("PATCH", path, {"paused": True}).status_code == 200
    yield
    admin.request("PATCH", path, {"paused": False})


@pytest.mark.usefixtures("paused")
def test_a_paused_connection_is_put_off(world):
    put_off = world.ask(f"/Users/{world.people[NAMES[0]]}")
    assert (put_off.status, "Retry-After" in put_off.headers) == (503, True)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(NAMES)
WORDS = st.sampled_from(["userName", "USERNAME", "displayName", "id"])
PARTS = st.sampled_from(
    ["count=3", "count=1", "count=0", "startIndex=1", "startIndex=0", WITHOUT, "attributes=id", "filter=", "x"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(["Users", "Groups"]), word=WORDS, name=TEXTS, parts=st.lists(PARTS, max_size=3))
@example(kind="Groups", word="displayName", name="Eng", parts=[WITHOUT])
@example(kind="Users", word="userName", name="\ufffd", parts=[])
def test_whatever_is_asked_is_answered_as_by_the_views(world, kind, word, name, parts):
    path = _path(kind, word, name, parts)
    assert world.ask(path)._replace(by_a_view=True) == world.by_view(path)


def _path(kind: str, word: str, name: str, parts: list[str]) -> str:
    return f"/{kind}?" + "&".join((*parts[:1], named(word, name), *parts[1:]))
