"""Every change of a HIPAA membership, through every door that can cause it, and what it does to sessions everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import USER_URN, Admin, Idp
from tests.sessions.playing import begin, begin_in, judge

pytestmark = pytest.mark.usefixtures("app")
IN, OUT = True, False
BULK_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@dataclass(frozen=True)
class Case:
    """A person in a plain workspace, and a clinic where something is about to happen to them."""

    clinic: Idp
    email: str
    member: dict[str, Any] | None
    admin: Admin
    facts_of: Callable[..., Any]

    def patch(self, *operations: dict[str, Any]) -> None:
        answer = self.clinic.patch(f"/Users/{self.member['id']}", *operations)
        assert answer.status_code in {200, 204}, answer.text

    def bulk(self, method: str, data: Any = None) -> None:
        path = "/Users" if method == "POST" else f"/Users/{self.member['id']}"
        operation = {"method": method, "path": path, "bulkId": "b1", **({} if data is None else {"data": data})}
        answer = self.clinic.request("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": [operation]})
        assert answer.json()["Operations"][0]["status"] in {"200", "201", "204"}, answer.text

    def user(self, *, active: bool, **attributes: Any) -> dict[str, Any]:
        return {"schemas": [USER_URN], "userName": self.email, "active": active, "externalId": "e1", **attributes}

    def put(self, *, active: bool) -> None:
        answer = self.clinic.request("PUT", f"/Users/{self.member['id']}", self.user(active=active))
        assert answer.status_code == 200, answer.text


def patched(*, active: bool) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "value": {"active": active}}],
    }


SPELLINGS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "without path": lambda on: {"op": "replace", "value": {"active": on}},
    "with path": lambda on: {"op": "replace", "path": "active", "value": on},
    "in capitals with text": lambda on: {"op": "Replace", "path": "active", "value": str(on)},
    "by add": lambda on: {"op": "add", "path": "active", "value": on},
    "by add without path": lambda on: {"op": "Add", "value": {"active": on}},
    "by the whole name": lambda on: {"op": "replace", "path": f"{USER_URN}:active", "value": on},
}
COMES_BACK = {f"PATCH {name}": (lambda case, op=op: case.patch(op(IN))) for name, op in SPELLINGS.items()} | {
    "PUT": lambda case: case.put(active=True),
    "POST of one who is suspended": lambda case: case.clinic.create_user(case.email, externalId="e1"),
    "Bulk PATCH": lambda case: case.bulk("PATCH", patched(active=True)),
    "Bulk PUT": lambda case: case.bulk("PUT", case.user(active=True)),
}
JOINS = {
    "POST": lambda case: case.clinic.create_user(case.email),
    "Bulk POST": lambda case: case.bulk("POST", case.user(active=True)),
    "member add": lambda case: case.facts_of("member", "add", case.email, "--workspace", case.clinic.workspace.slug),
}
GOES = {f"PATCH {name}": (lambda case, op=op: case.patch(op(OUT))) for name, op in SPELLINGS.items()} | {
    "PUT": lambda case: case.put(active=False),
    "Bulk PATCH": lambda case: case.bulk("PATCH", patched(active=False)),
    "Bulk PUT": lambda case: case.bulk("PUT", case.user(active=False)),
}
IS_REMOVED = {
    "DELETE": lambda case: case.clinic.request("DELETE", f"/Users/{case.member['id']}"),
    "Bulk DELETE": lambda case: case.bulk("DELETE"),
    "admin API": lambda case: case.admin.request("DELETE", f"/users?userIds={case.member['id']}"),
    "workspace delete": lambda case: case.facts_of("workspace", "delete", case.clinic.workspace.slug, "--yes"),
}
FLIPS = {
    "set-hipaa off": lambda case: case.facts_of("workspace", "set-hipaa", case.clinic.workspace.slug, "off"),
}
MATRIX = [
    *(("nobody", door, change, "revoked_hipaa_change", "hipaa") for door, change in JOINS.items()),
    *(("suspended", door, change, "revoked_hipaa_change", "hipaa") for door, change in COMES_BACK.items()),
    *(("active", door, change, "suspended", "standard") for door, change in GOES.items()),
    *(("active", door, change, "removed", "standard") for door, change in IS_REMOVED.items()),
    *(("active", door, change, "revoked_hipaa_change", "standard") for door, change in FLIPS.items()),
]


@pytest.mark.parametrize(
    ("before", "change", "reason", "policy"),
    [(before, *rest) for before, _, *rest in MATRIX],
    ids=[f"{before} - {door}" for before, door, *_ in MATRIX],
)
def test_every_change_of_a_hipaa_membership_ends_older_sessions_in_all_workspaces(
    new_idp, new_admin, facts_of, before, change, reason, policy
):
    plain, clinic = new_idp(), new_idp(hipaa=True)
    email = f"{plain.workspace.slug}@corp.example"
    plain.create_user(email)
    member = None
    if before != "nobody":
        member = clinic.create_user(email, externalId="e1", active=before == "active")
    case = Case(clinic, email, member, new_admin(clinic.workspace.slug), facts_of)
    reaching = plain.workspace.id
    sessions = [begin(email), begin_in(email, reaching)]
    if before == "active":
        sessions.append(begin_in(email, clinic.workspace.id))
    assert all(judge(session).active for session in sessions)
    change(case)
    judged = [judge(session) for session in sessions]
    assert {(verdict.active, verdict.reason, verdict.workspace) for verdict in judged} == {
        (False, reason, clinic.workspace.slug)
    }
    after = judge(begin(email))
    assert (after.active, after.policy) == (True, policy)
