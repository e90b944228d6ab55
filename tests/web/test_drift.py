"""What is not as an identity provider says is told, each kind as it really comes about, and nothing else is."""

from __future__ import annotations

import pytest

from provisioning import drift
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.differences import Of
from provisioning.directory import connections, members
from provisioning.directory.profile import Profile
from provisioning.outbox import Actor
from tests.conftest import TEST, Idp
from tests.waiting import eventually

OFF, ON = ({"op": "replace", "value": {"active": active}} for active in (False, True))


@pytest.fixture
def admin(idp, new_admin):
    return new_admin(idp.workspace.slug)


@pytest.fixture
def other(idp, app):
    """A second identity provider of the same workspace."""
    secret = context().keyring.mint(Kind.CONNECTION)
    where = {"workspace_id": idp.workspace.id, "digest": secret.digest, "by": TEST}
    with transaction() as database:
        made = connections.create(database, name="other", dialect="other", **where)
    return Idp(idp.base_url, secret.text, idp.workspace, made)


def told(admin, of=None, **query):
    """What is reported of a connection, or of the workspace: kind, name, what the provider says, what is in effect."""
    path = "/drift" if of is None else f"/connections/{of.connection.id}/drift"
    found = admin.get(path, **query)["differences"]
    assert all(one["do"] for one in found)
    return [(one["kind"], one["name"], one["providerSays"], one["inEffect"]) for one in found]


def test_a_workspace_that_is_as_its_providers_say_has_nothing_to_report(idp, other, admin):
    ann, bob = (idp.create_user(f"{name}@corp.example", externalId=name)["id"] for name in ("ann", "bob"))
    idp.create_group("G", ann, bob)
    for operation in (OFF, ON, OFF):
        assert idp.patch(f"/Users/{bob}", operation).status_code == 200
    assert other.request("DELETE", f"/Users/{other.create_user('eve@corp.example')['id']}").status_code == 204
    assert admin.request("POST", "/mappings", {"group": "G", "role": "source-admin"}).status_code == 201
    assert (told(admin), told(admin, idp), told(admin, other)) == ([], [], [])


def test_one_connection_overrules_what_another_has_said_last(idp, other, admin):
    ann = idp.create_user("ann@corp.example", externalId="a", displayName="Ann")["id"]
    assert other.patch(f"/Users/{ann}", OFF).status_code == 200
    line = ("overruled_state", "Ann", "active", "suspended, by another connection")
    assert (told(admin, idp), told(admin, other), told(admin)) == ([line], [], [line])
    assert idp.patch(f"/Users/{ann}", ON).status_code == 200
    line = ("overruled_state", "Ann", "suspended", "active, by another connection")
    assert (told(admin, idp), told(admin, other), told(admin)) == ([], [line], [line])


def test_who_was_removed_and_is_a_member_again_is_told_until_the_provider_pushes_them(idp, admin, facts_of):
    gone = idp.create_user("ann@corp.example")["id"]
    assert idp.request("DELETE", f"/Users/{gone}").status_code == 204
    facts_of("member", "add", "ann@corp.example", "--workspace", idp.workspace.slug)
    line = ("returned_member", "ann@corp.example", "removed", "a member again: manual")
    assert told(admin, idp) == [line]
    assert told(admin) == [line, ("unknown_member", "ann@corp.example", "nothing", "a member: manual")]
    (found,) = idp.find("/Users", 'userName eq "ann@corp.example"')
    assert idp.request("DELETE", f"/Users/{found['id']}").status_code == 204
    idp.create_user("ann@corp.example")
    assert told(admin) == []


def test_whom_others_have_removed_is_told_but_not_what_the_provider_has_asked_for(idp, other, admin):
    people = {name: idp.create_user(f"{name}@corp.example")["id"] for name in ("ann", "bob", "cat")}
    assert admin.request("DELETE", "/users", params={"userIds": people["ann"]}).status_code == 200
    assert other.request("DELETE", f"/Users/{people['bob']}").status_code == 204
    gone = [
        ("removed_member", "ann@corp.example", "a member", "removed here"),
        ("removed_member", "bob@corp.example", "a member", "removed by another connection"),
    ]
    assert (sorted(told(admin, idp)), told(admin, other), sorted(told(admin))) == (gone, [], gone)
    assert {one["subjectId"] for one in admin.get("/drift")["differences"]} == {people["ann"], people["bob"]}
    idp.create_user("bob@corp.example")
    assert told(admin, idp) == gone[:1]
    assert told(admin, other) == [("returned_member", "bob@corp.example", "removed", "a member again: scim")]
    assert idp.request("DELETE", f"/Users/{people['cat']}").status_code == 204
    assert told(admin, idp) == gone[:1]


def test_what_is_refused_for_a_protected_members_sake_is_told_while_it_is_protected(idp, admin):
    ann = idp.create_user("ann@corp.example", displayName="Ann")["id"]
    group = idp.create_group("G", ann)["id"]
    path = f"/users/{ann}"
    assert admin.request("PATCH", path, {"protected": True}).status_code == 200
    assert idp.patch(f"/Users/{ann}", OFF).status_code == 400
    assert idp.request("DELETE", f"/Groups/{group}").status_code == 400
    held = [(name, says, "as before: protected") for name, says in (("Ann", "changed"), ("G", "removed"))]
    eventually(lambda: sorted(line[1:] for line in told(admin, idp, kind="refused_change")) == held, within=10)
    assert admin.request("PATCH", path, {"protected": False}).status_code == 200
    assert told(admin) == []


