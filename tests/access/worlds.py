"""Small worlds of people, groups, rules and resources: written to the service, and judged by brute force beside it.

The brute force knows nothing of the service's code: it walks through everything that was written and applies the
sentences of the access rules one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from config.roles import CATALOGUE
from provisioning.access import labels, ownership, policies, proposals, resources
from provisioning.access.drafts import Rule
from provisioning.access.policies import Giver, Subject, Terms
from provisioning.access.resources import Registration
from provisioning.access.roles import Catalogue
from provisioning.database import transaction
from provisioning.directory import groups, local_groups, members
from provisioning.directory.profile import GroupProfile, Profile
from provisioning.outbox import Actor
from tests.conftest import ENTERPRISE_URN, Idp

T = TypeVar("T")
ROLES = Catalogue(CATALOGUE)
BY = Giver(Actor("operator", "world"), ROLES)
DEPARTMENTS = ("Finance", "Sales")
NAMES = ("eng-a", "eng-car", "seg-prod-source-admin", "seg-dev-source-read-only", "other")
LABELS = ("environment:prod", "environment:dev", "product:car", "product:truck")
RESOURCES = ("source:a", "source:b", "space:s", "function:f")
ACTIONS = ("source.update", "source.read", "source.create", "space.read", "function.read", "pii.read", "mapping.create")
GIVEN = ("source-admin", "source-read-only", "function-admin", "unify-and-engage-read-only", "pii-access")
RULES = (
    Rule("Group", 'displayName sw "eng-"'),
    Rule("Group", 'displayName eq "OTHER"'),
    Rule("User", f'{ENTERPRISE_URN}:department eq "finance"'),
    Rule("User", 'groups[display eq "eng-a"]'),
    Rule("Group", pattern="seg-{label.environment}-{role}"),
    Rule("Group", pattern="eng-{label.product}"),
)


@dataclass(frozen=True)
class Person:
    department: str
    active: bool
    owner: bool


@dataclass(frozen=True)
class UserGroup:
    name: str
    linked: bool
    inside: frozenset[int]


@dataclass(frozen=True)
class Mapping:
    rule: Rule
    terms: Terms
    enabled: bool


@dataclass(frozen=True)
class World:
    people: tuple[Person, ...]
    groups: tuple[UserGroup, ...]
    labelled: tuple[frozenset[str], ...]
    own: tuple[tuple[int, Terms], ...]
    of_groups: tuple[tuple[int, Terms], ...]
    mappings: tuple[Mapping, ...]

    def terms_of(self, person: int) -> Iterator[Terms]:
        """What somebody who is active has, by hand, by groups and by mappings."""
        yield from (terms for whose, terms in self.own if whose == person)
        mine = [(n, group) for n, group in enumerate(self.groups) if person in group.inside]
        yield from (terms for whose, terms in self.of_groups if whose in {n for n, _ in mine})
        pushed = [group.name for _, group in mine if group.linked]
        for mapping in self.mappings:
            if mapping.enabled:
                yield from _meant(mapping, self.people[person], pushed, [group.name for _, group in mine])

    def allows(self, person: int, action: str, resource: str | None) -> bool:
        """Whether somebody may do something."""
        who = self.people[person]
        if not who.active:
            return False
        if who.owner:
            return True
        held = list(self.terms_of(person))
        plain = [terms for terms in held if terms.role != "pii-access"]
        if action == "pii.read":
            modified = len(plain) < len(held) and resource is not None and resource.split(":")[0] in {"source", "space"}
            return modified and any(self._reaches(terms, resource or "") for terms in plain)
        return any(
            action in ROLES[terms.role].actions
            and (_is_all(terms) if resource is None else self._reaches(terms, resource))
            for terms in plain
        )

    def _reaches(self, terms: Terms, resource: str) -> bool:
        if resource.split(":", maxsplit=1)[0] not in ROLES[terms.role].resource_types:
            return False
        if terms.resources:
            return resource in terms.resources
        return set(terms.labels) <= self.labelled[RESOURCES.index(resource)]


def _is_all(terms: Terms) -> bool:
    return not terms.labels and not terms.resources


def _meant(mapping: Mapping, who: Person, pushed: list[str], mine: list[str]) -> Iterator[Terms]:
    said = {
        RULES[0]: [mapping.terms for name in pushed if name.startswith("eng-")],
        RULES[1]: [mapping.terms for name in pushed if name == "other"],
        RULES[2]: [mapping.terms] * (who.department == "Finance"),
        RULES[3]: [mapping.terms] * ("eng-a" in mine),
        RULES[4]: [SAID[name] for name in pushed if name in SAID],
        RULES[5]: [
            Terms(mapping.terms.role, (*mapping.terms.labels, f"product:{name[4:]}"))
            for name in pushed
            if name.startswith("eng-")
        ],
    }
    yield from said[mapping.rule]


SAID = {
    "seg-prod-source-admin": Terms("source-admin", ("environment:prod",)),
    "seg-dev-source-read-only": Terms("source-read-only", ("environment:dev",)),
}


def _terms(role: str) -> st.SearchStrategy[Terms]:
    fit = [name for name in RESOURCES if name.split(":")[0] in ROLES[role].resource_types]
    ways = [st.just(Terms(role))]
    if "labels" in ROLES[role].scopes:
        ways.append(
            st.sets(st.sampled_from(LABELS), min_size=1, max_size=2).map(lambda s: Terms(role, tuple(sorted(s))))
        )
    if "resources" in ROLES[role].scopes:
        ways.append(st.sets(st.sampled_from(fit), min_size=1).map(lambda s: Terms(role, (), tuple(sorted(s)))))
    return st.one_of(ways)


TERMS = st.sampled_from(GIVEN).flatmap(_terms)
_LABELLED = st.tuples(
    st.sampled_from(("environment:prod", "environment:dev", "")), st.sampled_from(("product:car", "product:truck", ""))
).map(lambda pair: frozenset(filter(None, pair)))


def _fitting(rule: Rule) -> st.SearchStrategy[Mapping]:
    if rule == RULES[5]:
        terms: st.SearchStrategy[Terms] = st.sampled_from(("source-admin", "source-read-only")).map(Terms)
    else:
        terms = TERMS
    return st.builds(Mapping, st.just(rule), terms, st.sampled_from((True, True, False)))


@st.composite
def worlds(draw: Any) -> World:
    """A world in which everything can happen to everybody."""
    someone = st.builds(
        Person,
        st.sampled_from(DEPARTMENTS),
        st.sampled_from((True, True, False)),
        st.sampled_from((False, False, False, True)),
    )
    people = draw(st.lists(someone, min_size=1, max_size=4))

    def some_of(those: Iterable[T]) -> list[T]:
        # Lists of a strategy are short for the most part, and little happens to anybody.
        return [one for one in those if draw(st.booleans())]

    # Only what is pushed means something by its name.
    linked = st.sampled_from((True, True, False))
    found = [UserGroup(name, draw(linked), frozenset(some_of(range(len(people))))) for name in some_of(NAMES)]
    some = st.tuples(st.integers(0, len(people) - 1), TERMS)
    of_groups = st.lists(st.tuples(st.integers(0, len(found) - 1), TERMS), max_size=3) if found else st.just([])
    return World(
        tuple(people),
        tuple(found),
        (draw(_LABELLED), draw(_LABELLED), draw(_LABELLED), frozenset()),
        tuple(draw(st.lists(some, max_size=3))),
        tuple(draw(of_groups)),
        tuple(draw(_fitting(rule)) for rule in some_of(RULES)),
    )


# In worlds that are drawn, what names of groups say seldom decides a question.
NAMES_SAY_ALL = World(
    (Person("Sales", active=True, owner=False),),
    tuple(UserGroup(name, linked=True, inside=frozenset({0})) for name in ("eng-car", "seg-prod-source-admin")),
    (frozenset({"product:car"}), frozenset({"environment:prod"}), frozenset(), frozenset()),
    (),
    (),
    tuple(Mapping(rule, Terms("source-admin"), enabled=True) for rule in RULES[4:]),
)


@dataclass(frozen=True)
class Written:
    """A world as the service has it: the ids of its people and groups."""

    workspace_id: UUID
    people: list[UUID]
    groups: list[UUID]
    mappings: list[UUID]


def write(world: World, idp: Idp) -> Written:
    """Write a world through the rooms' verbs, in a workspace of its own."""
    of = idp.workspace.id
    with transaction() as connection:
        place = {"workspace_id": of, "by": BY.by}
        for label in LABELS[2:]:
            labels.create(connection, label=label, description=None, **place)
        told = [
            Registration(*name.split(":"), name, tuple(carried) if carried else None)
            for name, carried in zip(RESOURCES, world.labelled, strict=True)
        ]
        resources.register(connection, resources=told, **place)
        people = [_person(connection, idp, n, person) for n, person in enumerate(world.people)]
        found = [_group(connection, idp, group, people) for group in world.groups]
        for whose, terms in world.own:
            _give(connection, of, Subject("member", people[whose]), terms)
        for whose, terms in world.of_groups:
            _give(connection, of, Subject("group", found[whose]), terms)
        written = [_mapping(connection, of, mapping) for mapping in world.mappings]
    return Written(of, people, found, written)


