from __future__ import annotations

from provisioning.simulator.company import company, flattened


def test_the_same_numbers_make_the_same_company_and_another_seed_another():
    assert company(seed=1, users=50, groups=5) == company(seed=1, users=50, groups=5)
    assert company(seed=1, users=50, groups=5) != company(seed=2, users=50, groups=5)


def test_everybody_is_told_apart():
    day = company(seed=1, users=5000, groups=60)
    everybody = {**day.before.people, **day.after.people}.values()
    assert len({p.user_name.casefold() for p in everybody}) == len(list(everybody))
    assert len({p.external_id for p in everybody}) == len(list(everybody))
    assert len({t.name.casefold() for t in day.before.teams.values()}) == 60


def test_every_kind_of_change_happens_and_the_day_ends_where_it_says():
    day = company(seed=1, users=60, groups=8)
    kinds = (
        day.updated,
        day.suspended,
        day.returning,
        day.leaving,
        day.joining,
        day.renamed_teams,
        day.dissolved_teams,
    )
    assert all(kinds)
    assert not day.leaving & day.after.people.keys()
    assert day.joining <= day.after.people.keys()
    assert {n for n, p in day.after.people.items() if not p.active} == day.suspended
    for number, team in day.after.teams.items():
        into, out = day.moved[number]
        assert team.members == ((day.before.teams[number].members - day.leaving) - out) | into
        assert team.members <= day.after.people.keys()


def test_the_smallest_company_has_a_day_too():
    assert company(seed=1, users=1, groups=0).after.people


def test_a_group_loses_everybody_and_one_holds_another():
    day = company(seed=1, users=60, groups=8)
    assert [n for n, team in day.after.teams.items() if not team.members] == [2, 6]
    assert {n: team.teams for n, team in day.before.teams.items() if team.teams} == {0: {1}}
    assert company(seed=1, users=60, groups=1).before.teams[0].teams == set()


def test_flattened_a_group_has_the_people_of_the_groups_in_it_and_its_day_fits():
    day = company(seed=1, users=60, groups=8)
    flat = flattened(day)
    for state, flat_state in ((day.before, flat.before), (day.after, flat.after)):
        assert flat_state.teams[0].members == state.teams[0].members | state.teams[1].members
        assert flat_state.teams[3].members == state.teams[3].members
    for number, team in flat.after.teams.items():
        into, out = flat.moved[number]
        assert team.members == ((flat.before.teams[number].members - day.leaving) - out) | into
