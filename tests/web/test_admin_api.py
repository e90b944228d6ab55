from __future__ import annotations

import re

import pytest
import requests
from sqlalchemy import update

from provisioning.database import transaction
from provisioning.sessions.models import Session
from provisioning.web import guard

SOURCE = {"type": "source", "id": "x", "name": "x"}
SOURCES = {
    "a": ["environment:prod", "product:car"],
    "b": ["environment:prod", "product:truck"],
    "c": ["environment:dev", "product:car"],
}


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


def errors(response: requests.Response) -> list[dict]:
    assert response.headers["Content-Type"] == "application/json"
    return response.json()["errors"]


def test_the_workspace_is_the_tokens_own(idp, admin):
    shown = admin.get("")["workspace"]
    assert (shown["slug"], shown["hipaaEligible"]) == (idp.workspace.slug, False)


def test_people_come_in_pages_with_a_cursor(idp, admin):
    for number in range(5):
        idp.create_user(f"p{number}@corp.example", displayName=f"P{number}")
    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get("/users", **{"pagination[count]": 2, "pagination[cursor]": cursor})
        seen += [user["name"] for user in page["users"]]
        assert page["pagination"]["totalEntries"] == 5
        cursor = page["pagination"].get("next")
    assert seen == [f"P{number}" for number in range(5)]


def test_groups_are_shown_with_who_is_in_them(idp, admin):
    user = idp.create_user("a@corp.example", displayName="A")
    group = idp.create_group("G", user["id"])
    (shown,) = admin.get("/groups")["userGroups"]
    assert (shown["id"], shown["name"], shown["linked"]) == (group["id"], "G", True)
    assert admin.get(f"/groups/{group['id']}/users")["users"] == [
        {"id": user["id"], "name": "A", "email": "a@corp.example"}
    ]


def test_a_mapping_gives_access_at_once_and_takes_it_back_at_once(idp, admin):
    user = idp.create_user("a@corp.example")
    group = idp.create_group("Data", user["id"])
    for key, value in (("product", "car"), ("product", "truck")):
        assert admin.request("POST", "/labels", {"label": {"key": key, "value": value}}).status_code == 201
    resources = [{"type": "source", "id": i, "name": i, "labels": labels} for i, labels in SOURCES.items()]
    assert admin.request("PUT", "/resources", {"resources": resources}).status_code == 200
    assert {r["id"]: r["labels"] for r in admin.get("/resources")["resources"]} == SOURCES
    wanted = {"group": "Data", "role": "source-admin", "labels": ["environment:prod", "product:truck"]}
    mapping = admin.request("POST", "/mappings", wanted).json()["data"]["mapping"]

    def roles() -> dict[str, list]:
        return {a["role"]: a["paths"] for a in admin.get(f"/users/{user['id']}/access")["access"]}

    assert roles()["source-admin"][0]["group"] == "Data"
    idp.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "displayName", "value": "Renamed"})
    assert roles()["source-admin"][0]["group"] == "Renamed"
    idp.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})
    assert roles() == {}
    idp.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": True}})
    assert set(roles()) == {"minimal-workspace-access", "source-admin"}
    assert admin.request("DELETE", f"/mappings/{mapping['id']}").status_code == 200
    assert set(roles()) == {"minimal-workspace-access"}


def test_a_group_that_takes_a_mapped_groups_old_name_gets_nothing(idp, admin):
    first, second = idp.create_user("a@corp.example"), idp.create_user("b@corp.example")
    mapped = idp.create_group("Admins", first["id"])
    admin.request("POST", "/mappings", {"group": "Admins", "role": "source-admin"})
    idp.patch(f"/Groups/{mapped['id']}", {"op": "replace", "path": "displayName", "value": "Old admins"})
    idp.create_group("Admins", second["id"])
    access = {
        who["userName"]: {a["role"] for a in admin.get(f"/users/{who['id']}/access")["access"]}
        for who in (first, second)
    }
    assert access == {
        "a@corp.example": {"minimal-workspace-access", "source-admin"},
        "b@corp.example": {"minimal-workspace-access"},
    }


