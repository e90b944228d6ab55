"""What is ambiguous is read as the pinned dialect means it; what was learned advises, and decides nothing."""

from __future__ import annotations

import pytest

from tests.conftest import ENTERPRISE_URN, GROUP_URN, PATCH_URN
from tests.waiting import eventually


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def pin(idp, admin):
    """Sets the connection's dialect, as an admin does."""

    def to(dialect):
        answer = admin.request("PATCH", f"/connections/{idp.connection.id}", {"dialect": dialect})
        assert answer.status_code == 200, answer.text

    return to


@pytest.fixture
def advice(idp, admin):
    """What an admin is told about the connection, once something of it is."""

    def read(word):
        def told():
            return admin.get(f"/connections/{idp.connection.id}/check")["check"]["advice"]

        eventually(lambda: any(word in one for one in told()))
        return told()

    return read


@pytest.fixture
def notes(idp, admin):
    """The notes of the newest entry of the log that has the method, once it is there."""

    def read(method):
        def entries():
            log = admin.get(f"/connections/{idp.connection.id}/log")["entries"]
            return [entry for entry in log if entry["method"] == method]

        eventually(entries)
        return entries()[0]["notes"]

    return read


def emptied(name="G"):
    return {"schemas": [GROUP_URN], "displayName": name, "externalId": "g1"}


def members(idp, group):
    shown = idp.request("GET", f"/Groups/{group['id']}").json()
    return {member["value"] for member in shown.get("members", [])}


def test_a_replacement_without_members_empties_the_group_where_keycloak_is_pinned(idp, pin, notes):
    pin("keycloak")
    group = idp.create_group("G", idp.create_user("ann")["id"], idp.create_user("bob")["id"])
    for _ in range(2):
        assert idp.request("PUT", f"/Groups/{group['id']}", emptied("New")).status_code == 200
        assert members(idp, group) == set()
    assert "members_left_out" in notes("PUT")
    assert idp.request("GET", f"/Groups/{group['id']}").json()["displayName"] == "New"


@pytest.mark.parametrize("dialect", ["other", "authentik", "okta", "onelogin"])
def test_from_others_it_says_nothing_of_the_members(idp, pin, dialect):
    pin(dialect)
    ann = idp.create_user("ann")
    group = idp.create_group("G", ann["id"])
    assert idp.request("PUT", f"/Groups/{group['id']}", emptied()).status_code == 200
    assert members(idp, group) == {ann["id"]}


def test_who_only_sounds_like_keycloak_empties_nothing_and_the_admin_is_told(idp, admin, advice):
    ann = idp.create_user("ann")
    group = idp.create_group("G", ann["id"])
    heard = {"User-Agent": "Keycloak SCIM"}
    # The second one comes when it has been learned who speaks.
    for _ in range(2):
        assert idp.request("PUT", f"/Groups/{group['id']}", emptied(), headers=heard).status_code == 200
        assert members(idp, group) == {ann["id"]}
    told = advice("without naming members")
    assert "It sounds like keycloak, and is set to no dialect: set it to keycloak, if that is who speaks." in told
    (listed,) = admin.get("/connections")["connections"]
    assert (listed["dialect"], listed["learnedDialect"]) == ("other", "keycloak")


def test_in_a_bulk_request_too(idp, pin):
    pin("keycloak")
    group = idp.create_group("G", idp.create_user("ann")["id"])
    operation = {"method": "PUT", "path": f"/Groups/{group['id']}", "data": emptied()}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
    assert idp.request("POST", "/Bulk", body).json()["Operations"][0]["status"] == "200"
    assert members(idp, group) == set()


def test_a_person_who_is_replaced_without_a_state_keeps_it_in_every_dialect(idp, pin):
    ann = idp.create_user("ann", active=False)
    for dialect in ("keycloak", "other"):
        pin(dialect)
        body = {"schemas": ann["schemas"], "userName": "ann"}
        assert idp.request("PUT", f"/Users/{ann['id']}", body).json()["active"] is False


def test_an_empty_list_in_a_removal_removes_nobody_in_any_dialect(idp, pin):
    ann = idp.create_user("ann")
    group = idp.create_group("G", ann["id"])
    for dialect in ("keycloak", "entra", "other"):
        pin(dialect)
        assert idp.patch(f"/Groups/{group['id']}", {"op": "remove", "path": "members", "value": []}).ok
        assert members(idp, group) == {ann["id"]}


def test_both_of_entras_forms_may_meet_on_one_connection(idp, admin, advice):
    boss = idp.create_user("boss")
    ann = idp.create_user("ann@corp.example", active=True)
    other = idp.create_user("bob@corp.example")
    group = idp.create_group("G", ann["id"], other["id"])
    department = f"{ENTERPRISE_URN}:department"
    default = [
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": f"{ENTERPRISE_URN}:manager", "value": boss["id"]},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "ann@corp.example"},
    ]
    flagged = [
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "a@corp.example"},
        {"op": "replace", "value": {"active": True, "name.familyName": "Lovelace", department: "Maths"}},
    ]
    for operations in (default, flagged, default, flagged):
        answer = idp.request(
            "PATCH",
            f"/Users/{ann['id']}?aadOptscim062020",
            {"schemas": [PATCH_URN], "Operations": operations},
            headers={"User-Agent": ""},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["active"] is (operations is flagged)
    shown = idp.request("GET", f"/Users/{ann['id']}").json()
    assert shown["emails"] == [{"type": "work", "value": "a@corp.example"}]
    assert shown["name"]["familyName"] == "Lovelace"
    assert shown[ENTERPRISE_URN]["department"] == "Maths"
    assert shown[ENTERPRISE_URN]["manager"]["value"] == boss["id"]
    assert idp.patch(
        f"/Groups/{group['id']}", {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ann["id"]}]}
    ).ok
    assert members(idp, group) == {other["id"]}
    assert idp.patch(f"/Groups/{group['id']}", {"op": "remove", "path": f'members[value eq "{other["id"]}"]'}).ok
    assert members(idp, group) == set()
    assert "It sounds like entra, and is set to no dialect: set it to entra, if that is who speaks." in advice("entra")
    (listed,) = admin.get("/connections")["connections"]
    assert listed["learnedDialect"] == "entra"


def test_the_mail_nickname_as_external_id_is_told_with_what_to_map_instead(idp, admin, advice):
    for name in ("ann", "bob", "eve"):
        idp.create_user(f"{name}@corp.example", externalId=name)
    (told,) = [one for one in advice("object id") if "nickname" in one]
    assert "map the directory's object id to it" in told
    for name in ("ann", "bob", "eve"):
        (found,) = idp.find("/Users", f'externalId eq "{name}"')
        idp.patch(f"/Users/{found['id']}", {"op": "replace", "path": "externalId", "value": f"7f0c-{name}"})
    check = admin.get(f"/connections/{idp.connection.id}/check")["check"]
    assert [one for one in check["advice"] if "nickname" in one] == []


def test_a_pinned_dialect_that_is_the_one_heard_needs_no_advice(idp, pin, advice, admin):
    pin("okta")
    idp.request("GET", "/Users", headers={"User-Agent": "Okta SCIM Client 1.0.0"})
    eventually(lambda: admin.get("/connections")["connections"][0]["learnedDialect"] == "okta")
    assert admin.get(f"/connections/{idp.connection.id}/check")["check"]["advice"] == []
    pin("entra")
    assert advice("okta") == ["It sounds like okta, and is set to entra: set it to okta, if that is who speaks."]
