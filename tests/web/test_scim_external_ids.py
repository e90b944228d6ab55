"""An externalId belongs to the connection that gave it (RFC 7643, section 3.1): two of them may know one person."""

from __future__ import annotations

import pytest

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import connections
from tests.conftest import TEST, Idp


@pytest.fixture
def other(idp, app):
    """A second identity provider of the same workspace."""
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        made = connections.create(
            database, workspace_id=idp.workspace.id, name="other", dialect="other", digest=secret.digest, by=TEST
        )
    return Idp(idp.base_url, secret.text, idp.workspace, made)


def test_each_sees_and_finds_its_own(idp, other):
    made = idp.create_user("ann@corp.example", externalId="okta-1")
    path = f"/Users/{made['id']}"
    assert "externalId" not in other.request("GET", path).json()
    assert other.find("/Users", 'externalId eq "okta-1"') == []
    assert other.find("/Users", "externalId pr") == []
    told = other.patch(path, {"op": "add", "path": "externalId", "value": "entra-1"}).json()
    assert told["externalId"] == "entra-1"
    assert idp.request("GET", path).json()["externalId"] == "okta-1"
    assert [user["id"] for user in idp.find("/Users", 'externalId eq "okta-1"')] == [made["id"]]
    assert [user["id"] for user in other.find("/Users", 'externalId eq "entra-1"')] == [made["id"]]
    assert other.find("/Users", 'externalId sw "okta"') == []


def test_a_replacement_by_one_leaves_the_others_alone(idp, other):
    made = idp.create_user("ann@corp.example", externalId="okta-1")
    body = {"schemas": made["schemas"], "userName": "ann@corp.example", "externalId": "entra-1"}
    before = made["meta"]["version"]
    path = f"/Users/{made['id']}"
    assert other.request("PUT", path, body).json()["meta"]["version"] != before
    del body["externalId"]
    assert "externalId" not in other.request("PUT", path, body).json()
    assert idp.request("GET", path).json()["externalId"] == "okta-1"
    same = idp.request("GET", path).json()
    assert idp.request("PUT", path, {**body, "externalId": "okta-1"}).json()["meta"] == same["meta"]


def test_a_suspended_person_is_restored_by_their_own_connections_id_alone(idp, other):
    made = idp.create_user("ann@corp.example", externalId="1")
    other.create_user("bob@corp.example", externalId="2")
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
    body = {"schemas": made["schemas"], "userName": "ann2@corp.example", "externalId": "1"}
    assert other.request("POST", "/Users", body).json()["id"] != made["id"]
    restored = idp.request("POST", "/Users", {**body, "userName": "ann@corp.example"})
    assert (restored.status_code, restored.json()["id"], restored.json()["active"]) == (201, made["id"], True)


def test_groups_belong_to_one_connection_with_their_id(idp, other):
    made = idp.create_group("G", externalId="g")
    assert other.find("/Groups", 'externalId eq "g"') == []
    assert other.request("GET", f"/Groups/{made['id']}").status_code == 404
    assert [group["id"] for group in idp.find("/Groups", 'externalId eq "g"')] == [made["id"]]


def test_case_counts(idp):
    idp.create_user("ann", externalId="Ab")
    assert idp.find("/Users", 'externalId eq "ab"') == []
    assert len(idp.find("/Users", 'externalId eq "Ab"')) == 1


@pytest.mark.parametrize("blank", ["", "  "])
def test_people_without_one_are_not_taken_for_one_another_where_it_is_sent_blank(idp, blank):
    ann = idp.create_user("ann", externalId=blank)
    group = idp.create_group("G", ann["id"])
    idp.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "active", "value": False})
    carl = idp.create_user("carl", externalId=blank)
    assert carl["id"] != ann["id"]
    assert "externalId" not in carl
    assert idp.request("GET", f"/Users/{carl['id']}").json().get("groups", []) == []
    assert idp.request("GET", f"/Users/{ann['id']}").json()["userName"] == "ann"
    for operation in (
        {"op": "replace", "path": "externalId", "value": blank},
        {"op": "replace", "value": {"externalId": blank}},
        {"op": "add", "value": {"externalId": blank}},
    ):
        answer = idp.patch(f"/Users/{carl['id']}", operation)
        assert (answer.status_code, answer.json().get("externalId")) == (200, None), answer.text
    assert [one["value"] for one in idp.request("GET", f"/Groups/{group['id']}").json()["members"]] == [ann["id"]]
