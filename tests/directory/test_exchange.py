"""Members come and go by one statement where nothing else hangs on it: and nothing is done by halves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from uuid import UUID

import pytest
from sqlalchemy import select, text

from provisioning.database import DatabaseFailure, Trouble, reading, rehearsal, transaction, trouble_of
from provisioning.directory import exchange, groups, members, owners, roster
from provisioning.directory.memberships import Delta
from provisioning.directory.profile import GroupProfile
from provisioning.outbox import Event
from tests import crowd
from tests.conftest import TEST
from tests.waiting import blocked_by


@pytest.fixture
def people(idp):
    """The ids of three who were pushed, in their order."""
    return sorted(idp.create_user(f"{name}@corp.example")["id"] for name in ("ann", "bob", "eve"))


@pytest.fixture
def group(idp, people):
    """A pushed group with the first of them in it."""
    return UUID(idp.create_group("G", people[0])["id"])


@pytest.fixture
def change(idp, group):
    def change(most=10, *, of=group, by=idp.connection.id, **delta):
        where = {"workspace_id": idp.workspace.id, "group_id": of, "connection_id": by}
        with reading() as database:
            return exchange.exchange(database, **where, delta=Delta(**delta), by=TEST, most=most)

    return change


@pytest.fixture
def now(idp, group):
    def now():
        with reading() as database:
            return groups.by_id(database, workspace_id=idp.workspace.id, group_id=group, most=None)

    return now


@pytest.fixture
def told(group):
    """The facts about the group, oldest first."""

    def told():
        with reading() as database:
            facts = select(Event.name, Event.payload).where(Event.subject == f"group:{group}").order_by(Event.seq)
            return [(row.name, row.payload) for row in database.execute(facts)]

    return told


@pytest.fixture
def meanwhile(change):
    """What `change` comes to that begins while something else is done, and waits for it."""

    def meanwhile(work, **delta):
        with ThreadPoolExecutor(1) as pool:
            with transaction() as first:
                work(first)
                second = pool.submit(copy_context().run, change, **delta)
                blocked_by(first)
            return second.result(20)

    return meanwhile


def uuids(*names):
    return tuple(map(UUID, names))


def test_who_comes_and_who_leaves_is_stored_shown_and_told(change, now, told, group, people):
    before, facts = now(), told()
    after = change(added=(people[2], people[1]), removed=(people[0],))
    assert (after.members, after.version) == (uuids(*people[1:]), before.version + 1)
    assert after.modified_at > before.modified_at
    assert now() == after
    name, payload = told()[len(facts)]
    assert (name, payload["group_id"], payload["removed"]) == ("group.members_changed", str(group), [people[0]])
    assert sorted(payload["added"]) == people[1:]
    assert len(told()) == len(facts) + 1


def test_what_is_so_already_changes_nothing_and_is_not_told(change, now, told, people):
    before, facts = now(), told()
    assert change(added=(people[0],), removed=(people[1],)) == before
    assert (now(), told()) == (before, facts)


def test_of_those_named_only_who_was_not_there_is_told(change, told, people):
    change(added=tuple(people))
    assert sorted(told()[-1][1]["added"]) == people[1:]


def test_too_many_are_not_shown(change, people):
    assert change(2, added=tuple(people)).members is None
    assert change(2, removed=(people[1],)).members == uuids(people[0], people[2])
    assert change(0, added=(people[1],)).members is None


def test_somebody_unknown_keeps_everybody_out(change, now, told, people):
    before, facts = now(), told()
    for stranger in ("e7", "00000000-0000-7000-8000-000000000000"):
        assert change(added=(people[1], stranger), removed=(people[0],)) is None
    assert (now(), told()) == (before, facts)


def test_somebody_of_another_workspace_is_unknown(new_idp, change, now, people):
    before = now()
    assert change(added=(new_idp().create_user("x@corp.example")["id"], people[1])) is None
    assert now() == before


def test_whom_an_owner_protects_is_left_to_a_transaction(idp, change, now, people):
    change(added=(people[1],))
    with transaction() as database:
        member = roster.lock(database, workspace_id=idp.workspace.id, member_id=UUID(people[0]))
        owners.protect(database, member=member, protected=True, by=TEST)
    before = now()
    assert change(added=(people[2],), removed=(people[0], people[1])) is None
    assert now() == before
    assert change(removed=(people[1],)).members == uuids(people[0])


def test_who_comes_and_leaves_is_left_to_a_transaction(idp, change, now, group, people):
    before = now()
    assert change(added=(people[0],), removed=(people[0].upper(),)) is None
    assert now() == before
    remove = {"op": "remove", "path": f'members[value eq "{people[0].upper()}"]'}
    idp.patch(f"/Groups/{group}", remove, {"op": "add", "path": "members", "value": [{"value": people[0]}]})
    assert now().members == uuids(people[0])


def test_another_connections_group_is_left_alone(new_idp, change, now, people):
    before = now()
    assert change(by=new_idp().connection.id, added=(people[1],)) is None
    assert change(of=UUID(int=0), added=(people[1],)) is None
    assert now() == before


def test_who_is_to_leave_and_still_to_come_is_left_to_a_transaction(idp, change, now, group, people):
    idp.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": "e7"}]})
    before = now()
    for stranger in ("e7", "00000000-0000-7000-8000-000000000000"):
        assert change(added=(people[1],), removed=(people[0], stranger)) is None
    assert now() == before


def test_whoever_was_faster_is_waited_for_and_shown(idp, meanwhile, now, told, group, people):
    before = now()

    def add(database):
        held = groups.lock(database, workspace_id=idp.workspace.id, group_id=group)
        delta = Delta(added=(people[1],))
        groups.store(database, group=held, profile=GroupProfile.of(held.document), delta=delta, by=TEST)

    after = meanwhile(add, added=(people[2],))
    assert (after.members, after.version) == (uuids(*people), before.version + 2)
    assert (now(), [name for name, _ in told()][-2:]) == (after, ["group.members_changed"] * 2)


def test_who_has_come_meanwhile_is_taken_out_by_a_transaction(idp, meanwhile, now, group, people):
    def add(database):
        held = groups.lock(database, workspace_id=idp.workspace.id, group_id=group)
        delta = Delta(added=(people[1],))
        groups.store(database, group=held, profile=GroupProfile.of(held.document), delta=delta, by=TEST)

    assert meanwhile(add, added=(people[2],), removed=(people[1],)) is None
    assert now().members == uuids(*people[:2])


def test_who_has_left_meanwhile_comes_again(idp, meanwhile, now, group, people):
    def remove(database):
        held = groups.lock(database, workspace_id=idp.workspace.id, group_id=group)
        delta = Delta(removed=(people[0],))
        groups.store(database, group=held, profile=GroupProfile.of(held.document), delta=delta, by=TEST)

    assert meanwhile(remove, added=(people[0],)).members == uuids(people[0])
    assert now().members == uuids(people[0])


def test_a_group_that_goes_meanwhile_is_left_alone(idp, meanwhile, group, people):
    def remove(database):
        held = groups.lock(database, workspace_id=idp.workspace.id, group_id=group)
        groups.remove(database, group=held, by=TEST)

    assert meanwhile(remove, added=(people[1],)) is None


def test_a_member_who_goes_meanwhile_does_not_come(idp, meanwhile, now, people):
    before = now()

    def remove(database):
        leaving = roster.lock(database, workspace_id=idp.workspace.id, member_id=UUID(people[1]))
        members.remove(database, member=leaving, by=TEST)

    assert meanwhile(remove, added=(people[1], people[2])) is None
    assert now() == before


def test_a_group_that_others_hold_is_not_waited_for_when_nobody_listens(idp, change, now, group, people, monkeypatch):
    monkeypatch.setattr(exchange, "_PATIENCE", "50ms")
    before = now()
    with transaction() as first:
        groups.lock(first, workspace_id=idp.workspace.id, group_id=group)
        with pytest.raises(DatabaseFailure) as raised:
            change(added=(people[1],))
    assert trouble_of(raised.value) is Trouble.CONTENDED
    assert now() == before


_READ = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'membership'")


@pytest.mark.usefixtures("app")
def test_a_small_group_costs_little_where_everybody_was_in_one_group_when_it_was_counted(idp):
    """As on the day of the first synchronisation: what PostgreSQL has counted of the groups is out of date."""
    of = {"workspace_id": idp.workspace.id}
    about = {**of, "connection_id": idp.connection.id, "by": TEST}
    with rehearsal() as database:
        database.execute(text("DELETE FROM membership"))
        everybody = [*map(str, crowd.join(database, **of, slug=idp.workspace.slug, count=3000))]
        groups.create(database, **about, profile=GroupProfile.of({"displayName": "all"}), members=everybody)
        database.execute(text("ANALYZE membership"))
        small = groups.create(database, **about, profile=GroupProfile.of({"displayName": "few"}), members=everybody[:2])
        database.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        begun = database.execute(_READ).scalar_one()
        for delta in (Delta(added=(everybody[2],)), Delta(removed=(everybody[2],))):
            assert exchange.exchange(database, **about, group_id=small.id, delta=delta, most=200)
        found = groups.by_id(database, **of, group_id=small.id, most=None)
        assert found.members == tuple(sorted(map(UUID, everybody[:2])))
        assert database.execute(_READ).scalar_one() - begun < 50
