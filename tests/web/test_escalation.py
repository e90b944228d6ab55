"""Nobody gets more than an owner gave: not by asking, not by racing, not by what an identity provider sends."""

from __future__ import annotations

import threading

import pytest

WHOLE = [{"type": "WORKSPACE"}]
OWNER = {"permissions": [{"roleId": "workspace-owner", "resources": WHOLE}]}
SOURCE_ADMIN = {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]}
NOTHING: dict = {"permissions": []}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def owner(idp, admin):
    made = idp.create_user("owner@corp.example")
    assert admin.request("PUT", f"/users/{made['id']}/permissions", OWNER).status_code == 200
    return made


def owners(admin):
    return {user["id"] for user in admin.get("/users")["users"] if user["owner"]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/users?userIds={owner}", None),
        ("PUT", "/users/{owner}/permissions", NOTHING),
        ("PUT", "/users/{owner}/permissions", SOURCE_ADMIN),
    ],
)
def test_the_last_owner_stays_one_at_every_door_of_admins(admin, owner, method, path, body):
    refused = admin.request(method, path.format(owner=owner["id"]), body)
    assert (refused.status_code, refused.json()["errors"][0]["type"]) == (409, "conflict")
    assert owners(admin) == {owner["id"]}
    rehearsed = admin.request(method, path.format(owner=owner["id"]), body, params={"dryRun": "true"})
    assert rehearsed.status_code == 409


def test_of_two_owners_who_demote_each_other_at_once_one_stays(idp, admin):
    for number in range(10):
        pair = [idp.create_user(f"o{number}{side}@corp.example")["id"] for side in "ab"]
        for one in pair:
            assert admin.request("PUT", f"/users/{one}/permissions", OWNER).status_code == 200
        for other in owners(admin) - set(pair):
            assert admin.request("PUT", f"/users/{other}/permissions", NOTHING).status_code == 200
        barrier = threading.Barrier(2)
        told = []

        def leave(who, barrier=barrier, told=told, number=number):
            barrier.wait()
            removal = ("DELETE", f"/users?userIds={who}", None)
            door = ("PUT", f"/users/{who}/permissions", NOTHING) if number % 2 else removal
            told.append(admin.request(*door).status_code)

        both = [threading.Thread(target=leave, args=(one,)) for one in pair]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted(told) == [200, 409]
        assert len(owners(admin) & set(pair)) == 1


def test_an_identity_provider_makes_and_unmakes_no_owners(idp, admin, owner):
    user = idp.create_user(
        "a@corp.example", roles=[{"value": "workspace-owner", "primary": True}], entitlements=[{"value": "owner"}]
    )
    idp.patch(f"/Users/{user['id']}", {"op": "add", "path": "roles", "value": [{"value": "workspace-owner"}]})
    assert idp.request("PUT", f"/Users/{owner['id']}", {**owner, "roles": []}).status_code == 200
    assert owners(admin) == {owner["id"]}


@pytest.mark.parametrize("role", ["workspace-member", "source-admin", "end-user-privacy-admin"])
def test_who_is_no_owner_manages_no_access(idp, new_admin, admin, owner, role):
    user = idp.create_user("a@corp.example")["id"]
    group = admin.request("POST", "/groups", {"name": "G"}).json()["data"]["userGroup"]["id"]
    weak = new_admin(idp.workspace.slug, role)
    for method, path, body, action in (
        ("PUT", f"/users/{user}/permissions", OWNER, "policy.create"),
        ("POST", f"/users/{user}/permissions", SOURCE_ADMIN, "policy.create"),
        ("PUT", f"/users/{owner['id']}/permissions", NOTHING, "policy.create"),
        ("DELETE", f"/users?userIds={owner['id']}", None, "member.remove"),
        ("PUT", f"/groups/{group}/permissions", SOURCE_ADMIN, "policy.create"),
        ("POST", f"/groups/{group}/users", {"emails": ["a@corp.example"]}, "group.update"),
        ("POST", "/mappings", {"group": "G", "role": "source-admin"}, "mapping.create"),
        ("POST", "/roles", {"id": "r", "name": "R", "actions": ["source.read"]}, "role.create"),
        ("POST", "/labels", {"label": {"key": "a", "value": "b"}}, "label.create"),
        ("PUT", "/resources", {"resources": []}, "resource.register"),
        ("GET", "/audit-events", None, "audit.read"),
    ):
        refused = weak.request(method, path, body)
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["type"], error["data"]) == (403, "not_allowed", {"action": action}), path
    assert owners(admin) == {owner["id"]}
    assert admin.get(f"/users/{user}")["user"]["permissions"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"role": "workspace-owner"},
        {"policies": [{"role": "workspace-owner"}]},
        {"role": "tracking-plan-admin", "labels": ["environment:prod"]},
        {"condition": "id pr", "about": "User", "policies": []},
        {"pattern": "x-{role}"},
        {"condition": "meta.created pr"},
        {"condition": 'members.value eq "x"'},
        {"condition": 'password eq "x"', "about": "User"},
        {"pattern": "x", "role": "source-admin"},
        {"pattern": "{role}{role}"},
        {"pattern": "{owner}-{role}"},
    ],
)
def test_a_change_of_a_mapping_is_checked_as_its_making_was(idp, admin, change):
    mapping = admin.request("POST", "/mappings", {"group": "G", "role": "source-admin"}).json()["data"]["mapping"]
    refused = admin.request("PATCH", f"/mappings/{mapping['id']}", change)
    assert refused.status_code == 422, refused.text
    assert admin.get("/mappings")["mappings"] == [mapping]


