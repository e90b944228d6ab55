"""A new member is made by one statement where nothing else hangs on it: and nothing is done by halves."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from uuid import uuid4

import pytest
from sqlalchemy import select

from provisioning.database import DatabaseFailure, Trouble, reading, rehearsal, transaction, trouble_of
from provisioning.directory import enrolment, groups, members, roster, users, workspaces
from provisioning.directory.models import Member
from provisioning.directory.profile import GroupProfile, Profile
from provisioning.outbox import Event
from provisioning.refusals import Conflict
from tests.conftest import TEST
from tests.waiting import blocked_by


@pytest.fixture
def name():
    """A userName that nobody has had."""
    return f"ann-{uuid4()}@corp.example"


@pytest.fixture
def enrol(idp):
    def enrol(profile, *, into=idp):
        where = {"workspace_id": into.workspace.id, "connection_id": into.connection.id}
        with reading() as database:
            return enrolment.enrol(database, **where, profile=profile, by=TEST)

    return enrol


def profile(name, **attributes):
    return Profile.of({"userName": name, "active": True, "externalId": f"id-{name}", **attributes})


def everybody(idp):
    with reading() as database:
        return set(database.execute(select(Member.user_name).where(Member.workspace_id == idp.workspace.id)).scalars())


def told(idp):
    """The facts about people of a workspace, oldest first."""
    wanted = select(Event.name, Event.subject, Event.payload).where(
        Event.workspace_id == idp.workspace.id, Event.subject.startswith("user:")
    )
    with reading() as database:
        return [tuple(row) for row in database.execute(wanted.order_by(Event.seq))]


def account(email):
    with reading() as database:
        return users.by_email(database, email)


def test_somebody_new_is_stored_and_told(idp, enrol, name):
    made = enrol(profile(name, title="T"))
    with reading() as database:
        assert roster.by_id(database, workspace_id=idp.workspace.id, member_id=made.id) == made
    assert (made.external_ids, made.origin) == ({str(idp.connection.id): f"id-{name}"}, members.SCIM)
    assert (made.active, made.document["title"], made.version) == (True, "T", 1)
    assert account(name) == (made.user_id, name)
    payload = {"user_id": str(made.user_id), "member_id": str(made.id), "active": True, "origin": "scim"}
    assert told(idp) == [("member.added", f"user:{made.user_id}", payload)]


def test_it_is_what_a_transaction_makes(idp, new_idp, enrol, name):
    made = enrol(profile(name))
    other = new_idp()
    with transaction() as database:
        where = {"workspace_id": other.workspace.id, "connection_id": other.connection.id}
        twin = enrolment.provision(database, **where, profile=profile(name), by=TEST)
    own = {"id", "workspace_id", "connection_id", "external_ids", "created_at", "modified_at"}
    one, another = ({key: value for key, value in view._asdict().items() if key not in own} for view in (made, twin))
    assert one == another
    (first,), (second,) = told(idp), told(other)
    assert first[:2] == second[:2]
    assert first[2].keys() == second[2].keys()


def test_who_has_an_account_keeps_it(new_idp, enrol, name):
    other = new_idp()
    made, again = enrol(profile(name)), enrol(profile(name), into=other)
    assert again.user_id == made.user_id
    ((_, subject, payload),) = told(other)
    assert (subject, payload["user_id"]) == (f"user:{made.user_id}", str(made.user_id))


def test_who_has_no_address_gets_an_account_of_their_own(enrol):
    first, second = enrol(profile("ann")), enrol(profile("bob"))
    assert first.user_id != second.user_id


@pytest.mark.parametrize("active", [True, False])
def test_whose_sessions_end_is_left_to_a_transaction(new_idp, enrol, name, active):
    hipaa = new_idp(hipaa=True)
    assert enrol(profile(name, active=active), into=hipaa) is not None
    known = f"known-{name}"
    enrol(profile(known))
    before = told(hipaa)
    made = enrol(profile(known, active=active), into=hipaa)
    assert (made is None, told(hipaa) == before) == (active, active)
    assert (known in everybody(hipaa)) is not active


def test_who_is_meant_again_is_left_to_a_transaction(idp, enrol, name):
    made = idp.create_user(name, externalId="e1")
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
    before = told(idp)
    assert enrol(profile(f"other-{name}", externalId="e1")) is None
    assert (everybody(idp), told(idp), account(f"other-{name}")) == ({name}, before, None)
    # Of who is active, it is a name that two have.
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": True})
    assert enrol(profile(f"other-{name}", externalId="e1")) is not None


def test_who_is_suspended_and_has_no_name_of_the_connections_is_not_meant(idp, enrol, name):
    made = idp.create_user(name)
    idp.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
    assert enrol(profile(f"other-{name}", externalId=None)) is not None


def test_who_is_awaited_is_left_to_a_transaction(idp, enrol, name):
    group = idp.create_group("G", "e1")
    assert enrol(profile(name, externalId="e1")) is None
    assert (everybody(idp), account(name)) == (set(), None)
    made = idp.create_user(name, externalId="e1")
    assert [one["value"] for one in made["groups"]] == [group["id"]]


def test_who_is_awaited_from_just_now_is_left_to_a_transaction(idp, enrol, name):
    where = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id}
    group = GroupProfile.of({"displayName": "G"})
    with rehearsal() as database:
        groups.create(database, **where, profile=group, members=["e1"], by=TEST)
        with pytest.raises(DatabaseFailure) as raised:
            enrol(profile(name, externalId="e1"))
    assert trouble_of(raised.value) is Trouble.CONTENDED
    assert (everybody(idp), account(name)) == (set(), None)


def test_who_is_awaited_since_the_statement_began_is_left_to_a_transaction(idp, enrol, name):
    with ThreadPoolExecutor(1) as pool:
        with rehearsal() as database:
            members.create(database, workspace_id=idp.workspace.id, profile=profile(name), connection_id=None, by=TEST)
            second = pool.submit(copy_context().run, enrol, profile(name, externalId="e1"))
            blocked_by(database)
            idp.create_group("G", "e1")
        with pytest.raises(DatabaseFailure) as raised:
            second.result(20)
    assert trouble_of(raised.value) is Trouble.CONTENDED
    assert (everybody(idp), account(name)) == (set(), None)


def test_what_only_one_can_have_is_left_to_a_transaction(idp, enrol, name):
    assert enrol(dataclasses.replace(profile(name), unique={"badge": b"7"})) is None
    assert everybody(idp) == set()


def test_a_name_that_is_taken_is_refused_and_leaves_no_account(idp, enrol, name):
    enrol(profile("ann"))
    before = told(idp)
    with pytest.raises(Conflict):
        enrol(profile("ANN", emails=[{"value": name}], externalId="e2"))
    assert (everybody(idp), told(idp), account(name)) == ({"ann"}, before, None)


def test_a_person_who_is_there_is_refused(idp, enrol, name):
    enrol(profile(name))
    with pytest.raises(Conflict, match="address"):
        enrol(profile("ann", emails=[{"value": name}], externalId="e2"))
    assert everybody(idp) == {name}


def test_nobody_joins_a_workspace_that_is_gone(idp, enrol, name):
    with transaction() as database:
        workspaces.delete(database, slug=idp.workspace.slug, by=TEST)
    assert enrol(profile(name)) is None
