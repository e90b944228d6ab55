"""One tenant never sees another: by any id, in any place of a request, at any door of the admin API."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest

from tests.conftest import ENTERPRISE_URN
from tests.web.oauth import new_key

SOURCE = {"type": "source", "id": "theirs", "name": "theirs"}
WHOLE = [{"type": "WORKSPACE"}]
BODIES = {
    "PATCH /api/users/<uuid:user_id>": {"protected": True},
    "PUT /api/connections/<uuid:connection_id>/sign-in": {"issuer": "https://idp.example", "clientId": "x"},
    "permissions": {"permissions": [{"roleId": "source-admin", "resources": WHOLE}]},
    "users": {"emails": []},
    "groups": {"name": "x"},
    "mappings": {"name": "x"},
    "connections": {"paused": True},
    "tokens": {"name": "x"},
    "rotate": {},
    "held-changes": {"confirmed": True},
    "keys": {"key": new_key().as_dict(private=False)},
    "credentials": {},
    "secrets": None,
    "replay": {"since": "2026-01-01T00:00:00Z"},
}


@pytest.fixture
def theirs(new_idp, new_admin, facts_of):
    """Another workspace with one of everything."""
    other = new_idp()
    admin = new_admin(other.workspace.slug)
    user = other.create_user("a@corp.example", displayName="Theirs")
    group = other.create_group("Theirs", user["id"])
    admin.request("PUT", "/resources", {"resources": [SOURCE]})
    own = {"id": "theirs", "name": "Theirs", "actions": ["source.read"]}
    assert admin.request("POST", "/roles", own).status_code == 201
    mapping = admin.request("POST", "/mappings", {"group": "Theirs", "role": "source-admin"}).json()["data"]["mapping"]
    client = admin.request("POST", "/oauth-clients", {"name": "theirs"}).json()["data"]["client"]
    sent = {"key": new_key().as_dict(private=False)}
    key = admin.request("POST", f"/oauth-clients/{client['id']}/keys", sent).json()["data"]["key"]
    session = admin.request("POST", "/sessions", {"email": "a@corp.example"}).json()["data"]["session"]
    invited = {"invites": [{"email": "invited@corp.example"}]}
    assert admin.request("POST", "/invites", invited).status_code == 201
    (invitation,) = admin.get("/invitations")["invitations"]
    wish = {"userId": user["id"], "role": "pii-access", "reason": "r"}
    request = admin.request("POST", "/access-requests", wish).json()["data"]["accessRequest"]
    told = admin.request(
        "POST", "/forwarding-endpoints", {"url": "https://siem.example/", "events": ["workspace.deleted"]}
    )
    endpoint = told.json()["data"]["endpoint"]
    slug = other.workspace.slug
    facts_of("workspace", "set-owners-by-mapping", slug, "on")
    owners = facts_of("mapping", "create", "--workspace", slug, "--group", "Theirs", "--role", "workspace-owner")
    ids = {
        "proposal_id": owners["waiting_proposal"],
        "invitation_id": invitation["id"],
        "request_id": request["id"],
        "user_id": user["id"],
        "group_id": group["id"],
        "mapping_id": mapping["id"],
        "policy_id": mapping["policies"][0]["id"],
        "session_id": session["id"],
        "token_id": admin.request("POST", "/tokens", {"name": "t"}).json()["data"]["token"]["id"],
        "connection_id": str(other.connection.id),
        "client_id": client["id"],
        "secret_id": client["secrets"][0]["id"],
        "key_id": key["id"],
        "endpoint_id": endpoint["id"],
    }
    return other, admin, ids


def routes(app):
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api") and "<uuid:" in rule.rule:
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, rule.rule


def test_an_id_of_another_workspace_is_as_unknown_as_one_that_nobody_has(app, new_admin, idp, theirs):
    _, their_admin, ids = theirs
    admin = new_admin(idp.workspace.slug)
    listed = ("/users", "/groups", "/mappings", "/connections", "/invites", "/oauth-clients", "/forwarding-endpoints")
    before = {path: their_admin.get(path) for path in listed}
    asked = 0
    for method, rule in routes(app):
        names = re.findall(r"<uuid:(\w+)>", rule)
        body = BODIES.get(f"{method} {rule}") or next(
            (BODIES[word] for word in reversed(rule.split("/")) if word in BODIES), {}
        )
        answers = []
        for found in (ids, {name: str(uuid4()) for name in names}):
            path = re.sub(r"<uuid:(\w+)>", lambda m, found=found: found.get(m[1], str(uuid4())), rule)
            params = {"emails": "a@corp.example"} if method == "DELETE" else None
            answer = admin.request(method, path.removeprefix("/api"), body, params=params)
            answers.append((answer.status_code, re.sub(r"[0-9a-f-]{36}", "ID", answer.text)))
        assert answers[0] == answers[1], (method, rule)
        assert answers[0][0] == 404, (method, rule, answers[0])
        asked += 1
    assert asked > 20
    assert {path: their_admin.get(path) for path in before} == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/users/{mine}/permissions", {"permissions": [{"roleId": "theirs", "resources": WHOLE}]}),
        (
            "PUT",
            "/users/{mine}/permissions",
            {"permissions": [{"roleId": "source-admin", "resources": [{"type": "SOURCE", "id": "theirs"}]}]},
        ),
        (
            "PUT",
            "/users/{mine}/permissions",
            {"permissions": [{"roleId": "source-admin", "resources": [{"type": "WORKSPACE", "id": "{workspace}"}]}]},
        ),
        ("POST", "/mappings", {"group": "Mine", "role": "theirs"}),
        ("POST", "/mappings", {"group": "Mine", "role": "source-admin", "resources": ["source:theirs"]}),
        ("POST", "/mappings", {"group": "Mine", "role": "source-admin", "labels": ["tier:theirs"]}),
        ("PUT", "/mappings/order", {"mappings": ["{mapping}"]}),
        ("POST", "/resources/labels", {"resources": ["source:theirs"], "labels": ["environment:dev"]}),
        ("DELETE", "/resources", {"resources": ["source:theirs"]}),
        ("POST", "/groups/{local}/users", {"emails": ["a@corp.example"]}),
        ("DELETE", "/roles/theirs", None),
        ("DELETE", "/labels/tier/theirs", None),
    ],
)
def test_what_is_anothers_cannot_be_named_in_a_request(idp, new_admin, theirs, method, path, body):
    other, their_admin, ids = theirs
    their_admin.request("POST", "/labels", {"label": {"key": "tier", "value": "theirs"}})
    admin = new_admin(idp.workspace.slug)
    mine = idp.create_user("mine@corp.example")["id"]
    local = admin.request("POST", "/groups", {"name": "Local"}).json()["data"]["userGroup"]["id"]
    named = {"mine": mine, "local": local, "mapping": ids["mapping_id"], "workspace": str(other.workspace.id)}

    def filled(part):
        if isinstance(part, dict):
            return {name: filled(value) for name, value in part.items()}
        if isinstance(part, list):
            return [filled(value) for value in part]
        return part.format(**named) if isinstance(part, str) else part

    refused = admin.request(method, path.format(**named), filled(body))
    assert refused.status_code in {404, 422}, refused.text
    assert admin.get("/mappings")["mappings"] == []
    assert admin.get(f"/users/{mine}")["user"]["permissions"] == []
    assert [r["labels"] for r in their_admin.get("/resources")["resources"]] == [[]]


def test_a_condition_about_anothers_group_or_people_means_nobody(idp, new_admin, theirs):
    _, _, ids = theirs
    admin = new_admin(idp.workspace.slug)
    mine = idp.create_user("mine@corp.example")["id"]
    idp.create_group("Mine", mine)
    for about, condition in (
        ("Group", f'id eq "{ids["group_id"]}"'),
        ("Group", 'displayName eq "Theirs"'),
        ("User", f'id eq "{ids["user_id"]}"'),
        ("User", f'groups[value eq "{ids["group_id"]}"]'),
        ("User", f'{ENTERPRISE_URN}:manager.value eq "{ids["user_id"]}"'),
    ):
        written = {"condition": condition, "about": about, "role": "source-admin"}
        assert admin.request("POST", "/mappings", written).status_code == 201
    assert admin.get("/access/who-can", action="source.update")["users"] == []


def test_one_person_in_ten_workspaces_is_ten_members(new_idp, new_admin):
    everywhere = [new_idp() for _ in range(10)]
    ids = []
    for number, idp in enumerate(everywhere):
        ids.append(idp.create_user("same@corp.example", displayName=f"Name {number}")["id"])
    everywhere[3].patch(f"/Users/{ids[3]}", {"op": "replace", "value": {"active": False}})
    everywhere[5].request("DELETE", f"/Users/{ids[5]}")
    shown = {}
    for number, idp in enumerate(everywhere):
        users = new_admin(idp.workspace.slug).get("/users")["users"]
        shown[number] = [(user["name"], user["active"]) for user in users]
    assert shown == {n: [] if n == 5 else [(f"Name {n}", n != 3)] for n in range(10)}
    assert len(set(map(UUID, ids))) == 10
