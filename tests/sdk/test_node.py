"""Segment's own SDK for Node, unmodified, on the admin API: it takes the service for the vendor's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import node
from tests.letters import accept, secret_to

NODE = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def modules(pytestconfig) -> Path:
    """The SDK with what it needs."""
    return node.modules(pytestconfig, NODE, what="the vendor's SDK for Node")


@pytest.fixture
def play(modules, service):
    """Plays a scenario of `node/iam.js`; gives what each of its steps brought."""

    def run(scenario: str, token: str, **facts: Any) -> dict[str, Any]:
        environ = {
            "PATH": os.environ["PATH"],
            "NODE_PATH": str(modules),
            "SDK_BASE_URL": f"{service.base_url}/api",
            "SDK_TOKEN": token,
            "SDK_FACTS": json.dumps(facts),
        }
        command = ["node", str(NODE / "iam.js"), scenario]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own command
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def data(results: dict[str, Any], step: str, status: int = 200) -> Any:
    """What a step brought; it must have gone well."""
    assert results[step]["status"] == status, (step, results[step])
    return results[step]["data"]


def items(results: dict[str, Any], step: str) -> list[Any]:
    """What all pages of a list held; each must tell where it stands."""
    told = results[step]
    assert told["status"] == 200, {name: one for name, one in results.items() if name.startswith(step)}
    for pagination in told["paginations"]:
        assert pagination, (step, "no pagination")
        assert isinstance(pagination["current"], str)
        assert pagination["totalEntries"] == len(told["items"])
    assert [bool(pagination.get("next")) for pagination in told["paginations"]][-1] is False
    return told["items"]


def granted(permissions: Iterable[dict[str, Any]]) -> set[tuple[str, str, str, tuple[str, ...]]]:
    """Role, type, id and labels of each permission, without what everybody has."""
    found = set()
    for permission in permissions:
        assert permission["roleId"]
        for resource in permission["resources"]:
            labels = tuple(sorted(f"{label['key']}:{label['value']}" for label in resource.get("labels") or []))
            found.add((permission["roleName"], resource["type"], resource["id"], labels))
    return {one for one in found if one[0] != "Minimal Workspace Access"}


def refused(results: dict[str, Any], step: str, *statuses: int) -> dict[str, Any]:
    """The error of a step that had to be refused, in the vendor's shape."""
    told = results[step]
    assert told["status"] in statuses, (step, told)
    assert told["type"].split(";")[0] == "application/json", (step, told)
    assert told["errors"], (step, told)
    for error in told["errors"]:
        assert set(error) <= {"type", "message", "field", "data", "status"}, (step, error)
        assert error["type"]
        assert isinstance(error["type"], str)
        assert isinstance(error.get("message", ""), str)
        assert error.get("status", told["status"]) == told["status"]
    return told["errors"][0]


def test_the_lock_pins_everything_by_hash_and_names_no_registry():
    lock = json.loads((NODE / "package-lock.json").read_text())
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_people_and_their_groups_are_listed_page_by_page(idp, admin, people, play):
    made = {idp.create_group(name, people[0].id)["id"]: name for name in ("G1", "G2")}
    results = play("people", admin.token, user=people[0].id)
    workspace = data(results, "the workspace")["workspace"]
    assert workspace == {"id": str(idp.workspace.id), "slug": idp.workspace.slug, "name": idp.workspace.name}
    everyone = items(results, "everyone")
    assert results["everyone"]["sizes"] == [2, 2, 1]
    assert {(one["id"], one["email"], one["name"]) for one in everyone} == set(people)
    assert all(isinstance(one.get("permissions"), list) for one in everyone)
    assert data(results, "one")["user"] == everyone[0]
    assert results["groups of one"]["sizes"] == [1, 1]
    assert {one["id"]: one["name"] for one in items(results, "groups of one")} == made


def test_people_are_removed_together_and_the_others_stay(admin, people, play):
    first, second, *others = people
    results = play("removal", admin.token, users=[first.id, second.id])
    assert data(results, "removed") == {"status": "SUCCESS"}
    for gone in (first, second):
        refused(results, f"after: {gone.id}", 404)
    assert {one["id"] for one in items(results, "who is left")} == {one.id for one in others}


def test_permissions_are_added_and_replaced_and_are_the_access_that_people_have(idp, admin, people, source, play):
    direct, by_group, *_ = people
    group = idp.create_group("G", by_group.id)["id"]
    workspace = str(idp.workspace.id)
    results = play("permissions", admin.token, user=direct.id, group=group, source=source, workspace=workspace)
    label = ("Source Admin", "WORKSPACE", workspace, ("environment:prod",))
    listed = ("Source Read-only", "SOURCE", source, ())
    another = ("Function Read-only", "WORKSPACE", workspace, ())
    for subject, noun in (("user", "user"), ("group", "userGroup")):
        assert label in granted(data(results, f"{subject}: a label")["permissions"])
        assert listed in granted(data(results, f"{subject}: a list")["permissions"])
        assert granted(data(results, f"{subject}: both")[noun]["permissions"]) == {label, listed}
        assert granted(data(results, f"{subject}: none")["permissions"]) == set()
        assert granted(data(results, f"{subject}: shown with none")[noun]["permissions"]) == set()
        assert granted(data(results, f"{subject}: another")["permissions"]) == {another}
        assert granted(data(results, f"{subject}: shown with another")[noun]["permissions"]) == {another}
    for person in (direct, by_group):
        roles = {line["role"] for line in admin.get(f"/users/{person.id}/access")["access"]}
        assert "function-read-only" in roles
        assert not roles & {"source-admin", "source-read-only"}


