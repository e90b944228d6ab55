"""Plain writes are carried out by the lane as by the views; whatever is not plain is left to them, and nothing is done
twice.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from provisioning.context import context
from provisioning.database import reading
from provisioning.directory import connections, enrolment
from provisioning.journal.entries import Entry
from provisioning.pace import Pace
from provisioning.scim.definitions import USER
from provisioning.scim.projection import Projection
from provisioning.web.scim import asking, journal, told
from provisioning.web.scim.operation import Written
from tests.conftest import ENTERPRISE_URN, GROUP_URN, PATCH_URN, USER_URN, Idp, new_workspace
from tests.web.lane import Answer, ask

SCIM, JSON = "application/scim+json", "application/json"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Twin(NamedTuple):
    """A workspace that is written to in this process, always by the lane or always by the views."""

    app: Any
    idp: Idp
    by_views: bool = False

    def write(self, method: str, path: str, body: Any, media_type: str | None = SCIM, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        sent = {"Authorization": f"Bearer {self.idp.token}", **headers}
        sent |= {} if media_type is None else {"Content-Type": media_type}
        # A parameter that nobody knows: those are left to the views.
        return ask(self.app, path + ("?x=1" if self.by_views else ""), method=method, data=data, headers=sent)


def ready(app: Any, idp: Idp, *, by_views: bool = False) -> Twin:
    # Once a minute the use of a credential is noted, which the views do.
    idp.request("GET", "/Schemas")
    return Twin(app, idp, by_views)


@pytest.fixture
def twins(app, new_idp) -> tuple[Twin, Twin]:
    """Two workspaces in which the same is going to be written: by the lane, and by the views."""
    return ready(app, new_idp()), ready(app, new_idp(), by_views=True)


@pytest.fixture
def lane(twins) -> Twin:
    return twins[0]


def user(user_name: str, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER_URN], "userName": user_name, **more}


def group(name: str, *members: str) -> dict[str, Any]:
    return {"schemas": [GROUP_URN], "displayName": name, "members": [{"value": one} for one in members]}


def patch(*operations: Any) -> dict[str, Any]:
    return {"schemas": [PATCH_URN], "Operations": list(operations)}


def set_to(path: str | None, value: Any, op: str = "replace") -> dict[str, Any]:
    return {"op": op, **({} if path is None else {"path": path}), "value": value}


FULL = {
    "externalId": "e1",
    "name": {"givenName": "Zoë", "familyName": "Ärmel"},
    "emails": [{"value": "zoe@corp.example", "type": "work", "primary": True}],
    "active": "True",
    "x": 1,
    ENTERPRISE_URN: {"department": "X", "manager": {"value": "m"}},
}
# What is sent, in turn; {ann}, {bob} and {team} stand for the ids that their creation has given.
STORY: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/Users", user("ann", **FULL)),
    ("POST", "/Users", user("bob")),
    ("POST", "/Users", user("ANN")),
    ("POST", "/Users", user("")),
    ("POST", "/Users", {"userName": "eve", "emails": "no"}),
    ("POST", "/Users", {}),
    ("POST", "/Users", user("e\0ve")),
    ("PATCH", "/Users/{ann}", patch(set_to("title", "Boss"), set_to(f"{ENTERPRISE_URN}:department", "Y"))),
    ("PATCH", "/Users/{ann}", patch(set_to('emails[type eq "work"].value', "z@corp.example", "Add"))),
    ("PATCH", "/Users/{ann}", patch(set_to(None, {"nickName": "Z", "active": "False"}))),
    ("PATCH", "/Users/{ann}", patch(set_to("userName", "bob"))),
    ("PATCH", "/Users/{ann}", patch(set_to("id", "x"))),
    ("PATCH", "/Users/{ann}", patch(set_to('emails[type eq "none"].value', "x"))),
    ("PATCH", "/Users/{ann}", patch(set_to("[", "x"))),
    ("PATCH", "/Users/{ann}", {"Operations": "no"}),
    ("PATCH", "/Users/{ann}", patch(set_to("active", value=True))),
    ("PUT", "/Users/{ann}", user("ann", displayName="Ann")),
    ("PUT", "/Users/{ann}", user("bob")),
    ("PUT", "/Users/00000000-0000-0000-0000-000000000000", user("nobody")),
    ("PATCH", "/Users/00000000-0000-0000-0000-000000000000", patch(set_to("title", "x"))),
    ("POST", "/Groups", group("team", "{ann}")),
    ("POST", "/Groups", group("Team")),
    ("POST", "/Groups", group("other", "00000000-0000-0000-0000-000000000000")),
    ("PATCH", "/Groups/{team}", patch(set_to("members", [{"value": "{bob}"}], "add"))),
    ("PATCH", "/Groups/{team}", patch({"op": "remove", "path": 'members[value eq "{ann}"]'})),
    ("PATCH", "/Groups/{team}", patch(set_to("displayName", "crew"), set_to("members", [{"value": "{ann}"}], "add"))),
    ("PATCH", "/Groups/{team}", patch(set_to("members", [{"value": "nobody"}], "add"))),
    ("PATCH", "/Groups/{ann}", patch(set_to("members", [{"value": "{bob}"}], "add"))),
    ("PUT", "/Groups/{team}", group("crew", "{bob}")),
    ("PATCH", "/Users/{bob}", patch(set_to("title", "in a group"))),
)


class Told(NamedTuple):
    """What became of a write, whatever the ids and moments are."""

    status: int
    body: Any
    headers: dict[str, str]


class Narrator:
    """Writes one thing after another in a workspace."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._ids: dict[str, str] = {}
        self.by_a_view: list[bool] = []

    def tell(self, method: str, path: str, body: Any) -> Told:
        sent, path = orjson.dumps(body).decode(), self._named(path)
        answer = self._twin.write(method, path, self._named(sent).encode())
        self.by_a_view.append(answer.by_a_view)
        if answer.status == 201:
            name = answer.body.get("userName") or answer.body["displayName"]
            self._ids.setdefault(name, answer.body["id"])
        return Told(answer.status, self._plain(answer.body), self._plain(answer.headers))

    def _named(self, template: str) -> str:
        return re.sub(r"\{(ann|bob|team)\}", lambda found: self._ids.get(found[1], "0" * 8), template)

    def _plain(self, told: Any) -> Any:
        names = {identifier: f"<{name}>" for name, identifier in self._ids.items()}
        plain = _MOMENT.sub("<moment>", orjson.dumps(told).decode())
        # A version says which groups somebody is in, by their ids.
        plain = re.sub(r'(W/\\"\d+)\.[0-9a-f]{8}', r"\1.<groups>", plain)
        return orjson.loads(_ID.sub(lambda found: names.get(found[0], found[0]), plain))