def test_groups_and_mappings_that_lost_what_the_provider_pushed(idp, admin):
    ann = idp.create_user("ann@corp.example", externalId="a")["id"]
    kept, gone = (idp.create_group(name, ann, externalId=name)["id"] for name in ("Kept", "Gone"))
    for group in ("Kept", "Gone", "Never"):
        assert admin.request("POST", "/mappings", {"group": group, "role": "source-admin"}).status_code == 201
    assert admin.request("POST", f"/groups/{kept}/detach").status_code == 200
    assert idp.request("DELETE", f"/Groups/{gone}").status_code == 204
    local = "a local group with the members that it had"
    lost = [
        ("detached_group", "Kept", "pushed until it was detached", local),
        *(
            ("dormant_mapping", name, f"the group {name} is pushed no more", "nothing is given")
            for name in ("Kept", "Gone")
        ),
    ]
    assert sorted(told(admin, idp)) == sorted(lost)
    unmet = ("unmet_mapping", "Never", "no group meets the condition", "nothing is given")
    assert sorted(told(admin)) == sorted([*lost, unmet])
    idp.create_group("Kept", externalId="Kept")
    idp.create_group("Never")
    assert told(admin, kind="detached_group") == [("detached_group", "Kept", "pushed again, as another group", local)]
    assert told(admin, kind="unmet_mapping") == []


def test_who_is_awaited_and_what_is_held(idp, admin):
    people = [idp.create_user(f"p{number}", displayName="P")["id"] for number in range(12)]
    idp.create_group("G", "not-yet")
    path = f"/connections/{idp.connection.id}"
    assert admin.request("PATCH", path, {"holdsMassChanges": True, "alarmPercent": 50}).status_code == 200
    held = [idp.patch(f"/Users/{one}", OFF).status_code for one in people].count(403)
    assert held
    awaited = ("awaited_member", "G", "not-yet is a member", "nobody of this externalId has come")
    waiting = ("held_change", "P", "suspended", "as before")
    assert told(admin, idp) == [awaited, *[waiting] * held]
    removed = next(one for one in people if idp.request("DELETE", f"/Users/{one}").status_code == 403)
    idp.create_user("late", externalId="not-yet")
    assert admin.request("POST", f"{path}/held-changes", {"confirmed": True}).status_code == 200
    assert admin.request("GET", f"/users/{removed}").status_code == 404
    assert told(admin) == []


def test_who_came_by_signing_in_before_the_provider_pushed_anybody(idp, app, admin):
    by = Actor("connection", str(idp.connection.id))
    where = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id, "by": by}
    profile = Profile.of({"userName": "jit@corp.example", "active": True})
    with transaction() as database:
        members.create(database, profile=profile, origin=members.SIGN_IN, **where)
    assert told(admin) == []
    idp.create_user("ann@corp.example", externalId="a")
    line = ("signed_in_member", "jit@corp.example", "nothing: not pushed", "a member, by signing in")
    assert (told(admin, idp), told(admin)) == ([line], [line])


def test_what_is_put_off_or_only_rehearsed_is_told(idp, admin):
    path = f"/connections/{idp.connection.id}"
    for settings, kind in (({"paused": True}, "paused_connection"), ({"dryRun": True}, "rehearsing_connection")):
        assert admin.request("PATCH", path, {"paused": False, "dryRun": False} | settings).status_code == 200
        assert [line[:2] for line in told(admin, idp)] == [(kind, "idp")]


def test_a_report_is_walked_in_pages_and_is_of_its_own_workspace(idp, admin, new_idp, new_admin, facts_of):
    names = [f"m{number}@corp.example" for number in range(5)]
    for name in names:
        facts_of("member", "add", name, "--workspace", idp.workspace.slug)
    idp.create_group("G", "x1", "x2")
    page = admin.get("/drift", **{"pagination[count]": 3})
    walked = page["differences"]
    assert page["pagination"]["totalEntries"] == 7
    while "next" in page["pagination"]:
        page = admin.get("/drift", **{"pagination[count]": 3, "pagination[cursor]": page["pagination"]["next"]})
        walked += page["differences"]
    assert walked == admin.get("/drift")["differences"]
    assert len({(one["kind"], one["subjectId"], one["providerSays"]) for one in walked}) == 7
    assert admin.request("GET", "/drift", params={"kind": "x"}).status_code == 422
    weak, stranger = new_admin(idp.workspace.slug, "source-admin"), new_admin(new_idp().workspace.slug)
    assert weak.request("GET", "/drift").status_code == 403
    assert stranger.get("/drift")["differences"] == []
    listed = facts_of("connection", "drift", "--workspace", idp.workspace.slug, "--kind", "unknown_member")
    assert sorted(one["name"] for one in listed["differences"]) == names
    assert facts_of("connection", "drift", "idp", "--workspace", idp.workspace.slug)["total"] == 2


def test_every_kind_says_what_to_do_and_is_looked_for(idp, app):
    with transaction() as database:
        of = Of(idp.workspace.id)
        assert drift.counts(database, of=of) == {}
        assert set(drift.ADVICE) == set(drift.statements(database, of))
