"""A preview is the difference that is seen once the change has been made, whatever the change is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.access import custom_roles, facts, labels, mappings, policies, proposals, resources
from provisioning.access.drafts import Rule
from provisioning.access.policies import Subject, Terms
from provisioning.access.previews import Comparison, Preview, RoleChange
from provisioning.access.rules import Reference
from provisioning.database import Connection, reading, rehearsal, transaction
from provisioning.directory import members, roster
from provisioning.refusals import Refusal
from tests.access.worlds import BY, RESOURCES, ROLES, RULES, TERMS, Person, World, Written, worlds, write

Change = Callable[[Connection, Written], Any]
Held = set[tuple[UUID, str, str]]


def held(written: Written) -> Held:
    """Who has which role on which resource, by each one's own facts."""
    with reading() as connection:
        place = {"workspace_id": written.workspace_id}
        there = resources.some(connection, count=100, **place)
        return {
            (member_id, role, name)
            for member_id in written.people
            for role, name in _of_one(connection, written, member_id, there)
        }


def _of_one(connection: Connection, written: Written, member_id: UUID, there: Any) -> set[tuple[str, str]]:
    try:
        case = facts.of_member(connection, workspace_id=written.workspace_id, member_id=member_id, catalogue=ROLES)
    except Refusal:
        return set()
    found = set()
    for grant in case.facts.grants:
        if grant.scope.kind == "all":
            found.add((grant.role.key, "*"))
        elif grant.scope.kind == "resources":
            found |= {(grant.role.key, str(reference)) for reference in grant.scope.resources}
        else:
            found |= {
                (grant.role.key, str(resource.reference))
                for resource in there
                if resource.type in grant.role.resource_types and grant.scope.labels <= set(resource.labels)
            }
    everything = {role for role, name in found if name == "*"}
    return {(role, name) for role, name in found if name == "*" or role not in everything}


def give_one(number: int, terms: Terms) -> Change:
    def change(connection: Connection, written: Written) -> None:
        subject = Subject("member", written.people[number % len(written.people)])
        policies.give(connection, workspace_id=written.workspace_id, subject=subject, terms=terms, giver=BY)

    return change


def take_all(number: int) -> Change:
    def change(connection: Connection, written: Written) -> None:
        ids = [*((kind, i) for kind, ids in (("member", written.people), ("group", written.groups)) for i in ids)]
        kind, identifier = ids[number % len(ids)]
        subject = Subject(kind, identifier)
        policies.replace(connection, workspace_id=written.workspace_id, subject=subject, terms=[], giver=BY)

    return change


def write_mapping(rule: Rule, terms: Terms) -> Change:
    def change(connection: Connection, written: Written) -> None:
        proposals.create(connection, workspace_id=written.workspace_id, name="", rule=rule, terms=[terms], giver=BY)

    return change


def switch_mapping(number: int) -> Change:
    def change(connection: Connection, written: Written) -> None:
        if written.mappings:
            mapping_id = written.mappings[number % len(written.mappings)]
            before = mappings.by_id(connection, workspace_id=written.workspace_id, mapping_id=mapping_id)
            proposals.change(
                connection,
                workspace_id=written.workspace_id,
                mapping_id=mapping_id,
                enabled=not before.enabled,
                giver=BY,
            )

    return change


def relabel(number: int, labels_: list[str]) -> Change:
    def change(connection: Connection, written: Written) -> None:
        resource = Reference(*RESOURCES[number % 3].split(":"))
        resources.set_labels(
            connection, workspace_id=written.workspace_id, resources=[resource], labels=labels_, by=BY.by
        )

    return change


def rename(label: str) -> Change:
    def change(connection: Connection, written: Written) -> None:
        labels.rename(connection, workspace_id=written.workspace_id, label=label, to="tier:one", by=BY.by)

    return change


def forget(number: int) -> Change:
    def change(connection: Connection, written: Written) -> None:
        gone = Reference(*RESOURCES[number % len(RESOURCES)].split(":"))
        resources.remove(connection, workspace_id=written.workspace_id, resources=[gone], by=BY.by)

    return change


def dismiss(number: int) -> Change:
    def change(connection: Connection, written: Written) -> None:
        place = {"workspace_id": written.workspace_id}
        member = roster.lock(connection, member_id=written.people[number % len(written.people)], **place)
        members.remove(connection, member=member, by=BY.by)

    return change


def foreseen(workspace_id: UUID, change: Callable[[Connection], Any], *, start: int = 1, count: int = 1000) -> Preview:
    """What a change would do, told and taken back."""
    with rehearsal() as connection:
        comparison = Comparison(connection, workspace_id=workspace_id, catalogue=ROLES)
        change(connection)
        return comparison.difference(start=start, count=count)