def test_what_is_plain_is_carried_out_as_by_the_views_and_without_them(twins):
    lane, views = (Narrator(twin) for twin in twins)
    for step in STORY:
        assert lane.tell(*step) == views.tell(*step), step
    assert (set(lane.by_a_view), set(views.by_a_view)) == ({False}, {True})


def test_a_group_that_is_not_sent_back_is_answered_with_nothing(twins, monkeypatch):
    monkeypatch.setattr("provisioning.web.scim.groups.MOST_SENT_BACK", 0)
    joins = patch(set_to("members", [{"value": "{bob}"}], "add"))
    steps = (STORY[1], ("POST", "/Groups", group("team")), ("PATCH", "/Groups/{team}", joins))
    lane, views = ([narrator.tell(*step) for step in steps] for narrator in map(Narrator, twins))
    assert lane == views
    assert (lane[-1].status, lane[-1].body, "Content-Type" in lane[-1].headers) == (204, None, False)


def test_the_story_tells_of_much_that_can_happen(lane):
    narrator = Narrator(lane)
    assert {narrator.tell(*step).status for step in STORY} == {200, 201, 400, 404, 409}


STEPS = st.lists(st.sampled_from(STORY[2:]), max_size=6)


@pytest.fixture(scope="module")
def pair(app, service) -> tuple[Twin, Twin]:
    return ready(app, new_workspace(service)), ready(app, new_workspace(service), by_views=True)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_in_whatever_order_it_is_carried_out_as_by_the_views(pair, steps):
    lane, views = (Narrator(twin) for twin in pair)
    for step in (*STORY[:2], *steps):
        assert lane.tell(*step) == views.tell(*step)


def facts(idp: Idp) -> list[Any]:
    told = text("SELECT name, actor_kind, request_id FROM event WHERE workspace_id = :workspace ORDER BY seq")
    with reading() as database:
        return list(database.execute(told, {"workspace": idp.workspace.id}).all())