def test_a_mapping_may_come_before_its_group_and_may_be_about_people(idp, admin):
    admin.request("POST", "/mappings", {"group": "Later", "role": "source-read-only"})
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    by_department = {"condition": f'{urn}:department eq "finance"', "about": "User", "role": "function-read-only"}
    assert admin.request("POST", "/mappings", by_department).status_code == 201
    user = idp.create_user("a@corp.example", **{urn: {"department": "Finance"}})
    idp.create_group("Later", user["id"])
    roles = {a["role"] for a in admin.get(f"/users/{user['id']}/access")["access"]}
    assert roles == {"minimal-workspace-access", "source-read-only", "function-read-only"}


def test_a_session_begun_by_an_admin_opens_that_workspace_alone(new_idp, new_admin, admin, idp):
    other = new_idp()
    for connection in (idp, other):
        connection.create_user("both@corp.example")
    begun = admin.request("POST", "/sessions", {"email": "both@corp.example"}).json()["data"]["session"]
    ask = {"token": begun["token"]}
    assert admin.request("POST", "/sessions/check", ask).json()["data"]["session"]["active"] is True
    elsewhere = new_admin(other.workspace.slug)
    unknown = elsewhere.request("POST", "/sessions/check", ask).json()["data"]["session"]
    assert (unknown["active"], unknown["reason"]) == (False, "unknown")
    assert elsewhere.get("/sessions")["sessions"] == []
    assert elsewhere.request("DELETE", f"/sessions/{begun['id']}").status_code == 404
    assert [s["id"] for s in admin.get("/sessions")["sessions"]] == [begun["id"]]
    assert admin.request("DELETE", f"/sessions/{begun['id']}").status_code == 200
    assert admin.request("POST", "/sessions/check", ask).json()["data"]["session"]["reason"] == "revoked"


def test_an_application_tells_where_the_person_is_and_owners_see_it(idp, admin):
    idp.create_user("a@corp.example")
    sent = {"email": "a@corp.example", "address": "192.0.2.7", "userAgent": "Browser/7"}
    assert admin.request("POST", "/sessions", sent).status_code == 201
    (shown,) = admin.get("/sessions")["sessions"]
    assert (shown["address"], shown["userAgent"], shown["connectionId"]) == ("192.0.2.7", "Browser/7", None)
    assert "idToken" not in shown
    refused = admin.request("POST", "/sessions", {**sent, "address": "nowhere"})
    assert (refused.status_code, len(admin.get("/sessions")["sessions"])) == (422, 1)


def test_an_application_that_asks_keeps_an_idle_session_alive_but_not_beyond_its_end(idp, admin, app):
    idp.create_user("a@corp.example")
    begun = admin.request("POST", "/sessions", {"email": "a@corp.example"}).json()["data"]["session"]

    def aged(**columns) -> dict:
        with transaction() as connection:
            connection.execute(update(Session).where(Session.id == begun["id"]).values(**columns))
        return admin.request("POST", "/sessions/check", {"token": begun["token"]}).json()["data"]["session"]

    before = aged(policy="standard")["expiresAt"]
    assert aged(policy="hipaa")["policy"] == "hipaa"
    assert aged(policy="hipaa")["expiresAt"] < before
    assert aged(policy="standard", last_seen_at="2020-01-01T00:00:00Z")["reason"] == "idle"


def test_a_token_does_what_its_policies_say_and_nothing_else(idp, new_admin):
    weak = new_admin(idp.workspace.slug, "workspace-member")
    assert weak.request("GET", "").status_code == 200
    for method, path in (("GET", "/users"), ("POST", "/mappings"), ("POST", "/sessions"), ("PUT", "/resources")):
        refused = weak.request(method, path, {})
        assert refused.status_code == 403
        (error,) = errors(refused)
        assert error["type"] == "not_allowed"
        assert "do not allow" in error["message"]