def test_a_group_lives_from_its_name_to_its_end(admin, people, play):
    ann, bob, cid, *_ = people
    results = play("groups", admin.token, emails=[ann.email, bob.email, cid.email], cid=cid.id)

    def members(step: str) -> set[str]:
        return {one["email"] for one in data(results, step)["users"]}

    made = data(results, "created")["userGroup"]
    assert (made["name"], made["memberCount"]) == ("Analysts", 0)
    assert granted(made.get("permissions") or []) == set()
    assert data(results, "read")["userGroup"] == made
    assert data(results, "renamed")["userGroup"] == {**made, "name": "Data"}
    assert items(results, "all") == [{**made, "name": "Data"}]
    assert data(results, "two come")["userGroup"]["memberCount"] == 2
    assert results["two are in"]["sizes"] == [1, 1]
    assert {(one["id"], one["email"], one["name"]) for one in items(results, "two are in")} == {ann, bob}
    assert data(results, "one comes again")["userGroup"]["memberCount"] == 2
    assert data(results, "others instead")["userGroup"]["memberCount"] == 2
    assert members("others are in") == {bob.email, cid.email}
    assert data(results, "groups of one")["groups"] == [{"id": made["id"], "name": "Data"}]
    assert data(results, "one goes") == {"status": "SUCCESS"}
    assert members("one is in") == {cid.email}
    assert data(results, "no one instead")["userGroup"]["memberCount"] == 0
    assert members("no one is in") == set()
    assert data(results, "deleted") == {"status": "SUCCESS"}
    refused(results, "read again", 404)


def test_people_are_invited_come_into_groups_and_are_taken_back(service, idp, admin, source, play):
    ann, bob = (f"{name}@{idp.workspace.slug}.example" for name in ("ann", "bob"))
    results = play("invitations", admin.token, ann=ann, bob=bob, source=source, workspace=str(idp.workspace.id))
    assert data(results, "invited", 201) == {"emails": [ann, bob]}
    assert items(results, "all") == [ann, bob]
    assert results["all"]["sizes"] == [1, 1]
    assert data(results, "both come")["userGroup"]["memberCount"] == 0
    assert items(results, "both will be in") == [ann, bob]
    assert data(results, "no one is in")["users"] == []
    assert data(results, "one instead")["userGroup"]["memberCount"] == 0
    assert data(results, "one will be in")["emails"] == [ann]
    assert data(results, "one goes") == {"status": "SUCCESS"}
    assert data(results, "none will be in")["emails"] == []
    assert data(results, "taken back") == {"status": "SUCCESS"}
    assert refused(results, "taken back again", 404)["type"] == "not_found"
    assert data(results, "who is left")["invites"] == [ann]
    assert refused(results, "invited again", 409)["type"] == "conflict"
    workspace = str(idp.workspace.id)
    (one,) = admin.get("/invitations")["invitations"]
    assert granted(one["permissions"]) == {
        ("Source Admin", "WORKSPACE", workspace, ("environment:prod",)),
        ("Source Read-only", "SOURCE", source, ()),
    }
    assert accept(service, secret_to(service, ann)).status_code == 303
    (joined,) = admin.get("/users")["users"]
    assert granted(joined["permissions"]) == granted(one["permissions"])
    assert [group["name"] for group in admin.get(f"/users/{joined['id']}/groups")["groups"]] == ["Analysts"]


def test_roles_come_in_pages_and_say_what_they_are(admin, play):
    results = play("roles", admin.token)
    roles = items(results, "all")
    assert set(results["all"]["sizes"][:-1]) == {5}
    assert {"Workspace Owner", "Workspace Member", "Source Admin", "PII Access"} <= {one["name"] for one in roles}
    assert len({one["id"] for one in roles}) == len(roles)
    assert all(one["description"] for one in roles)


def test_labels_are_made_and_deleted(admin, play):
    results = play("labels", admin.token)

    def shown(step: str) -> set[str]:
        return {f"{one['key']}:{one['value']}" for one in data(results, step)["labels"]}

    born_with = {"environment:dev", "environment:prod"}
    assert shown("at first") == born_with
    made = data(results, "created", 201)["label"]
    assert made == {"key": "region", "value": "emea", "description": "Europe"}
    without = data(results, "created without a word", 201)["label"]
    assert (without["key"], without["value"], without.get("description")) == ("region", "apac", None)
    assert shown("then") == born_with | {"region:emea", "region:apac"}
    assert made in data(results, "then")["labels"]
    assert data(results, "deleted") == {"status": "SUCCESS"}
    refused(results, "deleted again", 404)
    assert shown("in the end") == born_with | {"region:apac"}


