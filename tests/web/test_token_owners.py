"""A token with an owner is the owner's: it does nothing that they may not, and ends with their membership for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from provisioning.database import reading, transaction
from provisioning.directory import members, roster
from provisioning.directory.profile import Profile
from provisioning.tokens.models import ApiToken
from tests.conftest import TEST, USER_URN
from tests.waiting import eventually
from tests.web.tokens import OWNER, SOURCE_ADMIN, made_by, names, status

PERSON = "person@corp.example"
BULK_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def person(idp, admin):
    """An owner of the workspace, who is not the only one."""
    other = idp.create_user("other@corp.example")["id"]
    made = idp.create_user(PERSON, externalId="p-1")
    for who in (other, made["id"]):
        assert admin.request("PUT", f"/users/{who}/permissions", {"permissions": OWNER}).status_code == 200
    return made


def active(value, path="active"):
    operation = {"op": "replace", "value": value} if path is None else {"op": "replace", "path": path, "value": value}
    return lambda idp, _admin, user: idp.patch(f"/Users/{user['id']}", operation)


def put(idp, admin, user):
    return idp.request("PUT", f"/Users/{user['id']}", {"schemas": [USER_URN], "userName": PERSON, "active": False})


def delete(idp, admin, user):
    return idp.request("DELETE", f"/Users/{user['id']}")


def by_admin(idp, admin, user):
    return admin.request("DELETE", f"/users?userIds={user['id']}")


def bulk(method, data=None):
    def send(idp, admin, user):
        operation = {"method": method, "path": f"/Users/{user['id']}", "bulkId": "1"}
        operation |= {} if data is None else {"data": data}
        return idp.request("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": [operation]})

    return send


PATCH = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "active", "value": False}],
}
DOORS = {
    "SCIM PATCH": (active(value=False), "owner_suspended"),
    "SCIM PATCH without a path": (active({"active": False}, None), "owner_suspended"),
    "SCIM PATCH as Entra ID writes it": (active("False"), "owner_suspended"),
    "SCIM PUT": (put, "owner_suspended"),
    "SCIM DELETE": (delete, "owner_removed"),
    "SCIM Bulk PATCH": (bulk("PATCH", PATCH), "owner_suspended"),
    "SCIM Bulk DELETE": (bulk("DELETE"), "owner_removed"),
    "admin API": (by_admin, "owner_removed"),
    "SCIM PATCH to another person's address": (
        active({"userName": "q@corp.example", "emails": [{"value": "q@corp.example"}]}, None),
        "owner_is_another",
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_whatever_ends_a_membership_ends_its_tokens_with_the_answer(idp, admin, person, door):
    leave, reason = DOORS[door]
    made, program = made_by(admin, ownerId=person["id"])
    child, below = made_by(program)
    # A token for somebody else, made by this one, goes with it: it would not be there without it.
    bystander = idp.create_user("by@corp.example")["id"]
    _, for_another = made_by(program, ownerId=bystander, permissions=[])
    assert child["ownerId"] == person["id"]
    assert [status(one) for one in (program, below)] == [200, 200]
    assert leave(idp, admin, person).status_code in {200, 204}
    assert [status(one) for one in (program, below, for_another)] == [401, 401, 401]
    assert status(admin) == 200
    eventually(lambda: admin.get(f"/tokens/{made['id']}")["token"]["endedReason"] == reason)
    assert admin.get(f"/tokens/{child['id']}")["token"]["endedReason"] in {reason, "parent_ended"}
    assert names(admin, made["id"]) == ["api_token.issued", "api_token.revoked"]


def test_the_operator_removes_a_member_and_their_tokens(idp, admin, person):
    _, program = made_by(admin, ownerId=person["id"])
    with transaction() as connection:
        member = roster.lock(connection, workspace_id=idp.workspace.id, member_id=person["id"])
        members.remove(connection, member=member, by=TEST)
    assert status(program) == 401


def test_who_returns_finds_their_tokens_ended(idp, admin, person):
    _, program = made_by(admin, ownerId=person["id"])
    # In one transaction, so that no worker can have marked anything in between.
    with transaction() as connection:
        member = roster.lock(connection, workspace_id=idp.workspace.id, member_id=person["id"])
        for value in (False, True):
            profile = Profile.of({**member.document, "active": value})
            member = members.store(connection, member=member, profile=profile, connection_id=None, by=TEST)
    assert member.active
    assert status(program) == 401
    _, new = made_by(admin, ownerId=person["id"])
    assert status(new) == 200


def test_who_is_pushed_again_after_a_removal_inherits_nothing(idp, admin, person):
    _, program = made_by(admin, ownerId=person["id"])
    assert idp.request("DELETE", f"/Users/{person['id']}").status_code == 204
    again = idp.create_user(PERSON, externalId="p-1")
    assert admin.request("PUT", f"/users/{again['id']}/permissions", {"permissions": OWNER}).status_code == 200
    assert status(program) == 401


def test_a_token_planted_for_somebody_is_not_the_persons_who_comes(idp, admin, facts_of):
    """Somebody adds a person by hand and makes a token in their name; the identity provider says who it really is."""
    slug = idp.workspace.slug
    planted = facts_of("member", "add", "planted@corp.example", "--workspace", slug, "--owner")
    facts_of("member", "add", "other@corp.example", "--workspace", slug, "--owner")
    _, program = made_by(admin, ownerId=planted["id"])
    assert status(program) == 200
    (adopted,) = idp.find("/Users", 'userName eq "planted@corp.example"')
    real = {"schemas": [USER_URN], "userName": PERSON, "externalId": "p-1"}
    assert idp.request("PUT", f"/Users/{adopted['id']}", real).status_code == 200
    assert status(program) == 401


@pytest.mark.parametrize("name", [PERSON, "other@corp.example", "", "Person ", "'; --"])
def test_a_token_hangs_on_its_owner_and_not_on_any_name(idp, admin, person, name):
    made, program = made_by(admin, ownerId=person["id"], name=name or "t")
    assert admin.request("PATCH", f"/tokens/{made['id']}", {"name": "another"}).status_code == 200
    idp.patch(f"/Users/{person['id']}", {"op": "replace", "value": {"displayName": "Renamed", "nickName": "R"}})
    assert status(program) == 200
    idp.request("DELETE", f"/Users/{person['id']}")
    assert status(program) == 401


def test_what_the_owner_loses_the_token_loses_at_once(idp, admin, person):
    made, program = made_by(admin, ownerId=person["id"], permissions=OWNER)
    assert program.request("GET", "/users").status_code == 200
    shrunk = {"permissions": SOURCE_ADMIN}
    assert admin.request("PUT", f"/users/{person['id']}/permissions", shrunk).status_code == 200
    refused = program.request("GET", "/users")
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["data"]) == (403, {"action": "member.read"})
    assert program.request("POST", "/tokens", {"name": "t"}).status_code == 403
    assert status(program) == 200, "a member may still see the workspace"
    assert admin.request("PUT", f"/users/{person['id']}/permissions", {"permissions": OWNER}).status_code == 200
    assert program.request("GET", "/users").status_code == 200
    assert admin.get(f"/tokens/{made['id']}")["token"]["permissions"][0]["roleId"] == "workspace-owner"


def test_a_token_may_do_what_it_was_given_and_its_owner_may_do_and_no_more(idp, admin):
    user = idp.create_user(PERSON)
    group = idp.create_group("Editors", user["id"])
    sources = [
        {"type": "source", "id": name, "name": name, "labels": [f"environment:{label}"]}
        for name, label in (("a", "dev"), ("b", "prod"))
    ]
    assert admin.request("PUT", "/resources", {"resources": sources}).status_code == 200
    admin.request("POST", "/labels", {"label": {"key": "k", "value": "v"}})
    mapping = {"group": "Editors", "role": "source-admin", "labels": ["environment:dev"]}
    assert admin.request("POST", "/mappings", mapping).status_code == 201
    _, wide = made_by(admin, ownerId=user["id"], permissions=SOURCE_ADMIN)
    listed = [{"roleId": "source-admin", "resources": [{"type": "SOURCE", "id": "b"}]}]
    _, other = made_by(admin, ownerId=user["id"], permissions=listed)

    def labels(program):
        return [
            program.request(
                "POST", "/resources/labels", {"resources": [f"source:{name}"], "labels": ["k:v"]}
            ).status_code
            for name in "ab"
        ]

    assert labels(wide) == [200, 403]
    assert labels(other) == [403, 403]
    assert idp.patch(f"/Groups/{group['id']}", {"op": "remove", "path": "members"}).status_code in {200, 204}
    assert labels(wide) == [403, 403]


def test_only_owners_make_tokens_for_others_and_never_for_the_suspended(idp, admin, person):
    _, program = made_by(admin, ownerId=person["id"])
    user = idp.create_user("user@corp.example")["id"]
    made, _ = made_by(program, ownerId=user, permissions=SOURCE_ADMIN)
    assert made["ownerId"] == user
    own, _ = made_by(program)
    assert own["ownerId"] == person["id"]
    ownerless, _ = made_by(admin)
    assert ownerless["ownerId"] is None
    idp.patch(f"/Users/{user}", {"op": "replace", "path": "active", "value": False})
    refused = admin.request("POST", "/tokens", {"name": "t", "ownerId": user})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "ownerId")


def test_nobody_gives_a_token_what_its_owner_has_lost(idp, admin, person):
    """An owner's token, whose owner is demoted in the middle, gives nothing from then on."""
    _, program = made_by(admin, ownerId=person["id"])

    def make(_):
        return program.request("POST", "/tokens", {"name": "t", "permissions": OWNER}).status_code

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(make, n) for n in range(20)]
        demoted = admin.request("PUT", f"/users/{person['id']}/permissions", {"permissions": []})
        assert demoted.status_code == 200
        assert {one.result() for one in running} <= {201, 403}
    assert make(0) == 403
    with reading() as connection:
        mine = select(ApiToken.id).where(ApiToken.workspace_id == idp.workspace.id, ApiToken.parent_id.is_not(None))
        assert len(connection.execute(mine).all()) <= 20