def test_what_happened_stands_in_the_trail_as_what_the_views_did(twins):
    for twin in twins:
        created = twin.write("POST", "/Users", user("ann"), **{"X-Request-Id": "r-1"})
        off = patch(set_to("active", value=False))
        assert twin.write("PATCH", f"/Users/{created.body['id']}", off, **{"X-Request-Id": "r-2"}).status == 200
    mine, theirs = (facts(twin.idp) for twin in twins)
    assert mine == theirs
    assert {("member.added", "connection", "r-1"), ("member.suspended", "connection", "r-2")} <= set(mine)


@pytest.fixture
def logged(monkeypatch) -> list[Entry]:
    put: list[Entry] = []
    monkeypatch.setattr(journal.Writer, "put", lambda _writer, entry: put.append(entry))
    return put


def test_what_was_written_stands_in_the_log_as_what_the_views_write(twins, logged):
    for twin in twins:
        twin.write("POST", "/Users", user("ann", active="True", x=1), **{"X-Request-Id": "r-1"})
        twin.write("POST", "/Users", user("ann"))
    alike = {field: getattr(logged[0], field) for field in ("id", "workspace_id", "connection_id", "at", "resource_id")}
    entries = [entry._replace(**alike, milliseconds=0) for entry in logged]
    assert entries[:2] == entries[2:]
    assert (entries[0].status, entries[0].request_id, entries[0].path) == (201, "r-1", "/scim/v2/Users")
    assert (entries[0].resource_type, entries[0].changes["userName"]) == ("User", [None, "ann"])
    assert "ignored x" in entries[0].notes
    assert (entries[1].status, entries[1].scim_type, entries[1].changes) == (409, "uniqueness", {})
    assert entries[1].detail


def test_what_is_not_plain_is_left_to_the_views(lane):
    ann = lane.write("POST", "/Users", user("ann")).body["id"]
    plain, new = orjson.dumps(patch(set_to("title", "x"))), orjson.dumps(user("new"))
    one = f"/Users/{ann}"
    left = [
        *(lane.write("PATCH", f"{one}{query}", plain) for query in ("?attributes=id", "?excludedAttributes=name")),
        lane.write("PATCH", one, plain, **{"If-Match": 'W/"1"'}),
        *(lane.write("PATCH", one, plain, media_type) for media_type in (None, "text/plain", f"{SCIM}; charset=x")),
        lane.write("PATCH", one, plain, **{"Content-Encoding": "gzip"}),
        *(lane.write("PATCH", one, body) for body in (b"", b"{", b"[]", plain.ljust(1_000_001))),
        *(lane.write("PATCH", path, plain) for path in (f"/Users/{ann.upper()}", "/Users/x", "/Users", f"{one}/x")),
        *(lane.write("POST", path, new) for path in (one, "/Users/.search", "/Bulk", "/Nothing", "", "/Users/x/y")),
        lane.write("DELETE", one, b"", **{"If-Match": 'W/"0"'}),
        lane.write("POST", "/Users", new, Accept="text/html"),
    ]
    assert [answer for answer in left if not answer.by_a_view] == []


@pytest.mark.parametrize("media_type", [SCIM, JSON, f"{SCIM}; charset=utf-8", f"{JSON}; charset=utf-8"])
def test_what_clients_write_of_their_bodies_is_plain(lane, media_type):
    answer = lane.write("POST", "/Users", user("ann"), media_type, Accept=JSON)
    assert (answer.status, answer.by_a_view, answer.headers["Content-Type"]) == (201, False, JSON)


def test_a_body_that_was_looked_at_in_vain_is_read_again(lane):
    answers = [lane.write("POST", "/Users", body) for body in (b'{"userName": ', b'["ann"]')]
    assert [(answer.status, answer.by_a_view) for answer in answers] == [(400, True)] * 2
    assert ["JSON" in answer.body["detail"] for answer in answers] == [True] * 2


def test_nobody_is_refused_or_let_in_by_the_lane(lane, new_idp):
    ann = lane.write("POST", "/Users", user("ann")).body["id"]
    title = patch(set_to("title", "x"))
    for header in ("", "Bearer x", f"Basic {lane.idp.token}", f"Bearer {lane.idp.token}x"):
        refused = lane.write("PATCH", f"/Users/{ann}", title, Authorization=header)
        assert (refused.status, refused.by_a_view) == (401, True), header
    stranger = ready(lane.app, new_idp())
    foreign = stranger.write("PATCH", f"/Users/{ann}", title)
    assert (foreign.status, foreign.by_a_view, "ann" in str(foreign.body)) == (404, False, False)