def test_ownership_by_mapping_is_for_the_operator_to_allow_and_to_end(idp, admin, facts_of):
    slug = idp.workspace.slug
    user = idp.create_user("a@corp.example")["id"]
    idp.create_group("Owners", user)
    wanted = {"group": "Owners", "role": "workspace-owner"}
    assert admin.request("POST", "/mappings", wanted).status_code == 422
    assert facts_of("workspace", "set-owners-by-mapping", slug, "on")["owners_by_mapping"] is True
    assert admin.request("POST", "/mappings", wanted).status_code == 403
    asked = ("--group", "Owners", "--role", "workspace-owner", "--workspace", slug)
    waiting = facts_of("mapping", "create", *asked)["waiting_proposal"]
    facts_of("member", "add", f"o@{slug}.example", "--owner", "--workspace", slug)
    made = ("--owner", f"o@{slug}.example", "--name", "t", "--role", "workspace-owner", "--workspace", slug)
    second = type(admin)(admin.base_url, facts_of("token", "create", *made)["token"])
    assert second.request("POST", f"/mapping-proposals/{waiting}/confirm").status_code == 200

    def all_roles():
        lines = admin.get(f"/users/{user}/access")["access"]
        able = admin.get("/access/who-can", action="mapping.create")["users"]
        return {line["role"] for line in lines}, user in {one["id"] for one in able}

    assert all_roles() == ({"minimal-workspace-access", "workspace-owner"}, True)
    facts_of("workspace", "set-owners-by-mapping", slug, "off")
    assert all_roles() == ({"minimal-workspace-access"}, False)


def test_a_right_that_is_taken_away_is_gone_with_the_next_request(idp, admin, facts_of):
    slug = idp.workspace.slug
    made = facts_of("token", "create", "--workspace", slug, "--name", "t", "--role", "workspace-owner")
    other = type(admin)(admin.base_url, made["token"])
    assert other.request("GET", "/users").status_code == 200
    (policy,) = [
        event["resourceId"]
        for event in admin.get("/audit-events", resourceType="policy")["events"]
        if event["details"]["given_to"] == f"token:{made['id']}"
    ]
    assert admin.request("DELETE", f"/policies/{policy}").status_code == 200
    assert other.request("GET", "/users").status_code == 403


def test_label_editors_label_what_is_theirs_and_nothing_else(idp, new_admin, admin, facts_of):
    for name, environment in (("mine", "dev"), ("other", "prod")):
        source = {"type": "source", "id": name, "name": name, "labels": [f"environment:{environment}"]}
        assert admin.request("PUT", "/resources", {"resources": [source]}).status_code == 200
    admin.request("POST", "/labels", {"label": {"key": "product", "value": "car"}})
    args = ("--workspace", idp.workspace.slug, "--name", "t", "--role", "source-admin", "--label", "environment:dev")
    editor = type(admin)(admin.base_url, facts_of("token", "create", *args)["token"])
    car = {"labels": ["product:car"]}
    assert editor.request("POST", "/resources/labels", {"resources": ["source:mine"], **car}).status_code == 200
    for refused in (
        editor.request("POST", "/resources/labels", {"resources": ["source:other"], **car}),
        editor.request("POST", "/resources/labels", {"resources": ["source:mine", "source:other"], **car}),
        editor.request("PUT", "/resources/source/other/labels", car),
        editor.request("DELETE", "/resources/labels", {"resources": ["source:other"], "labels": ["environment:prod"]}),
    ):
        assert (refused.status_code, refused.json()["errors"][0]["data"]) == (403, {"action": "source.label"})
    assert {r["id"]: r["labels"] for r in admin.get("/resources")["resources"]} == {
        "mine": ["environment:dev", "product:car"],
        "other": ["environment:prod"],
    }


