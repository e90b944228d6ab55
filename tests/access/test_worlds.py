"""The engine against brute force, in generated worlds: one person's access, and everybody's."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provisioning.access import facts, holders, resources
from provisioning.access.rules import Resource, decide
from provisioning.access.scopes import parse_reference
from provisioning.database import reading
from provisioning.directory.paging import Window
from tests.access.worlds import ACTIONS, NAMES_SAY_ALL, RESOURCES, ROLES, World, worlds, write

# As many worlds as a change has time for; DEEPER=20 looks at twenty times as many.
ONE_BY_ONE = settings(
    max_examples=40 * int(os.environ.get("DEEPER", "1")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
QUESTIONS = [(action, resource) for action in ACTIONS for resource in (*RESOURCES, None)]
# What an action is never done to, only owners may be told of: some of these questions in each world are enough.
FITTING = [
    (action, name) for action, name in QUESTIONS if name is None or action.split(".")[0] in {"pii", name.split(":")[0]}
]
OTHERS = st.lists(st.sampled_from([asked for asked in QUESTIONS if asked not in FITTING]), min_size=2, max_size=2)


@ONE_BY_ONE
@given(worlds())
@example(NAMES_SAY_ALL)
def test_one_persons_access_is_what_the_rules_say(new_idp, world: World):
    written = write(world, new_idp())
    place = {"workspace_id": written.workspace_id, "catalogue": ROLES}
    for number, member_id in enumerate(written.people):
        for action, name in QUESTIONS:
            on = None if name is None else parse_reference(name)
            with reading() as connection:
                case = facts.of_member(connection, member_id=member_id, on=on, **place)
            allowed = decide(case.facts, action, case.resource).allowed
            assert allowed == world.allows(number, action, name), (number, action, name)


@ONE_BY_ONE
@given(worlds(), OTHERS)
@example(NAMES_SAY_ALL, [])
def test_everybodys_access_is_what_each_ones_is(new_idp, world: World, others: list[tuple[str, str | None]]):
    written = write(world, new_idp())
    for action, name in [*FITTING, *others]:
        with reading() as connection:
            on = None
            if name is not None:
                reference = parse_reference(name)
                carried = resources.labels_of(connection, workspace_id=written.workspace_id, resources=[reference])
                on = Resource(reference, frozenset(carried[reference]))
            found = holders.who_can(
                connection,
                workspace_id=written.workspace_id,
                action=action,
                resource=on,
                catalogue=ROLES,
                window=Window(100),
            )
        able = {member for n, member in enumerate(written.people) if world.allows(n, action, name)}
        assert {holder.id for holder in found.items} == able, (action, name)
        assert found.total == len(able)
        assert all(holder.paths for holder in found.items)
