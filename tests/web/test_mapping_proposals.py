"""A mapping gives ownership when two owners have said so, and by no other way."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, update

from provisioning.access import custom_roles, mappings
from provisioning.access.drafts import Rule
from provisioning.access.models import MappingProposal
from provisioning.access.policies import Giver, Terms
from provisioning.context import context
from provisioning.database import transaction
from tests.conftest import TEST, Admin
from tests.waiting import eventually
from tests.web.tokens import DAY, OWNER, made_by

WANTED = {"group": "Owners", "role": "workspace-owner"}
LEAST = {"minimal-workspace-access"}


@pytest.fixture
def slug(idp, facts_of):
    facts_of("workspace", "set-owners-by-mapping", idp.workspace.slug, "on")
    return idp.workspace.slug


@pytest.fixture
def user(idp):
    made = idp.create_user("a@corp.example")["id"]
    idp.create_group("Owners", made)
    return made


@pytest.fixture
def new_owner(idp, slug, service, facts_of):
    """Appoints owners, each with a token of their own."""

    def make(name):
        address = f"{name}@{slug}.example"
        facts_of("member", "add", address, "--workspace", slug, "--owner")
        where = ("--workspace", slug, "--name", "t", "--role", "workspace-owner", "--owner", address)
        return Admin(service.base_url, facts_of("token", "create", *where)["token"])

    return make


@pytest.fixture
def ann(new_owner):
    return new_owner("ann")


@pytest.fixture
def bob(new_owner):
    return new_owner("bob")


def ask(owner, wanted=WANTED):
    """A mapping that would give ownership, and what waits."""
    answer = owner.request("POST", "/mappings", wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["mapping"]


def settle(owner, mapping, verb="confirm", body=None, **params):
    return owner.request("POST", f"/mapping-proposals/{mapping['waitingProposalId']}/{verb}", body, params=params)


def roles(owner, user):
    return {line["role"] for line in owner.get(f"/users/{user}/access")["access"]}


def able(owner):
    """Who may write mappings."""
    return {one["id"] for one in owner.get("/access/who-can", action="mapping.create")["users"]}


def refused(answer):
    (error,) = answer.json()["errors"]
    return answer.status_code, error["type"], error["message"]


def events(owner):
    told = [one["type"] for one in owner.get("/audit-events")["events"]]
    return [name for name in told if name.startswith("mapping_proposal.")]


def id_of(owner, name):
    return next(one["id"] for one in owner.get("/users")["users"] if one["email"].startswith(f"{name}@"))


def test_a_mapping_gives_ownership_when_another_owner_has_confirmed_it(user, ann, bob):
    seen = ann.request("POST", "/mappings", WANTED, params={"dryRun": "true"}).json()["data"]["preview"]
    (line,) = [one for one in seen["changes"] if one["change"] == "gains"]
    assert (line["userId"], line["roleId"], ann.get("/mappings")["mappings"]) == (user, "workspace-owner", [])
    mapping = ask(ann)
    assert (mapping["enabled"], mapping["ownersConfirmed"], roles(ann, user)) == (False, False, LEAST)
    (waiting,) = bob.get("/mapping-proposals", state="open")["mappingProposals"]
    assert (waiting["id"], waiting["askerId"]) == (mapping["waitingProposalId"], id_of(bob, "ann"))
    assert (waiting["was"]["enabled"], waiting["wanted"]["enabled"]) == (False, True)
    assert settle(bob, mapping, dryRun="true").json()["data"]["preview"] == seen
    assert roles(ann, user) == LEAST
    assert settle(bob, mapping).json()["data"]["mappingProposal"]["state"] == "confirmed"
    assert roles(ann, user) == {*LEAST, "workspace-owner"}
    assert user in able(bob)
    (stored,) = bob.get("/mappings")["mappings"]
    assert (stored["enabled"], stored["ownersConfirmed"], stored["waitingProposalId"]) == (True, True, None)
    assert refused(settle(bob, mapping))[0] == 409
    assert events(ann) == ["mapping_proposal.confirmed", "mapping_proposal.created"]


def test_nobody_confirms_what_they_have_asked_for_by_whatever_token(user, ann, bob, new_admin, slug):
    mapping, own = ask(ann), made_by(ann)[1]
    assert refused(settle(ann, mapping)) == refused(settle(own, mapping))
    assert refused(settle(ann, mapping))[:2] == (403, "not_allowed")
    # A token that she has made for another, the like of his that she has got hold of, and one that is nobody's.
    for_bob, hers = made_by(ann, ownerId=id_of(ann, "bob"))
    assert hers.get(f"/tokens/{for_bob['id']}")["token"]["ownerId"] == id_of(ann, "bob")
    his, _ = made_by(bob, expiresIn=DAY)
    rotated = ann.request("POST", f"/tokens/{his['id']}/rotate", {}).json()["data"]["token"]["secret"]
    children = made_by(hers, permissions=OWNER)[1]
    for token in (hers, Admin(ann.base_url, rotated), children, new_admin(slug)):
        assert refused(settle(token, mapping))[:2] == (403, "not_allowed")
        assert refused(token.request("POST", "/mappings", {**WANTED, "group": "X"}))[:2] == (403, "not_allowed")
    assert roles(ann, user) == LEAST
    assert settle(made_by(bob)[1], mapping).status_code == 200


def test_a_client_of_an_owners_gives_no_word(idp, user, ann, bob, slug, new_program):
    mapping = ask(ann)
    program = new_program(idp, owner=f"bob@{slug}.example")
    client = Admin(ann.base_url, program.token(scope="api"))
    assert client.request("GET", "/mappings").status_code == 200
    assert refused(settle(client, mapping))[:2] == (403, "not_allowed")


def test_ownership_by_a_mapping_confirms_and_asks_for_nothing(idp, user, ann, bob, slug, service, facts_of):
    assert settle(bob, ask(ann)).status_code == 200
    made = ("--workspace", slug, "--name", "t", "--role", "workspace-owner", "--owner", "a@corp.example")
    mapped = Admin(service.base_url, facts_of("token", "create", *made)["token"])
    more = ask(ann, {"condition": 'displayName sw "x"', "role": "workspace-owner"})
    assert refused(settle(mapped, more))[:2] == (403, "not_allowed")
    assert refused(mapped.request("POST", "/mappings", {**WANTED, "group": "Y"}))[:2] == (403, "not_allowed")


@pytest.mark.parametrize("who", ["ann", "bob"])
@pytest.mark.parametrize("what", ["demoted", "suspended", "removed"])
def test_both_are_owners_at_that_moment(idp, slug, user, ann, bob, new_owner, who, what):
    mapping, carl = ask(ann), new_owner("carl")
    member = id_of(carl, who)
    if what == "demoted":
        assert carl.request("PUT", f"/users/{member}/permissions", {"permissions": []}).status_code == 200
    elif what == "suspended":
        assert idp.patch(f"/Users/{member}", {"op": "replace", "value": {"active": False}}).status_code == 200
    else:
        assert idp.request("DELETE", f"/Users/{member}").status_code == 204
    answer = settle(bob, mapping)
    expected = {"ann": {404} if what == "removed" else {409}, "bob": {401, 403}}[who]
    assert answer.status_code in expected, answer.text
    assert roles(carl, user) == LEAST
    if who == "ann":
        again = bob.request("PATCH", f"/mappings/{mapping['id']}", {"enabled": True}).json()["data"]["mapping"]
        assert settle(carl, again).status_code == 200
        assert roles(carl, user) == {*LEAST, "workspace-owner"}


@pytest.mark.parametrize(
    ("change", "gives"),
    [
        ({"role": "workspace-owner"}, {"workspace-owner"}),
        ({"policies": [{"role": "source-admin"}, {"role": "workspace-owner"}]}, {"workspace-owner", "source-admin"}),
        ({"name": "N", "role": "workspace-owner", "condition": "id pr"}, {"workspace-owner"}),
        ({"pattern": "to-{role}", "policies": []}, {"workspace-owner"}),
    ],
)
def test_a_change_that_would_give_ownership_waits_whole_and_the_mapping_gives_what_it_gave(
    idp, user, ann, bob, change, gives
):
    idp.create_group("to-workspace-owner", user)
    mapping = ask(ann, {"group": "Owners", "role": "source-read-only"})
    answer = ann.request("PATCH", f"/mappings/{mapping['id']}", change)
    assert answer.status_code == 202, answer.text
    waiting = answer.json()["data"]["mapping"]
    assert {**waiting, "waitingProposalId": None} == mapping
    assert roles(ann, user) == {*LEAST, "source-read-only"}
    assert ann.request("PATCH", f"/mappings/{mapping['id']}", change).json() == answer.json()
    assert settle(bob, waiting).status_code == 200
    assert roles(ann, user) == {*LEAST, *gives}


def test_what_changes_whom_it_means_or_for_how_long_waits_anew_and_what_narrows_it_does_not(user, ann, bob):
    mapping = ask(ann)
    assert settle(bob, mapping).status_code == 200
    path = f"/mappings/{mapping['id']}"
    for change in ({"name": "N"}, {"policies": [{"role": "workspace-owner"}, {"role": "source-admin"}]}):
        assert ann.request("PATCH", path, change).status_code == 200, change
        assert "workspace-owner" in roles(ann, user)
    for change in ({"condition": "id pr"}, {"condition": 'title eq "x"', "about": "User"}):
        assert ann.request("PATCH", path, change).status_code == 202, change
        assert "workspace-owner" in roles(ann, user)
    assert ann.request("PATCH", path, {"enabled": False}).status_code == 200
    assert roles(ann, user) == LEAST
    on = ann.request("PATCH", path, {"enabled": True})
    assert (on.status_code, on.json()["data"]["mapping"]["enabled"], roles(ann, user)) == (202, False, LEAST)
    order = {"mappings": [mapping["id"]]}
    assert ann.request("PUT", "/mappings/order", order).status_code == 200
    assert roles(ann, user) == LEAST
    assert settle(bob, on.json()["data"]["mapping"]).status_code == 200
    assert "workspace-owner" in roles(ann, user)


def test_names_of_groups_say_ownership_only_where_two_have_said_so(idp, user, ann, bob, slug, facts_of):
    idp.create_group("team-workspace-owner", user)
    idp.create_group("team-source-admin", user)
    facts_of("workspace", "set-owners-by-mapping", slug, "off")
    mapping = ask(ann, {"pattern": "team-{role}"})
    assert (mapping["enabled"], roles(ann, user)) == (True, {*LEAST, "source-admin"})
    facts_of("workspace", "set-owners-by-mapping", slug, "on")
    assert (roles(ann, user), user in able(ann)) == ({*LEAST, "source-admin"}, False)
    path = f"/mappings/{mapping['id']}"
    assert ann.request("PATCH", path, {"name": "N"}).status_code == 200
    waiting = ann.request("PATCH", path, {"enabled": True})
    assert (waiting.status_code, roles(ann, user)) == (202, {*LEAST, "source-admin"})
    assert settle(bob, waiting.json()["data"]["mapping"]).status_code == 200
    assert roles(ann, user) == {*LEAST, "source-admin", "workspace-owner"}
    # One that narrows by labels says no ownership, and waits for nobody.
    assert ask(ann, {"pattern": "x-{label.environment}-{role}"})["enabled"] is True


def test_what_was_confirmed_of_one_rule_is_not_of_another_that_was_written_while_nobody_had_to_ask(
    idp, user, ann, bob, slug, facts_of
):
    idp.create_group("to-workspace-owner", user)
    mapping = ask(ann)
    assert settle(bob, mapping).status_code == 200
    facts_of("workspace", "set-owners-by-mapping", slug, "off")
    names = {"pattern": "to-{role}", "policies": []}
    assert ann.request("PATCH", f"/mappings/{mapping['id']}", names).status_code == 200
    facts_of("workspace", "set-owners-by-mapping", slug, "on")
    assert (roles(ann, user), user in able(ann)) == (LEAST, False)


def test_a_path_that_forgets_to_ask_gives_no_ownership(idp, app, user, ann):
    rule, of = Rule(condition='displayName eq "Owners"'), idp.workspace.id
    with transaction() as connection:
        roles_there = custom_roles.of_workspace(connection, workspace_id=of, catalogue=context().catalogue)
        terms, by = [Terms("workspace-owner"), Terms("source-admin")], Giver(TEST, roles_there)
        mappings.create(connection, workspace_id=of, name="", rule=rule, terms=terms, giver=by)
    assert (roles(ann, user), user in able(ann)) == ({*LEAST, "source-admin"}, False)


def test_a_mapping_that_has_changed_since_is_not_what_anybody_confirms(user, ann, bob):
    mapping = ask(ann, {"group": "Owners", "policies": [{"role": "workspace-owner"}, {"role": "pii-access"}]})
    policy = next(one["id"] for one in mapping["policies"] if one["role"] == "pii-access")
    assert ann.request("DELETE", f"/policies/{policy}").status_code == 200
    assert refused(settle(bob, mapping))[0] == 409
    again = ann.request("PATCH", f"/mappings/{mapping['id']}", {"enabled": True}).json()["data"]["mapping"]
    assert again["waitingProposalId"] != mapping["waitingProposalId"]
    assert ann.request("PATCH", f"/mappings/{mapping['id']}", {"name": "N"}).status_code == 200
    assert refused(settle(bob, again))[0] == 409
    assert roles(ann, user) == LEAST


def test_what_is_declined_or_late_changes_nothing(user, ann, bob):
    mapping = ask(ann)
    done = settle(bob, mapping, "decline", {"reason": "not them"}).json()["data"]["mappingProposal"]
    assert (done["state"], done["answer"]) == ("declined", "not them")
    assert refused(settle(bob, mapping))[0] == 409
    late = ann.request("PATCH", f"/mappings/{mapping['id']}", {"enabled": True}).json()["data"]["mapping"]
    with transaction() as connection:
        past = update(MappingProposal).where(MappingProposal.state == "open")
        here = past.where(MappingProposal.mapping_id == mapping["id"])
        connection.execute(here.values(expires_at=func.clock_timestamp() - timedelta(seconds=1)))
    assert refused(settle(bob, late))[0] == 409
    assert bob.get("/mapping-proposals", state="open")["mappingProposals"] == []
    assert bob.get("/mappings")["mappings"][0]["waitingProposalId"] is None
    eventually(lambda: "mapping_proposal.expired" in events(ann), within=30)
    assert roles(ann, user) == LEAST


def test_what_could_not_be_confirmed_is_not_asked_for(user, ann, bob, slug, facts_of):
    limited = made_by(ann, permissions=[{"roleId": "source-admin", "resources": [{"type": "WORKSPACE"}]}])[1]
    assert limited.request("POST", "/mappings", WANTED).status_code == 403
    for wanted in ({**WANTED, "labels": ["environment:prod"]}, {**WANTED, "group": "\0"}):
        assert ann.request("POST", "/mappings", wanted).status_code == 422, wanted
    mapping = ask(ann)
    nowhere = {"policies": [{"role": "workspace-owner"}, {"role": "source-admin", "labels": ["environment:none"]}]}
    assert ann.request("PATCH", f"/mappings/{mapping['id']}", {**nowhere, "enabled": True}).status_code == 422
    facts_of("workspace", "set-owners-by-mapping", slug, "off")
    assert refused(settle(bob, mapping))[0] == 422
    assert ann.request("PATCH", f"/mappings/{mapping['id']}", {"enabled": True}).status_code == 422
    assert bob.get("/mapping-proposals")["pagination"]["totalEntries"] == 1
    assert roles(ann, user) == LEAST


def test_of_many_who_confirm_at_once_one_does_and_two_who_cross_do_not_lock_each_other_out(user, ann, bob):
    one, other = ask(ann), ask(bob, {"condition": 'displayName sw "x"', "role": "workspace-owner"})
    told, barrier = [], threading.Barrier(4)

    def confirm(owner, mapping):
        barrier.wait()
        told.append(settle(owner, mapping).status_code)

    threads = [threading.Thread(target=confirm, args=pair) for pair in [(bob, one), (ann, other)] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [200, 200, 409, 409]


def test_the_operator_is_one_of_the_two_and_never_both(idp, user, ann, slug, facts_of, command):
    where = ("--workspace", slug)
    mapping = ask(ann)
    listed = facts_of("mapping-proposal", "list", *where, "--state", "open")["mapping_proposals"]
    assert [one["id"] for one in listed] == [mapping["waitingProposalId"]]
    confirm = ("mapping-proposal", "confirm", mapping["waitingProposalId"], *where)
    assert facts_of(*confirm, "--dry-run")["people_gaining"] == 1
    assert roles(ann, user) == LEAST
    assert facts_of(*confirm)["state"] == "confirmed"
    assert roles(ann, user) == {*LEAST, "workspace-owner"}
    asked = facts_of("mapping", "create", *where, "--when", 'displayName sw "x"', "--role", "workspace-owner")
    alone = command("mapping-proposal", "confirm", asked["waiting_proposal"], *where)
    assert (alone.returncode, "Somebody else" in alone.stderr) == (1, True)
    assert settle(ann, {"waitingProposalId": asked["waiting_proposal"]}).status_code == 200
    off = facts_of("mapping", "disable", asked["id"], *where)
    on = facts_of("mapping", "enable", asked["id"], *where)
    assert (off["enabled"], on["enabled"], on["waiting_proposal"] is None) == (False, False, False)
    assert facts_of("mapping-proposal", "decline", on["waiting_proposal"], *where)["state"] == "declined"


def test_a_dormant_mapping_is_bound_anew_to_owners_by_two(idp, user, ann, bob):
    gone = idp.create_group("Lost", user, externalId="e-1")
    mapping = ask(ann, {"group": "Lost", "role": "workspace-owner"})
    assert settle(bob, mapping).status_code == 200
    assert idp.request("DELETE", f"/Groups/{gone['id']}").status_code == 204
    idp.create_group("Found", user, externalId="e-1")
    bound = ann.request("POST", f"/mappings/{mapping['id']}/rebind")
    assert (bound.status_code, roles(ann, user)) == (202, LEAST)
    assert settle(bob, bound.json()["data"]["mapping"]).status_code == 200
    assert roles(ann, user) == {*LEAST, "workspace-owner"}
