from __future__ import annotations

from provisioning.simulator.company import company


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
