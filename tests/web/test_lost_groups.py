"""Groups that identity providers take back, or that are detached: nothing is given by a recycled name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, update

from provisioning.access import dormant
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import connections
from provisioning.directory.models import LostGroup
from tests.conftest import TEST, Idp

WHOLE = [{"type": "WORKSPACE"}]
LEAST = {"minimal-workspace-access"}
READ_ONLY = {"permissions": [{"roleId": "source-read-only", "resources": WHOLE}]}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def user(idp):
    return idp.create_user("a@corp.example")["id"]


@pytest.fixture
def mapping(idp, admin, user):
    """A mapping bound to a group that was pushed, and taken back."""
    group = idp.create_group("Admins", user, externalId="x-1")
    made = admin.request("POST", "/mappings", {"group": "Admins", "role": "source-admin"}).json()["data"]["mapping"]
    assert (made["state"], roles(admin, user)) == ("active", {*LEAST, "source-admin"})
    assert idp.request("DELETE", f"/Groups/{group['id']}").status_code == 204
    return f"/mappings/{made['id']}"


def roles(admin, user_id):
    return {line["role"] for line in admin.get(f"/users/{user_id}/access")["access"]}


def second_connection(idp) -> Idp:
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        made = connections.create(
            database, workspace_id=idp.workspace.id, name="other", dialect="other", digest=secret.digest, by=TEST
        )
    return Idp(idp.base_url, secret.text, idp.workspace, made)


def test_a_mapping_whose_group_is_taken_back_is_dormant_and_told_so(idp, admin, user, mapping):
    shown = admin.get(mapping)["mapping"]
    assert (shown["state"], shown["enabled"]) == ("dormant", True)
    assert shown["dormantSince"] is not None
    lost = shown["lostGroup"]
    assert (lost["name"], lost["externalId"], lost["connection"]) == ("Admins", "x-1", "idp")
    assert admin.get("/mappings")["mappings"] == [shown]
    assert roles(admin, user) == LEAST


@pytest.mark.parametrize("external_id", [None, "x-2", "X-1", "x-1 "])
def test_a_group_of_the_old_name_gives_nothing_and_is_never_bound(idp, admin, user, mapping, external_id):
    idp.create_group("Admins", user, **({} if external_id is None else {"externalId": external_id}))
    refused = admin.request("POST", f"{mapping}/rebind")
    assert (refused.status_code, "no group" in refused.json()["errors"][0]["message"]) == (409, True)
    assert roles(admin, user) == LEAST


def test_another_connection_never_brings_a_group_back(idp, admin, user, mapping):
    second_connection(idp).create_group("Admins", user, externalId="x-1")
    refused = admin.request("POST", f"{mapping}/rebind")
    assert (refused.status_code, refused.json()["errors"][0]["data"]) == (409, {"connection": "idp"})
    assert roles(admin, user) == LEAST


def test_the_same_external_id_of_the_same_connection_is_bound_when_an_admin_says_so(idp, admin, user, mapping):
    back = idp.create_group("Administrators", user, externalId="x-1")
    assert roles(admin, user) == LEAST
    told = admin.request("POST", f"{mapping}/rebind", params={"dryRun": "true"}).json()["data"]["preview"]
    assert [(line["userId"], line["change"]) for line in told["changes"]] == [(user, "gains")]
    assert roles(admin, user) == LEAST
    bound = admin.request("POST", f"{mapping}/rebind").json()["data"]["mapping"]
    assert (bound["state"], bound["condition"]) == ("active", f'id eq "{back["id"]}"')
    assert roles(admin, user) == {*LEAST, "source-admin"}
    again = admin.request("POST", f"{mapping}/rebind")
    assert (again.status_code, again.json()["errors"][0]["message"]) == (409, "This mapping is not dormant.")


def test_a_group_without_an_external_id_is_not_known_again(idp, admin, user, facts_of, command):
    group = idp.create_group("Admins", user)
    made = facts_of("mapping", "create", "--workspace", idp.workspace.slug, "--group", "Admins", "--role", "pii-access")
    idp.request("DELETE", f"/Groups/{group['id']}")
    idp.create_group("Admins", user)
    refused = command("mapping", "rebind", made["id"], "--workspace", idp.workspace.slug)
    assert refused.returncode == 1
    assert "no externalId" in refused.stderr
    (listed,) = facts_of("mapping", "list", "--workspace", idp.workspace.slug)["mappings"]
    assert (listed["state"], listed["lost_group"]) == ("dormant", {"name": "Admins", "external_id": None})


def test_what_waits_for_a_quarter_is_swept(idp, admin, mapping, app):
    with transaction() as connection:
        dormant.forget(connection, most=1000, by=TEST)
    assert admin.get(mapping)["mapping"]["state"] == "dormant"
    past = func.clock_timestamp() - (dormant.KEPT + timedelta(hours=1))
    with transaction() as connection:
        connection.execute(update(LostGroup).where(LostGroup.workspace_id == idp.workspace.id).values(lost_at=past))
        dormant.forget(connection, most=1000, by=TEST)
    assert admin.get("/mappings")["mappings"] == []
    assert "mapping.deleted" in {event["type"] for event in admin.get("/audit-events")["events"]}


def test_a_detached_group_is_a_local_one_and_keeps_who_is_in_it_and_what_it_gives(idp, admin, user):
    group = idp.create_group("Admins", user, externalId="x-1")
    path, theirs = f"/groups/{group['id']}", f"/Groups/{group['id']}"
    assert admin.request("PUT", f"{path}/permissions", READ_ONLY).status_code == 200
    made = admin.request("POST", "/mappings", {"group": "Admins", "role": "source-admin"}).json()["data"]["mapping"]
    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        refused = admin.request(method, path, body)
        assert (refused.status_code, refused.json()["errors"][0]["data"]["connection"]) == (409, "idp")
    told = admin.request("POST", f"{path}/detach", params={"dryRun": "true"}).json()["data"]["preview"]
    assert [(line["change"], line["roleId"]) for line in told["changes"]] == [("loses", "source-admin")]
    assert idp.request("GET", theirs).status_code == 200
    detached = admin.request("POST", f"{path}/detach").json()["data"]["userGroup"]
    assert (detached["linked"], detached["memberCount"]) == (False, 1)
    assert roles(admin, user) == {*LEAST, "source-read-only"}
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"displayName": "Admins"})):
        assert idp.request(method, theirs, body).status_code == 404
    assert idp.find("/Groups", 'externalId eq "x-1"') == []
    assert admin.request("PATCH", path, {"name": "Mine"}).status_code == 200
    assert admin.request("POST", f"{path}/detach").status_code == 409
    # What is pushed under its name is another group, and the mapping waits for an admin's word.
    other = idp.create_user("b@corp.example")["id"]
    pushed = idp.create_group("Admins", other, externalId="x-1")
    assert pushed["id"] != group["id"]
    assert roles(admin, other) == LEAST
    assert admin.get(f"/mappings/{made['id']}")["mapping"]["state"] == "dormant"
    assert admin.request("POST", f"/mappings/{made['id']}/rebind").status_code == 200
    assert roles(admin, other) == {*LEAST, "source-admin"}
    assert roles(admin, user) == {*LEAST, "source-read-only"}


def test_a_group_is_not_detached_onto_a_local_ones_name(idp, admin, user, facts_of):
    assert admin.request("POST", "/groups", {"name": "admins"}).status_code == 200
    group = idp.create_group("Admins", user)
    refused = admin.request("POST", f"/groups/{group['id']}/detach")
    assert (refused.status_code, "rename it first" in refused.json()["errors"][0]["message"]) == (409, True)
    assert idp.request("GET", f"/Groups/{group['id']}").status_code == 200
    idp.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "displayName", "value": "Mine"})
    shown = facts_of("group", "detach", "Mine", "--workspace", idp.workspace.slug)
    assert (shown["id"], shown["linked"]) == (group["id"], False)


def test_a_group_of_another_workspace_is_not_there_to_be_detached(idp, new_idp, admin):
    foreign = new_idp().create_group("G")
    assert admin.request("POST", f"/groups/{foreign['id']}/detach").status_code == 404