def test_an_id_of_another_workspace_is_not_found(new_idp, idp, admin):
    theirs = new_idp()
    user = theirs.create_user("a@corp.example")
    group = theirs.create_group("G", user["id"])
    paths = [f"/users/{user['id']}", f"/users/{user['id']}/access", f"/groups/{group['id']}/users"]
    for path in (*paths, "/users/01900000-0000-7000-8000-000000000000", "/users/nonsense", "/nothing"):
        refused = admin.request("GET", path)
        assert (refused.status_code, errors(refused)[0]["type"]) == (404, "not_found"), path


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/mappings", {"role": "source-admin"}, "condition"),
        ("POST", "/mappings", {"group": "G", "condition": 'id eq "x"', "role": "source-admin"}, "condition"),
        ("POST", "/mappings", {"condition": "displayName eq", "role": "source-admin"}, "condition"),
        ("POST", "/mappings", {"condition": 'nope eq "x"', "role": "source-admin"}, "condition"),
        ("POST", "/mappings", {"condition": 'id eq "x"', "role": "workspace-owner"}, "role"),
        ("POST", "/mappings", {"group": "G", "role": "source-admin", "more": 1}, "more"),
        ("POST", "/mappings", {"group": "G", "role": "source-admin", "labels": ["1:2"]}, "labels"),
        ("POST", "/mappings", {"group": "G", "role": "source-admin", "resources": ["source:none"]}, "resources"),
        ("POST", "/mappings", {"group": "G", "role": "source-admin", "resources": ["warehouse:w"]}, "resources"),
        ("POST", "/labels", {"label": {"key": "environment", "value": "dev"}}, "label"),
        ("PUT", "/resources", {"resources": [{"type": "planet", "id": "x", "name": "x"}]}, "type"),
        (
            "PUT",
            "/resources",
            {"resources": [{"type": "function", "id": "x", "name": "x", "labels": ["a:b"]}]},
            "labels",
        ),
        (
            "PUT",
            "/resources",
            {"resources": [{"type": "source", "id": "x", "name": "x", "labels": ["a:b", "a:c"]}]},
            "labels",
        ),
        (
            "PUT",
            "/resources",
            {"resources": [{"type": "source", "id": "x", "name": "x", "labels": ["no:such"]}]},
            "labels",
        ),
        ("GET", "/users?pagination[count]=0", None, "pagination[count]"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(idp, admin, method, path, body, field):
    refused = admin.request(method, path, body)
    assert refused.status_code in {400, 409, 422}, refused.text
    assert field in {error.get("field") for error in errors(refused)}
    assert admin.get("/mappings")["mappings"] == admin.get("/resources")["resources"] == []


def test_a_revoked_or_expired_token_is_nobody(idp, service, facts_of):
    slug = idp.workspace.slug
    made = facts_of("token", "create", "--workspace", slug, "--name", "t", "--role", "workspace-owner")
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert requests.get(f"{service.base_url}/api", headers=headers, timeout=10).status_code == 200
    facts_of("token", "revoke", made["id"], "--workspace", slug)
    refused = requests.get(f"{service.base_url}/api", headers=headers, timeout=10)
    assert (refused.status_code, errors(refused)[0]["type"]) == (401, "unauthenticated")


def test_every_route_declares_what_guards_it(app):
    assert guard.unguarded(app) == []
    app_rules = {rule.rule for rule in app.url_map.iter_rules()}

    def guarded(by):
        views = app.view_functions
        return {
            rule.rule
            for rule in app.url_map.iter_rules()
            if getattr(views[rule.endpoint], "_provisioning_guard", "") == by
        }

    assert guarded("client") == {"/oauth/token", "/oauth/introspect", "/oauth/revoke"}
    public = guarded("public")
    assert public == {
        "/health/live",
        "/health/ready",
        "/console/-/files/<string:name>",
        "/console/-/theme",
        "/sign-in/link",
        "/sign-in/link.js",
        "/sign-in",
        "/sign-in/back/<uuid:connection_id>",
        "/sign-in/back-channel/<uuid:connection_id>",
        "/sign-in/invitation",
        "/sign-in/invitation/look",
        "/sign-in/with/<uuid:connection_id>",
        "/sign-in/with/<uuid:connection_id>/keys",
        "/openapi.json",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/authzen-configuration",
        "/docs",
        "/api/tokens/reported-leak",
        "/docs/files/<string:name>",
    }
    assert public < app_rules


def test_the_openapi_document_describes_every_route_of_the_admin_api(app, service):
    document = requests.get(f"{service.base_url}/openapi.json", timeout=10).json()
    assert document["openapi"].startswith("3.1")
    described = {path.replace("{", "<").replace("}", ">") for path in document["paths"]}
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api")}
    assert {re.sub(r"<\w+:", "<", route) for route in routes} == described
