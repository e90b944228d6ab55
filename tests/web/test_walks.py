"""Walking through the admin API's lists: cursors that tell nothing, and that neither skip nor repeat."""

from __future__ import annotations

import re
import time

import pytest

from provisioning.context import context
from provisioning.sealing import Sealer
from provisioning.web import walks

WHOLE = [{"type": "WORKSPACE"}]


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def group(idp, admin):
    """A workspace with several of everything, and the path of a group that all are in."""
    people = [idp.create_user(f"p{number}@corp.example", displayName=f"P{number}")["id"] for number in range(5)]
    made = idp.create_group("All", *people)
    for number in range(4):
        idp.create_group(f"G{number}", people[0])
        label = {"label": {"key": "team", "value": f"t{number}"}}
        assert admin.request("POST", "/labels", label).status_code == 201
        assert admin.request("POST", "/mappings", {"group": f"G{number}", "role": "source-admin"}).status_code == 201
        assert admin.request("POST", "/sessions", {"email": f"p{number % 2}@corp.example"}).status_code == 201
    told = [{"type": kind, "id": f"{n}", "name": "x"} for kind in ("warehouse", "source") for n in range(3)]
    assert admin.request("PUT", "/resources", {"resources": told}).status_code == 200
    return f"/groups/{made['id']}"


LISTS = {
    "/users": ("users", 5),
    "/groups": ("userGroups", 5),
    "{group}/users": ("users", 5),
    "{person}/groups": ("groups", 5),
    "/roles": ("roles", 19),
    "/labels": ("labels", 6),
    "/mappings": ("mappings", 4),
    "/resources": ("resources", 6),
    "/audit-events": ("events", None),
    "/sessions": ("sessions", 4),
    "/access/who-can?action=source.create": ("users", 1),
}


def page(admin, path, cursor, count, **params):
    return admin.get(
        path, **{"pagination[count]": count, **params}, **({"pagination[cursor]": cursor} if cursor else {})
    )


def walk(admin, path, name, count, *, cursor=None, way="next"):
    pages = []
    while cursor is not None or not pages:
        pages.append(page(admin, path, cursor, count))
        cursor = pages[-1]["pagination"].get(way)
        assert len(pages) < 200
    return pages


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_walked_to_its_end_and_back(idp, admin, group, path):
    name, size = LISTS[path]
    person = idp.find("/Users", 'userName eq "p0@corp.example"')[0]["id"]
    path = path.format(group=group, person=f"/users/{person}")
    at_once = admin.get(path, **{"pagination[count]": 1000})
    assert at_once["pagination"].keys() == {"current", "totalEntries"}
    whole, total = at_once[name], at_once["pagination"]["totalEntries"]
    assert total == len(whole)
    assert size in {None, total}
    for count in (2, 3):
        there = walk(admin, path, name, count)
        assert [item for one in there for item in one[name]] == whole
        assert {one["pagination"]["totalEntries"] for one in there} == {total}
        assert "previous" not in there[0]["pagination"]
        again = page(admin, path, there[0]["pagination"]["current"], count)
        assert again[name] == there[0][name]
        last = there[-1]["pagination"]["current"]
        back = walk(admin, path, name, count, cursor=last, way="previous")
        assert [one[name] for one in reversed(back)] == [one[name] for one in there]
        if len(back) > 1:
            forth = walk(admin, path, name, count, cursor=back[-1]["pagination"]["next"])
            assert [item for one in forth for item in one[name]] == whole[count:]


def test_what_comes_and_goes_meanwhile_shifts_no_page(idp, admin, group):
    first = page(admin, "/users", None, 2)
    gone = [user["id"] for user in first["users"]]
    assert admin.request("DELETE", "/users", params={"userIds": gone}).status_code == 200
    idp.create_user("p5@corp.example", displayName="P5")
    second = page(admin, "/users", first["pagination"]["next"], 2)
    assert [user["name"] for user in second["users"]] == ["P2", "P3"]
    assert second["pagination"]["totalEntries"] == 5


def refusal(admin, path, cursor, **params):
    refused = admin.request("GET", path, params={"pagination[cursor]": cursor, "pagination[count]": 2, **params})
    assert refused.status_code == 422, refused.text
    (error,) = refused.json()["errors"]
    assert (error["type"], error["field"]) == ("invalid", "pagination[cursor]")
    return error["message"]


def test_a_cursor_is_good_for_one_list_of_one_workspace(idp, admin, group, new_idp, new_admin):
    cursor = page(admin, "/users", None, 2)["pagination"]["next"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert len(page(admin, "/users", cursor, 3)["users"]) == 3
    for elsewhere in ("/groups", f"{group}/users", "/resources", "/roles", "/sessions"):
        assert "not given out" in refusal(admin, elsewhere, cursor)
    of_sources = page(admin, "/resources", None, 2, type="source")["pagination"]["next"]
    refusal(admin, "/resources", of_sources, type="warehouse")
    foreign = new_admin(new_idp().workspace.slug)
    refusal(foreign, "/users", cursor)
    refusal(foreign, "/users", cursor[:-2] + "AA")
    scim = idp.request("GET", "/Users", params={"cursor": "", "count": 2}).json()["nextCursor"]
    refusal(admin, "/users", scim)
    assert idp.request("GET", "/Users", params={"cursor": cursor, "count": 2}).status_code == 400


@pytest.mark.parametrize("cursor", ["1", "x", "0" * 200, "gAAAAA", "\N{SNOWMAN}", "source:s1", "A" * 20_000])
def test_what_is_no_cursor_is_refused(admin, cursor):
    for path in ("/users", "/resources", "/roles"):
        refusal(admin, path, cursor[:6000])


def test_a_cursor_is_good_for_an_hour(admin, group, app):
    sealer: Sealer = context().cursors
    data = sealer.open(page(admin, "/users", None, 2)["pagination"]["next"], lifetime_seconds=60)
    late = sealer._fernet.encrypt_at_time(data, int(time.time()) - walks.LIFETIME_SECONDS - 2)  # noqa: SLF001
    assert "begin again" in refusal(admin, "/users", late.decode())


def test_sessions_are_those_of_the_member_who_is_asked_for(idp, admin, group, new_idp):
    (person,) = idp.find("/Users", 'userName eq "p0@corp.example"')
    told = page(admin, "/sessions", None, 100, userId=person["id"])
    assert {session["email"] for session in told["sessions"]} == {"p0@corp.example"}
    assert told["pagination"]["totalEntries"] == 2
    stranger = new_idp().create_user("p0@corp.example")["id"]
    assert admin.request("GET", "/sessions", params={"userId": stranger}).status_code == 404
    assert admin.request("GET", "/sessions", params={"userId": "x"}).status_code == 422


def test_the_lines_of_a_preview_are_walked_like_a_list(admin, group):
    wanted = {"permissions": [{"roleId": "source-read-only", "resources": WHOLE}]}

    def asked(body, **params):
        return admin.request("POST", f"{group}/permissions", body, params={"dryRun": "true", **params})

    whole = asked(wanted).json()["data"]
    assert len(whole["preview"]["changes"]) == 5
    seen, cursor = [], None
    while cursor is not None or not seen:
        told = asked(wanted, **{"pagination[count]": 2, "pagination[cursor]": cursor or ""}).json()["data"]
        seen.extend(told["preview"]["changes"])
        cursor = told["pagination"].get("next")
    assert seen == whole["preview"]["changes"]
    following = asked(wanted, **{"pagination[count]": 2}).json()["data"]["pagination"]["next"]
    other = {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]}
    assert asked(other, **{"pagination[cursor]": following}).status_code == 422