NUMBERS = st.integers(0, 9)
CHANGES = st.one_of(
    st.builds(give_one, NUMBERS, TERMS),
    st.builds(take_all, NUMBERS),
    st.builds(write_mapping, st.sampled_from(RULES[:4]), TERMS),
    st.builds(switch_mapping, NUMBERS),
    st.builds(relabel, NUMBERS, st.sampled_from([[], ["environment:prod"], ["environment:dev", "product:car"]])),
    st.builds(rename, st.sampled_from(["environment:prod", "product:car"])),
    st.builds(forget, NUMBERS),
    st.builds(dismiss, NUMBERS),
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(worlds(), CHANGES)
def test_a_preview_is_the_difference_that_is_seen_afterwards(new_idp, world: World, change: Change):
    written = write(world, new_idp())
    before = held(written)
    try:
        told = foreseen(written.workspace_id, lambda connection: change(connection, written))
    except Refusal:
        assert held(written) == before
        return
    assert held(written) == before, "nothing is saved"
    with transaction() as connection:
        change(connection, written)
    after = held(written)
    lines = {(line.change, line.user_id, line.role, line.resource) for line in told.lines}
    assert lines == {("gains", *line) for line in after - before} | {("loses", *line) for line in before - after}
    assert (told.gains, told.losses, told.total) == (len(after - before), len(before - after), len(lines))
    assert told.people_affected == len({line.user_id for line in told.lines})


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (relabel(0, []), {("loses", "source:a")}),
        (relabel(1, ["environment:prod"]), {("gains", "source:b")}),
        (forget(0), {("loses", "source:a")}),
        (rename("environment:prod"), set()),
    ],
)
def test_what_moves_under_a_scope_that_stays_is_gained_and_lost(new_idp, change: Change, lines):
    """Worlds seldom hold somebody whom such a change concerns."""
    prod, none = frozenset({"environment:prod"}), frozenset()
    scoped = Terms("source-admin", ("environment:prod",))
    world = World((Person("Sales", active=True, owner=False),), (), (prod, none, none, none), ((0, scoped),), (), ())
    written = write(world, new_idp())
    told = foreseen(written.workspace_id, lambda connection: change(connection, written))
    assert {(line.change, line.resource) for line in told.lines} == lines


def test_a_preview_of_a_role_tells_what_it_would_allow(idp):
    place = {"workspace_id": idp.workspace.id, "catalogue": ROLES}
    with transaction() as connection:
        custom_roles.create(
            connection, key="own", name="Own", description="", actions=["source.read"], by=BY.by, **place
        )
        who = members.create(
            connection,
            workspace_id=idp.workspace.id,
            profile=members.Profile.of({"userName": f"a@{idp.workspace.slug}.example"}),
            connection_id=None,
            by=BY.by,
        )
        roles = custom_roles.of_workspace(connection, **place)
        giver = policies.Giver(BY.by, roles)
        subject = Subject("member", who.id)
        policies.give(connection, workspace_id=idp.workspace.id, subject=subject, terms=Terms("own"), giver=giver)

    def change(connection: Connection) -> None:
        custom_roles.change(connection, key="own", actions=["source.update"], by=BY.by, **place)

    told = foreseen(idp.workspace.id, change)
    assert [(line.change, line.role, line.resource) for line in told.lines] == [("changes", "own", "*")]
    assert told.roles == (RoleChange("own", ("source.update",), ("source.read",)),)


def test_a_page_of_a_preview_is_the_same_part_of_it_though_those_who_are_alike_are_compared_once(idp):
    of = idp.workspace.id
    people = [idp.create_user(f"{name}@corp.example")["id"] for name in "abcd"]
    group = UUID(idp.create_group("Engineering", *people)["id"])
    told = [resources.Registration("source", name, name, ("environment:prod",)) for name in "xyz"]
    with transaction() as connection:
        resources.register(connection, workspace_id=of, resources=told, by=BY.by)

    def change(connection: Connection) -> None:
        terms = Terms("source-admin", ("environment:prod",))
        policies.give(connection, workspace_id=of, subject=Subject("group", group), terms=terms, giver=BY)

    def asked(start: int, count: int) -> Preview:
        return foreseen(of, change, start=start, count=count)

    whole = asked(1, 100)
    assert (whole.gains, whole.people_gaining, whole.total, len(whole.lines)) == (12, 4, 12, 12)
    assert sorted({(str(line.user_id), line.resource) for line in whole.lines}) == [
        (str(line.user_id), line.resource) for line in whole.lines
    ]
    for start, count in ((1, 4), (3, 4), (12, 5), (13, 5)):
        assert asked(start, count).lines == whole.lines[start - 1 : start - 1 + count]