def _person(connection: Any, idp: Idp, number: int, person: Person) -> UUID:
    document = {
        "userName": f"p{number}@{idp.workspace.slug}.example",
        "active": person.active,
        ENTERPRISE_URN: {"department": person.department},
    }
    added = members.create(
        connection,
        workspace_id=idp.workspace.id,
        profile=Profile.of(document),
        connection_id=idp.connection.id,
        by=BY.by,
    )
    if person.owner:
        ownership.give(
            connection,
            workspace_id=idp.workspace.id,
            member_id=added.id,
            terms=[Terms("workspace-owner")],
            giver=BY,
        )
    return added.id


def _group(connection: Any, idp: Idp, group: UserGroup, people: list[UUID]) -> UUID:
    place = {"workspace_id": idp.workspace.id, "by": BY.by}
    inside = [people[n] for n in sorted(group.inside)]
    if group.linked:
        profile = GroupProfile.of({"displayName": group.name})
        made = groups.create(
            connection,
            profile=profile,
            members=list(map(str, inside)),
            connection_id=idp.connection.id,
            **place,
        )
    else:
        made = local_groups.create(connection, name=group.name, **place)
        local_groups.change_members(connection, group=made, added=inside, by=BY.by)
    return made.id


def _give(connection: Any, workspace_id: UUID, subject: Subject, terms: Terms) -> None:
    policies.give(connection, workspace_id=workspace_id, subject=subject, terms=terms, giver=BY)


def _mapping(connection: Any, workspace_id: UUID, mapping: Mapping) -> UUID:
    by_name = mapping.rule == RULES[4]
    made = proposals.create(
        connection,
        workspace_id=workspace_id,
        name="",
        rule=mapping.rule,
        terms=[] if by_name else [mapping.terms],
        giver=BY,
    )
    if not mapping.enabled:
        proposals.change(connection, workspace_id=workspace_id, mapping_id=made.id, enabled=False, giver=BY)
    return made.id