def test_the_audit_trail_tells_who_did_what_and_narrows_by_resource_type_and_time(admin, play):
    results = play("audit", admin.token)
    group = data(results, "a group")["userGroup"]["id"]
    everything, ours = items(results, "all"), items(results, "of the group")
    assert len({event["id"] for event in everything}) == len(everything)
    assert {event["id"] for event in ours} < {event["id"] for event in everything}
    assert len(ours) >= 2
    for event in everything:
        assert all(isinstance(event[name], str) for name in ("resourceId", "resourceName"))
        assert all(event[name] for name in ("id", "timestamp", "type", "actor", "resourceType"))
    assert {event["resourceId"] for event in ours} == {group}
    assert len({event["actor"] for event in ours}) == 1
    (kind,) = {event["resourceType"] for event in ours}
    of_its_type = items(results, "of its type")
    assert {event["id"] for event in ours} <= {event["id"] for event in of_its_type}
    assert {event["resourceType"] for event in of_its_type} == {kind}
    assert items(results, "of that time") == ours
    assert items(results, "of the future") == items(results, "of the past") == []


@pytest.mark.parametrize("where", ["nowhere", "another workspace", "not even an id"])
def test_what_is_not_there_is_not_found(new_idp, idp, admin, people, play, where):
    user = group = str(uuid4())
    if where == "another workspace":
        other = new_idp()
        user = other.create_user("a@corp.example")["id"]
        group = other.create_group("G", user)["id"]
    elif where == "not even an id":
        user = group = "a b/é"
    facts = {"user": user, "group": group, "email": people[0].email, "workspace": str(idp.workspace.id)}
    results = play("missing", admin.token, **facts)
    data(results, "the roles")
    steps = set(results) - {"the roles"}
    assert len(steps) == 17
    for step in steps:
        assert refused(results, step, 404)["type"] == "not_found", step
    if where == "another workspace":
        assert [one["userName"] for one in other.find("/Users", f'id eq "{user}"')] == ["a@corp.example"]


def test_what_is_wrong_is_refused_and_changes_nothing(new_idp, idp, admin, people, source, play):
    facts = {"user": people[0].id, "email": people[0].email, "source": source, "workspace": str(idp.workspace.id)}
    results = play("wrong", admin.token, stranger=str(new_idp().workspace.id), **facts)
    conflicts = {
        "createLabel: there already": {400, 409},
        "deleteLabel: in use": {409},
        "createInvites: a member": {409},
        "createInvites: twice": {409},
    }
    steps = {step for step in results if ": " in step}
    assert len(steps) > 50
    for step in sorted(steps - set(conflicts)):
        unknown = {404} if "unknown" in step or "stranger" in step or "another" in step else set()
        error = refused(results, step, 400, 422, *unknown)
        if "count" in step or "cursor" in step:
            assert ("cursor" if "cursor" in step else "count") in error["field"], (step, error)
    for step, statuses in conflicts.items():
        refused(results, step, *statuses)
    in_use = ("Source Admin", "WORKSPACE", str(idp.workspace.id), ("product:car",))
    assert granted(data(results, "the user")["user"]["permissions"]) == {in_use}
    group = data(results, "the group")["userGroup"]
    assert (group["name"], group["memberCount"], granted(group.get("permissions") or [])) == ("Analysts", 1, set())
    assert len(data(results, "the labels")["labels"]) == 3
    assert data(results, "the invited")["invites"] == []


def test_a_token_without_the_permission_is_refused_every_call(idp, new_admin, admin, people, play):
    group = idp.create_group("G", people[0].id)["id"]
    weak = new_admin(idp.workspace.slug, "workspace-member")
    facts = {"user": people[0].id, "group": group, "email": people[0].email, "workspace": str(idp.workspace.id)}
    results = play("forbidden", weak.token, **facts)
    assert data(results, "getWorkspace")["workspace"]["slug"] == idp.workspace.slug
    steps = set(results) - {"getWorkspace"}
    assert len(steps) == 26
    for step in steps:
        assert refused(results, step, 403)["type"] == "not_allowed", step
    assert len(admin.get("/users")["users"]) == len(people)
    assert [one["name"] for one in admin.get("/groups")["userGroups"]] == ["G"]
    assert admin.get("/invites")["invites"] == []


def test_a_token_that_nobody_knows_is_nobody(idp, people, play):
    facts = {"user": people[0].id, "group": people[0].id, "email": people[0].email, "workspace": str(idp.workspace.id)}
    results = play("forbidden", "nonsense", **facts)
    for step in results:
        assert refused(results, step, 401)["type"] == "unauthenticated", step