def test_each_request_is_counted_once(lane, monkeypatch):
    taken: list[str] = []
    monkeypatch.setattr(Pace, "take", lambda _pace, who, *_more, **_of: taken.append(who))
    assert lane.write("POST", "/Users", user("ann")).status == 201
    assert lane.write("POST", "/Users", b"{").by_a_view
    assert taken == [str(lane.idp.connection.id)] * 2


class Away(Exception):
    sqlstate = None


@pytest.mark.parametrize(("error", "status"), [(OperationalError("", None, Away()), 503), (KeyError("secret"), 500)])
def test_what_failed_is_not_tried_again(lane, monkeypatch, error, status):
    tried: list[Any] = []

    def fail(*_args: Any, **_more: Any) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr(enrolment, "enrol", fail)
    answer = lane.write("POST", "/Users", user("ann"))
    assert (answer.status, answer.by_a_view, len(tried)) == (status, False, 1)
    assert (answer.body["status"], "secret" in str(answer.body)) == (str(status), False)
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_what_takes_something_from_too_many_is_held_back(lane, new_admin):
    admin, path = new_admin(lane.idp.workspace.slug), f"/connections/{lane.idp.connection.id}"
    assert admin.request("PATCH", path, {"holdsMassChanges": True}).status_code == 200
    people = [lane.write("POST", "/Users", user(f"p{number}")).body["id"] for number in range(20)]
    off = patch(set_to("active", value=False))
    answers = [lane.write("PATCH", f"/Users/{one}", off) for one in people]
    assert {(answer.status, answer.by_a_view) for answer in answers} == {(200, False), (403, False)}
    waiting = admin.get(f"{path}/held-changes")["changes"]
    assert len(waiting) == [answer.status for answer in answers].count(403)


@pytest.mark.parametrize(("value", "status"), [("False", 200), ("maybe", 400)])
def test_who_speaks_is_learned_from_what_they_write(lane, value, status):
    ann = lane.write("POST", "/Users", user("ann")).body["id"]
    answer = lane.write("PATCH", f"/Users/{ann}", patch(set_to("active", value, "Replace")))
    assert (answer.status, answer.by_a_view) == (status, False)
    learned = text("SELECT learned_dialect FROM connection WHERE id = :id")
    with reading() as database:
        assert database.execute(learned, {"id": lane.idp.connection.id}).scalar_one() == "entra"


@pytest.mark.parametrize("number", [0, 1], ids=["lane", "views"])
def test_what_was_written_is_acknowledged_where_who_speaks_is_not_remembered(twins, monkeypatch, number):
    def fail(*_args: Any, **_more: Any) -> None:
        raise OperationalError("", None, Away())

    monkeypatch.setattr(connections, "learn", fail)
    created = twins[number].write("POST", "/Users", user("ann", active="True"))
    assert (created.status, created.body["active"]) == (201, True)


@pytest.mark.parametrize(
    ("host", "prefix", "base_url"),
    [
        ("scim.corp.example", "/caf\u00c3\u00a9", "https://scim.corp.example/caf\u00e9/scim/v2"),
        *((host, "", None) for host in ("[1:2]", "[12345::]", "xn--", "xn--a")),
    ],
)
def test_addresses_are_as_a_trusted_proxy_tells_unless_none_can_be_made_of_that(app, host, prefix, base_url):
    means = replace(context(), trusted_proxies=1)
    environ = {"wsgi.url_scheme": "https", "HTTP_HOST": host, "SCRIPT_NAME": prefix}
    assert asking.base_url(environ, means) == (base_url or f"{means.public_url}/scim/v2")


def test_the_header_tells_an_address_as_addresses_are_sent():
    where = "https://scim.corp.example/caf\u00e9/scim/v2/Users/1"
    left = Written("1", 'W/"1"', where, {"meta": {"version": 'W/"1"', "location": where}})
    answer = told.of_written(left, Projection(USER), 201)
    assert answer.headers["Location"] == "https://scim.corp.example/caf%C3%A9/scim/v2/Users/1"
    assert answer.document["meta"]["location"] == where
