"""A member is changed by one statement where nothing else hangs on it: and never from what is out of date."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from provisioning.database import reading, transaction
from provisioning.directory import members, owners, roster
from provisioning.directory.profile import Profile
from provisioning.outbox import Event
from provisioning.refusals import Conflict
from tests.conftest import TEST


@pytest.fixture
def ann(idp):
    """Somebody who was pushed, as the directory knows them."""
    made = idp.create_user("ann@corp.example", title="A", externalId="e1")
    with reading() as database:
        return roster.by_id(database, workspace_id=idp.workspace.id, member_id=UUID(made["id"]))


@pytest.fixture
def restyle(idp):
    def change(member, **attributes):
        document = {**member.as_known_to(idp.connection.id), **attributes}
        profile = Profile.of({name: value for name, value in document.items() if value is not None})
        with reading() as database:
            return members.restyle(database, member=member, profile=profile, connection_id=idp.connection.id, by=TEST)

    return change


def now(member):
    with reading() as database:
        return roster.by_id(database, workspace_id=member.workspace_id, member_id=member.id)


def told(member):
    """The facts about a member, oldest first."""
    with reading() as database:
        facts = select(Event.name, Event.payload).where(Event.subject == f"user:{member.user_id}").order_by(Event.seq)
        return [(row.name, row.payload.get("attributes")) for row in database.execute(facts)]


def test_a_change_is_stored_and_told(restyle, ann):
    before = told(ann)
    stored = restyle(ann, title="B", nickName="N")
    assert (stored.document["title"], stored.version) == ("B", ann.version + 1)
    assert now(ann) == stored
    assert told(ann) == [*before, ("member.updated", ["nickName", "title"])]


def test_what_changes_nothing_is_not_told(restyle, ann):
    before = told(ann)
    assert restyle(ann, title="A") == ann
    assert (now(ann), told(ann)) == (ann, before)


def test_who_has_changed_since_is_left_alone(restyle, ann):
    newer = restyle(ann, title="B")
    before = told(ann)
    assert restyle(ann, title="C") is None
    assert (now(ann), told(ann)) == (newer, before)


def test_who_is_protected_since_is_left_alone(restyle, ann):
    with transaction() as database:
        owners.protect(database, member=ann, protected=True, by=TEST)
    before = told(ann)
    assert restyle(ann, title="B") is None
    assert (now(ann).document, told(ann)) == (ann.document, before)


@pytest.mark.parametrize(
    "more", [{"active": False}, {"userName": "ann@other.example"}, {"externalId": "e2"}, {"externalId": None}], ids=str
)
def test_what_takes_more_is_left_to_a_transaction(restyle, ann, more):
    before = told(ann)
    assert restyle(ann, title="B", **more) is None
    assert (now(ann), told(ann)) == (ann, before)


def test_that_nothing_is_said_of_a_state_is_no_fact(idp, ann):
    before = told(ann)
    idp.patch(f"/Users/{ann.id}", {"op": "remove", "path": "active"}, {"op": "remove", "path": "title"})
    assert (now(ann).active, told(ann)) == (True, [*before, ("member.updated", ["title"])])


def test_a_member_of_nobodys_is_left_to_a_transaction(restyle, ann):
    assert restyle(ann._replace(connection_id=None), title="B") is None


def test_a_name_that_is_taken_is_refused(restyle, idp):
    idp.create_user("bob", emails=[{"value": "bob@corp.example"}])
    made = idp.create_user("carl", emails=[{"value": "carl@corp.example"}])
    with reading() as database:
        carl = roster.by_id(database, workspace_id=idp.workspace.id, member_id=UUID(made["id"]))
    before = told(carl)
    with pytest.raises(Conflict):
        restyle(carl, userName="Bob")
    assert (now(carl), told(carl)) == (carl, before)
