"""The simulated company: who works there and in which groups, before and after a day of changes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from provisioning.simulator.names import DEPARTMENTS, FAMILY, GIVEN, TEAMS, TITLES

_DOMAIN = "corp.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as the identity provider knows them."""

    external_id: str
    user_name: str
    given_name: str
    family_name: str
    display_name: str
    department: str
    title: str
    manager: int | None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Team:
    """A group, with the people and the groups in it by their numbers; these are no members of its members' groups."""

    external_id: str
    name: str
    members: frozenset[int]
    teams: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """The company at one time: people and teams by their numbers."""

    people: Mapping[int, Person]
    teams: Mapping[int, Team]


@dataclass(frozen=True, slots=True)
class Changes:
    """What happens in a day; everything that isn't named stays as it is."""

    before: State
    after: State
    updated: frozenset[int]
    suspended: frozenset[int]
    returning: frozenset[int]
    leaving: frozenset[int]
    joining: frozenset[int]
    renamed_teams: frozenset[int]
    dissolved_teams: frozenset[int]
    moved: Mapping[int, tuple[frozenset[int], frozenset[int]]] = field(default_factory=dict)


def company(*, seed: int, users: int, groups: int) -> Changes:
    """A company and its day, the same for the same numbers.

    Args:
        seed: decides who works there.
        users: how many people at first.
        groups: how many teams at first.
    """
    chance = random.Random(f"{seed}")  # noqa: S311 - plausible people, not secrets
    people = {number: _person(chance, number, users) for number in range(users)}
    teams = {number: _team(chance, number, users) for number in range(groups)}
    if groups > 1:
        teams[0] = replace(teams[0], teams=frozenset({1}))
    return _day(State(people, teams))


def at_domain(day: Changes, domain: str) -> Changes:
    """The same company with addresses of its own: two that push to one workspace know different people."""

    def moved(state: State) -> State:
        people = {
            number: replace(person, user_name=person.user_name.replace(f"@{_DOMAIN}", f"@{domain}"))
            for number, person in state.people.items()
        }
        return replace(state, people=people)

    return replace(day, before=moved(day.before), after=moved(day.after))


def flattened(day: Changes) -> Changes:
    """The same company as one sees it who counts the people in a group's groups among its own."""

    def with_everybody(state: State) -> State:
        teams = {
            number: replace(team, members=team.members.union(*(state.teams[inner].members for inner in team.teams)))
            for number, team in state.teams.items()
        }
        return replace(state, teams=teams)

    before, after = with_everybody(day.before), with_everybody(day.after)
    moved = {
        number: (
            team.members - before.teams[number].members,
            (before.teams[number].members & after.people.keys()) - team.members,
        )
        for number, team in after.teams.items()
    }
    return replace(day, before=before, after=after, moved=moved)


def _person(chance: random.Random, number: int, users: int) -> Person:
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    alias = "+hipaa" if number % 17 == 0 else ""
    return Person(
        external_id=f"00u{chance.getrandbits(64):016x}{number}",
        user_name=f"person{number}{alias}@{_DOMAIN}",
        given_name=given,
        family_name=family,
        display_name=f"{given} {family}",
        department=chance.choice(DEPARTMENTS),
        title=chance.choice(TITLES),
        manager=chance.randrange(users) if number else None,
    )


def _team(chance: random.Random, number: int, users: int) -> Team:
    size = min(users, 2 + chance.randrange(40))
    name = TEAMS[number % len(TEAMS)]
    return Team(
        external_id=f"00g{chance.getrandbits(64):016x}{number}",
        name=name if number < len(TEAMS) else f"{name} {number // len(TEAMS) + 1}",
        members=frozenset(chance.sample(range(users), size)),
    )


def _day(before: State) -> Changes:
    """A day: who is where follows from the numbers, so that every kind of change is there."""
    numbers = list(before.people)
    chosen = {kind: frozenset(n for n in numbers if n % 20 == place) for kind, place in _PLACES.items()}
    people = {n: _changed(person, n) for n, person in before.people.items() if n not in chosen["leaving"]}
    joining = frozenset(range(len(numbers), len(numbers) + max(1, len(numbers) // 20)))
    newcomers = random.Random(len(numbers))  # noqa: S311 - plausible people, not secrets
    people |= {n: _person(newcomers, n, len(numbers)) for n in joining}
    dissolved = frozenset({len(before.teams) - 1}) if len(before.teams) > 2 else frozenset[int]()  # noqa: PLR2004 - keep some
    teams: dict[int, Team] = {}
    moved: dict[int, tuple[frozenset[int], frozenset[int]]] = {}
    for n, team in before.teams.items():
        if n in dissolved:
            continue
        staying = team.members - chosen["leaving"]
        is_emptied = n % 4 == _EMPTIED
        out = frozenset(sorted(staying)[: None if is_emptied else 1]) if len(staying) > 1 else frozenset[int]()
        into = frozenset[int]() if is_emptied else frozenset({min(joining) + n % len(joining)})
        moved[n] = (into, out)
        inside = team.teams - dissolved
        teams[n] = replace(team, name=_renamed(team, n), members=(staying - out) | into, teams=inside)
    renamed = frozenset(n for n in teams if teams[n].name != before.teams[n].name)
    return Changes(
        before,
        State(people, teams),
        updated=chosen["married"] | chosen["promoted"] | chosen["new address"],
        suspended=chosen["suspended"],
        returning=chosen["returning"],
        leaving=chosen["leaving"],
        joining=joining,
        renamed_teams=renamed,
        dissolved_teams=dissolved,
        moved=moved,
    )


_EMPTIED = 2
_PLACES = {"married": 1, "new address": 2, "promoted": 3, "suspended": 4, "returning": 5, "leaving": 6}


def _changed(person: Person, number: int) -> Person:
    place = number % 20
    if place == _PLACES["married"]:
        family = f"{person.family_name}-Novák"
        return replace(person, family_name=family, display_name=f"{person.given_name} {family}")
    if place == _PLACES["new address"]:
        return replace(person, user_name=f"renamed.{person.user_name}")
    if place == _PLACES["promoted"]:
        return replace(person, title=f"Senior {person.title}", department="Board & Co.")
    return replace(person, active=False) if place == _PLACES["suspended"] else person


def _renamed(team: Team, number: int) -> str:
    return f"{team.name} (new)" if number % 4 == 0 else team.name