def test_what_an_identity_provider_keeps_is_refused_to_admins_with_the_reason(idp, admin):
    user = idp.create_user("a@corp.example")
    group = idp.create_group("Pushed", user["id"])["id"]
    for method, path, body in (
        ("PATCH", f"/groups/{group}", {"name": "x"}),
        ("DELETE", f"/groups/{group}", None),
        ("POST", f"/groups/{group}/users", {"emails": ["a@corp.example"]}),
        ("PUT", f"/group/{group}/users", {"emails": []}),
        ("DELETE", f"/group/{group}/users?emails=a@corp.example", None),
    ):
        refused = admin.request(method, path, body)
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["data"]) == (409, {"connection": "idp"}), path
    assert admin.request("PUT", f"/groups/{group}/permissions", SOURCE_ADMIN).status_code == 200
    assert admin.get(f"/groups/{group}")["userGroup"]["memberCount"] == 1


def test_what_cannot_be_previewed_is_refused_and_never_made_instead(idp, admin):
    idp.create_user("a@corp.example")
    for method, path, body in (
        ("POST", "/sessions", {"email": "a@corp.example"}),
        ("POST", "/labels", {"label": {"key": "a", "value": "b"}}),
        ("PATCH", f"/connections/{idp.connection.id}", {"paused": True}),
    ):
        for spelling in ("dryRun", "dryRun[]"):
            refused = admin.request(method, path, body, params={spelling: "true"})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "dryRun"), (path, spelling)
    assert admin.get("/sessions")["sessions"] == []
    assert len(admin.get("/labels")["labels"]) == 2
    assert idp.request("GET", "/Users").status_code == 200


def test_a_preview_saves_nothing_and_tells_what_the_change_then_does(idp, admin):
    users = [idp.create_user(f"p{number}@corp.example")["id"] for number in range(3)]
    idp.create_group("G", *users)
    wanted = {"group": "G", "role": "source-admin"}
    asked = {"dryRun": "true", "pagination[count]": 2}
    told = admin.request("POST", "/mappings", wanted, params=asked).json()["data"]
    assert {name: told["preview"][name] for name in ("gains", "losses", "usersGaining", "usersUnchanged")} == {
        "gains": 3,
        "losses": 0,
        "usersGaining": 3,
        "usersUnchanged": 0,
    }
    second = {**asked, "pagination[cursor]": told["pagination"]["next"]}
    lines = told["preview"]["changes"]
    lines += admin.request("POST", "/mappings", wanted, params=second).json()["data"]["preview"]["changes"]
    assert {(line["userId"], line["change"], line["roleId"], line["resource"]) for line in lines} == {
        (user, "gains", "source-admin", "*") for user in users
    }
    assert admin.get("/mappings")["mappings"] == []
    mapping = admin.request("POST", "/mappings", wanted).json()["data"]["mapping"]
    gone = admin.request("DELETE", f"/mappings/{mapping['id']}", params={"dryRun": "true"}).json()["data"]["preview"]
    assert (gone["losses"], gone["usersLosing"]) == (3, 3)
    off = admin.request("PATCH", f"/mappings/{mapping['id']}", {"enabled": False})
    assert off.json()["data"]["mapping"]["enabled"] is False
    assert admin.get("/access/who-can", action="source.update")["users"] == []


def test_a_change_of_a_condition_keeps_what_it_is_about(admin):
    wanted = {"condition": 'userName sw "a"', "about": "User", "role": "source-admin"}
    mapping = admin.request("POST", "/mappings", wanted).json()["data"]["mapping"]
    path = f"/mappings/{mapping['id']}"
    changed = admin.request("PATCH", path, {"condition": 'userName sw "b"'}).json()["data"]["mapping"]
    assert (changed["about"], changed["condition"]) == ("User", 'userName sw "b"')
    assert changed["policies"] == mapping["policies"]
    assert admin.request("PATCH", path, {"about": "Group"}).status_code == 422
