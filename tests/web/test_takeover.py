"""Nobody becomes somebody else, or gets what somebody else had, by what an identity provider asserts."""

from __future__ import annotations

import pytest


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def roles(admin, user_id):
    return {line["role"] for line in admin.get(f"/users/{user_id}/access")["access"]}


WHOLE = [{"type": "WORKSPACE"}]
OWNER = {"permissions": [{"roleId": "workspace-owner", "resources": WHOLE}]}
SOURCE_ADMIN = {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]}


@pytest.mark.parametrize("taken", ["1", "0", "-1", "admin", "id", "user_name"])
def test_an_external_id_is_never_taken_for_an_id_or_a_name(idp, admin, taken):
    owner = idp.create_user("owner@corp.example", externalId="owner-1")
    assert admin.request("PUT", f"/users/{owner['id']}/permissions", OWNER).status_code == 200
    external_id = {"id": owner["id"], "user_name": "owner@corp.example"}.get(taken, taken)
    other = idp.create_user("other@corp.example", externalId=external_id)
    assert other["id"] != owner["id"]
    assert roles(admin, other["id"]) == {"minimal-workspace-access"}
    assert roles(admin, owner["id"]) == {"workspace-owner"}
    assert idp.request("GET", f"/Users/{external_id}").status_code == (200 if taken == "id" else 404)
    found = idp.find("/Users", f'externalId eq "{external_id}"')
    assert [one["id"] for one in found] == [other["id"]]


def test_what_one_workspace_is_told_of_a_person_changes_nothing_in_another(new_idp, new_admin, idp):
    other = new_idp()
    there = other.create_user("victim@corp.example", displayName="Victim", nickName="V")
    before = other.request("GET", f"/Users/{there['id']}").json()
    here = idp.create_user("victim@corp.example", displayName="Somebody else")
    renamed = {"userName": "mallory@corp.example", "emails": [{"value": "mallory@corp.example"}], "displayName": "M"}
    assert idp.patch(f"/Users/{here['id']}", {"op": "replace", "value": renamed}).status_code == 200
    assert idp.request("DELETE", f"/Users/{here['id']}").status_code == 204
    assert other.request("GET", f"/Users/{there['id']}").json() == before
    (shown,) = new_admin(other.workspace.slug).get("/users")["users"]
    assert (shown["name"], shown["email"]) == ("Victim", "victim@corp.example")


def test_who_takes_a_former_members_names_gets_nothing_that_was_theirs(idp, admin):
    first = idp.create_user("a@corp.example", externalId="1")
    group = idp.create_group("G", first["id"])
    assert admin.request("PUT", f"/users/{first['id']}/permissions", OWNER).status_code == 200
    assert admin.request("POST", f"/users/{first['id']}/permissions", SOURCE_ADMIN).status_code == 200
    assert idp.request("DELETE", f"/Users/{first['id']}").status_code == 204
    second = idp.create_user("a@corp.example", externalId="1")
    assert second["id"] != first["id"]
    assert roles(admin, second["id"]) == {"minimal-workspace-access"}
    assert admin.get(f"/groups/{group['id']}/users")["users"] == []
    assert admin.get(f"/users/{second['id']}")["user"]["permissions"] == []


def test_a_resource_that_takes_the_id_of_another_that_is_gone_is_nobodys(idp, admin):
    user = idp.create_user("a@corp.example")
    source = {"resources": [{"type": "source", "id": "s", "name": "first"}]}
    assert admin.request("PUT", "/resources", source).status_code == 200
    listed = {"permissions": [{"roleId": "source-admin", "resources": [{"type": "SOURCE", "id": "s"}]}]}
    assert admin.request("PUT", f"/users/{user['id']}/permissions", listed).status_code == 200
    assert "source-admin" in roles(admin, user["id"])
    assert admin.request("DELETE", "/resources", {"resources": ["source:s"]}).status_code == 200
    assert admin.request("PUT", "/resources", source).status_code == 200
    assert roles(admin, user["id"]) == {"minimal-workspace-access"}
    assert admin.get("/access/who-can", action="source.update", resource="source:s")["users"] == []


