"""The label truth table, asked of every place that answers: the engine, the admin API and the command line.

Sources A{environment:prod, product:car}, B{environment:prod, product:truck}, C{environment:dev, product:car}.
"""

from __future__ import annotations

import pytest

from provisioning.access import facts
from provisioning.access.rules import decide
from provisioning.access.scopes import parse_reference
from provisioning.database import reading
from tests.access.worlds import ROLES

SOURCES = {
    "A": ["environment:prod", "product:car"],
    "B": ["environment:prod", "product:truck"],
    "C": ["environment:dev", "product:car"],
}
TABLE = [
    ([["environment:prod"]], "AB"),
    ([["environment:prod", "product:truck"]], "B"),
    ([["product:car"]], "AC"),
    ([["environment:prod", "product:truck"], ["environment:dev"]], "BC"),
    ([["environment:dev", "product:truck"]], ""),
    ([[]], "ABC"),
    ([["environment:prod"], ["product:car"]], "ABC"),
]


@pytest.fixture
def admin(idp, new_admin):
    made = new_admin(idp.workspace.slug)
    for key, value in (("product", "car"), ("product", "truck")):
        assert made.request("POST", "/labels", {"label": {"key": key, "value": value}}).status_code == 201
    told = [{"type": "source", "id": name, "name": name, "labels": carried} for name, carried in SOURCES.items()]
    assert made.request("PUT", "/resources", {"resources": told}).status_code == 200
    return made


def permissions(workspace_id, grants):
    def whole(labels):
        parts = [dict(zip(("key", "value"), label.split(":"), strict=True)) for label in labels]
        return [{"id": str(workspace_id), "type": "WORKSPACE", "labels": parts}]

    return {"permissions": [{"roleId": "source-admin", "resources": whole(labels)} for labels in grants]}


@pytest.mark.parametrize("subject", ["users", "groups"])
@pytest.mark.parametrize(("grants", "reached"), TABLE, ids=str)
def test_labels_are_anded_within_a_grant_and_grants_are_united(idp, admin, facts_of, subject, grants, reached):
    user = idp.create_user(f"a@{idp.workspace.slug}.example")
    to = user if subject == "users" else idp.create_group("G", user["id"])
    given = admin.request("PUT", f"/{subject}/{to['id']}/permissions", permissions(idp.workspace.id, grants))
    assert given.status_code == 200, given.text
    by_engine, by_api, by_command = set(), set(), set()
    for name in SOURCES:
        with reading() as connection:
            case = facts.of_member(
                connection,
                workspace_id=idp.workspace.id,
                member_id=user["id"],
                catalogue=ROLES,
                on=parse_reference(f"source:{name}"),
            )
        by_engine |= {name} if decide(case.facts, "source.update", case.resource).allowed else set()
        asked = {"action": "source.update", "resource": f"source:{name}"}
        by_api |= {name} if admin.get("/access/who-can", **asked)["users"] else set()
        told = facts_of("who-can", "source.update", f"source:{name}", "--workspace", idp.workspace.slug)
        by_command |= {name} if told["users"] else set()
    assert by_engine == by_api == by_command == set(reached)
