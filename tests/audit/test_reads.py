"""Who was told of access, sessions and the trail is in the trail: of HIPAA-eligible workspaces by default."""

from __future__ import annotations

import orjson
import pytest

from provisioning.audit import reads
from provisioning.audit.reads import AnswerGiven, Recorded
from provisioning.database import transaction
from tests.conftest import TEST
from tests.console import owner_of


@pytest.fixture
def hipaa(idp, command):
    """A workspace whose answers are recorded, and an admin of it."""
    command("workspace", "set-hipaa", idp.workspace.slug, "on")
    return idp


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def read(idp, admin):
    """What was read so far, oldest first: about what, of whom, and what was asked."""

    def told():
        lines = admin.request("GET", "/audit-events/export?format=ndjson").text.splitlines()
        facts = [orjson.loads(line) for line in lines]
        return [
            (fact["actor_kind"], fact["subject"], fact["payload"]["asked"])
            for fact in facts
            if fact["name"] == AnswerGiven.name
        ]

    return told


def test_what_admins_and_the_operator_are_told_is_recorded_before_they_are(hipaa, admin, read, command):
    person = hipaa.create_user("ann@corp.example")["id"]
    slug = hipaa.workspace.slug
    assert admin.request("GET", f"/users/{person}/access").status_code == 200
    assert admin.request("GET", "/access/who-can?action=source.update&pagination[count]=5").status_code == 200
    assert admin.request("GET", "/access/export").status_code == 200
    assert admin.request("GET", "/sessions").status_code == 200
    assert admin.request("GET", "/audit-events").status_code == 200
    assert admin.request("GET", "/work").status_code == 200
    assert admin.request("DELETE", f"/users?userIds={person}&dryRun=true").status_code == 200
    command("member", "access", "ann@corp.example", "--workspace", slug)
    command("who-can", "source.update", "--workspace", slug)
    command("member", "export", "--workspace", slug)
    command("session", "list", "--workspace", slug)
    assert read() == [
        ("token", f"access:{person}", {}),
        ("token", "access:all", {"action": "source.update", "pagination[count]": "5"}),
        ("token", "access:all", {}),
        ("token", "sessions:all", {}),
        ("token", "trail:all", {}),
        ("token", "trail:all", {}),
        ("token", "access:all", {"preview": "DELETE /api/users"}),
        ("operator", f"access:{person}", {}),
        ("operator", "access:all", {"action": "source.update"}),
        ("operator", "access:all", {}),
        ("operator", "sessions:all", {}),
        ("token", "trail:all", {"format": "ndjson"}),
    ]


def test_what_the_console_shows_is_recorded_too(hipaa, read):
    owner, person = owner_of(hipaa), hipaa.create_user("ann@corp.example")["id"]
    for path in ("", "/sessions", "/history"):
        assert owner.get(f"/people/{person}{path}").status_code == 200, path
    detaching = f"/groups/{hipaa.create_group('R&D', person)['id']}/detach"
    asked = owner.get(detaching)
    before = read()
    assert (asked.status_code, owner.numbers(asked).status_code) == (200, 200)
    assert len(read()) == len(before) + 2, "the numbers are told once, and so is the trail"
    preview = {"preview": f"POST {owner.address(detaching)}/numbers"}
    told = [("access", {}), ("sessions", {}), ("trail", {}), ("access", preview)]
    assert [fact for fact in read() if fact[0] == "person"] == [
        ("person", f"{about}:{'all' if asked else person}", asked) for about, asked in told
    ]


def test_a_refused_question_has_no_answer_to_record(hipaa, admin, read):
    assert admin.request("GET", "/users/00000000-0000-0000-0000-000000000000/access").status_code == 404
    assert [subject for _, subject, _ in read()] == ["trail:all"]


def test_nothing_is_recorded_of_other_workspaces(idp, admin, read):
    assert admin.request("GET", "/access/export").status_code == 200
    assert read() == []


@pytest.mark.parametrize(("recorded", "count"), [(Recorded.NONE, 0), (Recorded.HIPAA, 0), (Recorded.ALL, 1)])
def test_the_setting_says_of_which(idp, read, recorded, count):
    with transaction() as connection:
        where = {"workspace_id": idp.workspace.id, "about": "access", "asked": {"x": "y" * 1000}}
        reads.record(connection, recorded=recorded, by=TEST, **where)
    assert [(who, len(asked["x"])) for who, _, asked in read()] == [("operator", 500)] * count