@pytest.mark.parametrize("name", ["Admins", "ADMINS", " Admins", "Admins ", "\u0410dmins"])
def test_a_pushed_group_is_never_the_local_one_of_that_name(idp, admin, name):
    local = admin.request("POST", "/groups", {"name": "Admins"}).json()["data"]["userGroup"]
    assert admin.request("PUT", f"/groups/{local['id']}/permissions", SOURCE_ADMIN).status_code == 200
    user = idp.create_user("a@corp.example")
    pushed = idp.create_group(name, user["id"])
    assert pushed["id"] != local["id"]
    assert roles(admin, user["id"]) == {"minimal-workspace-access"}
    assert admin.get(f"/groups/{local['id']}/users")["users"] == []


@pytest.mark.parametrize("name", [" eng-a", "eng-a ", "Eng-A", "\u0435ng-a", "x-eng-a"])
def test_a_group_renamed_into_a_name_that_gives_must_have_it_exactly(idp, admin, name):
    user = idp.create_user("a@corp.example")
    group = idp.create_group("Guests", user["id"])
    written = {"pattern": "eng-{label.product}", "role": "source-admin"}
    assert admin.request("POST", "/mappings", written).status_code == 201
    assert idp.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "displayName", "value": name}).ok
    assert roles(admin, user["id"]) == {"minimal-workspace-access"}
    assert idp.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "displayName", "value": "eng-a"}).ok
    assert roles(admin, user["id"]) == {"minimal-workspace-access", "source-admin"}


def test_who_is_protected_is_out_of_the_identity_providers_reach(idp, admin, facts_of):
    user = idp.create_user("a@corp.example", externalId="1")
    path = f"/Users/{user['id']}"
    protected = admin.request("PATCH", f"/users/{user['id']}", {"protected": True})
    assert (protected.status_code, protected.json()["data"]["user"]["protected"]) == (200, True)
    before = idp.request("GET", path).json()
    away = {**user, "active": False}
    for refused in (
        idp.request("PUT", path, away),
        idp.patch(path, {"op": "replace", "value": {"active": False}}),
        idp.patch(path, {"op": "Replace", "path": "active", "value": "False"}),
        idp.patch(path, {"op": "replace", "path": "userName", "value": "b@corp.example"}),
        idp.request("DELETE", path),
    ):
        assert (refused.status_code, refused.json().get("scimType")) == (400, "mutability"), refused.text
    assert idp.request("GET", path).json() == before
    slug = idp.workspace.slug
    assert facts_of("member", "protect", "a@corp.example", "--workspace", slug, "--off")["protected"] is False
    assert idp.request("DELETE", path).status_code == 204
    told = [event["type"] for event in admin.get("/audit-events", resourceType="user")["events"]]
    assert {"member.protected", "member.unprotected"} <= set(told)


def test_who_is_protected_stays_in_groups_whatever_the_identity_provider_sends(idp, admin):
    user, other = (idp.create_user(f"{name}@corp.example")["id"] for name in "ab")
    group = idp.create_group("G", user, other)
    path = f"/Groups/{group['id']}"
    assert admin.request("PATCH", f"/users/{user}", {"protected": True}).status_code == 200
    before = idp.request("GET", path).json()
    whole = {"schemas": group["schemas"], "displayName": "G"}
    for refused in (
        idp.patch(path, {"op": "remove", "path": f'members[value eq "{user}"]'}),
        idp.patch(path, {"op": "remove", "path": "members", "value": [{"value": user}, {"value": other}]}),
        idp.patch(path, {"op": "remove", "path": "members"}),
        idp.patch(path, {"op": "replace", "path": "members", "value": [{"value": other}]}),
        idp.request("PUT", path, {**whole, "members": [{"value": other}]}),
        idp.request("PUT", path, {**whole, "members": []}),
        idp.request("DELETE", path),
    ):
        assert (refused.status_code, refused.json().get("scimType")) == (400, "mutability"), refused.text
    assert idp.request("GET", path).json() == before
    assert idp.request("PUT", path, {**whole, "members": [{"value": user}]}).status_code == 200
    assert [one["value"] for one in idp.request("GET", path).json()["members"]] == [user]
    # An owner lets go of it: the identity provider has nothing more to delete.
    assert admin.request("POST", f"/groups/{group['id']}/detach").status_code == 200
    assert idp.request("DELETE", path).status_code == 404
    assert [one["id"] for one in admin.get(f"/groups/{group['id']}/users")["users"]] == [user]
