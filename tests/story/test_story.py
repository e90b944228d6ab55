"""The whole of it, end to end, as a company lives it."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import func, select

from provisioning.database import reading
from provisioning.sessions.models import Session
from provisioning.simulator import Plan, play
from tests.waiting import eventually


@pytest.fixture
def token_of(facts_of):
    def begin(email: str) -> dict:
        return facts_of("session", "create", "--email", email)

    return begin


def test_from_the_first_push_to_the_last_revocation(service, new_idp, new_admin, facts_of, token_of):
    idp, elsewhere = new_idp(), new_idp()
    slug = idp.workspace.slug

    # An Okta of 200 users and 10 groups arrives.
    report = play(Plan("okta", f"{service.base_url}/scim/v2", idp.token, users=200, groups=10, seed=7, rounds="full"))
    assert report.violations == []
    assert facts_of("member", "list", "--workspace", slug)["total"] == 200
    assert facts_of("group", "list", "--workspace", slug)["total"] == 10

    # An admin maps a group to Source Admin on a label.
    (group,) = [g for g in facts_of("group", "list", "--workspace", slug)["groups"] if g["display_name"] == "R&D"]
    made = facts_of(
        *("mapping", "create", "--workspace", slug, "--group", "R&D", "--role", "source-admin"),
        *("--label", "environment:prod", "--name", "R&D owns production"),
    )
    assert group["id"] in made["condition"]

    # A member of the group has access, with a reason; somebody else has none.
    inside = facts_of("group", "show", group["id"], "--workspace", slug)["members"][0]["id"]
    admin = new_admin(slug)
    (line,) = [a for a in admin.get(f"/users/{inside}/access")["access"] if a["role"] == "source-admin"]
    assert line["scope"] == {"kind": "labels", "labels": ["environment:prod"]}
    assert line["paths"] == [
        {
            "via": "mapping",
            "group": "R&D",
            "mapping": "R&D owns production",
            "condition": made["condition"],
            "policy": made["policies"][0]["id"],
        }
    ]
    email = idp.find("/Users", f'id eq "{inside}"')[0]["userName"]
    told = facts_of("member", "access", email, "--workspace", slug, "--why")
    assert "source-admin" in {a["role"] for a in told["access"]}

    # Members sign in, and so does somebody of another workspace, and an alias of a member.
    mine = [token_of(u["userName"]) for u in idp.find("/Users", 'userName sw "person1"')[:5]]
    assert {s["policy"] for s in mine} == {"standard"}
    alias = f"{email.split('@')[0]}+alias@corp.example"
    for name in (alias, "somebody@else.example"):
        elsewhere.create_user(name)
    others = [token_of(alias), token_of("somebody@else.example")]

    # The workspace becomes HIPAA-eligible: their checks fail at once.
    facts_of("workspace", "set-hipaa", slug, "on")
    for session in mine:
        checked = facts_of("session", "check", session["token"])
        assert (checked["active"], checked["reason"]) == (False, "revoked_hipaa_change")
        assert checked["workspace"] == slug

    # The worker revokes them within seconds; the others' live on.
    eventually(lambda: _ended(mine) == len(mine), within=15)
    assert [facts_of("session", "check", s["token"])["active"] for s in others] == [True, True]

    # New sessions have 15 minutes; deactivation by the identity provider ends the rest.
    email = idp.find("/Users", 'userName sw "person1"')[0]["userName"]
    again = token_of(email)
    assert again["policy"] == "hipaa"
    lasts = _seconds(again["expires_at"]) - _seconds(again["created_at"])
    assert abs(lasts - 900) < 1
    (user,) = idp.find("/Users", f'userName eq "{email}"')
    idp.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})
    assert facts_of("session", "check", again["token"])["reason"] == "suspended"
    assert [facts_of("session", "check", s["token"])["active"] for s in others] == [True, True]


def _ended(sessions: list[dict]) -> int:
    """How many of the sessions are marked as ended in the database itself."""
    with reading() as connection:
        ids = [s["id"] for s in sessions]
        marked = select(func.count()).where(Session.id.in_(ids), Session.ended_at.is_not(None))
        return connection.execute(marked).scalar_one()


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
