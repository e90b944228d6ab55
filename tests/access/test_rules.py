from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.roles import CATALOGUE
from provisioning.access.roles import Catalogue
from provisioning.access.rules import (
    NEVER,
    Facts,
    Grant,
    Path,
    Reference,
    Resource,
    Scope,
    decide,
    effective,
    missing,
)

ROLES = Catalogue(CATALOGUE)
A = Resource(Reference("source", "a"), frozenset({"environment:prod", "product:car"}))
B = Resource(Reference("source", "b"), frozenset({"environment:prod", "product:truck"}))
C = Resource(Reference("source", "c"), frozenset({"environment:dev", "product:car"}))
SOURCES = {"A": A, "B": B, "C": C}
OWN = Path("policy", policy="p")


def labelled(*labels: str, role: str = "source-admin") -> Grant:
    return Grant(ROLES[role], Scope("labels", labels=frozenset(labels)), OWN)


def reached(*grants: Grant, action: str = "source.update") -> set[str]:
    return {name for name, source in SOURCES.items() if decide(Facts(grants), action, source).allowed}


@pytest.mark.parametrize(
    ("grants", "sources"),
    [
        ([labelled("environment:prod")], {"A", "B"}),
        ([labelled("environment:prod", "product:truck")], {"B"}),
        ([labelled("product:car")], {"A", "C"}),
        ([labelled("environment:prod", "product:truck"), labelled("environment:dev")], {"B", "C"}),
        ([labelled("environment:dev", "product:truck")], set()),
        ([Grant(ROLES["source-admin"], Scope(), OWN)], {"A", "B", "C"}),
        ([Grant(ROLES["source-admin"], Scope("resources", frozenset({C.reference})), OWN)], {"C"}),
        ([labelled("environment:prod", role="source-read-only")], set()),
        ([], set()),
    ],
)
def test_labels_of_one_policy_are_anded_and_policies_are_united(grants, sources):
    assert reached(*grants) == sources


def test_read_only_and_admin_make_admin():
    grants = [labelled("environment:prod", role="source-read-only"), labelled("environment:prod")]
    assert reached(*grants) == {"A", "B"}
    assert reached(*grants, action="source.read") == {"A", "B"}


def test_only_a_grant_on_all_sources_lets_create_one():
    assert not decide(Facts((labelled("environment:prod"),)), "source.create").allowed
    assert decide(Facts((Grant(ROLES["source-admin"], Scope(), OWN),)), "source.create").allowed


def test_a_role_says_nothing_of_types_that_are_not_its_own():
    warehouse = Resource(Reference("warehouse", "w"))
    assert not decide(Facts((Grant(ROLES["source-admin"], Scope(), OWN),)), "source.update", warehouse).allowed


def test_pii_access_shows_more_of_what_is_reached_and_reaches_nothing():
    pii = Grant(ROLES["pii-access"], Scope(), OWN)
    assert reached(pii, action="pii.read") == set()
    assert reached(pii, labelled("environment:dev", role="source-read-only"), action="pii.read") == {"C"}


def test_an_owner_may_do_everything_even_what_no_role_names():
    owner = Facts((Grant(ROLES["workspace-owner"], Scope(), Path("ownership")),))
    assert decide(owner, "anything.at-all").allowed
    assert decide(owner, "pii.read", A).allowed


def test_every_path_to_an_answer_is_told_once():
    by_group = Path("mapping", group="eng", mapping="m", condition="c")
    grants = (labelled("environment:prod"), labelled("environment:prod"))
    grants += (Grant(ROLES["source-admin"], grants[0].scope, by_group),)
    (line,) = effective(Facts(grants))
    assert line.paths == (OWN, by_group)


LABELS = [f"{key}:{value}" for key in ("k", "l") for value in ("x", "y")]
label_sets = st.frozensets(st.sampled_from(LABELS))
scopes = st.one_of(
    st.just(Scope()),
    st.sets(st.integers(0, 3).map(str)).map(
        lambda ids: Scope("resources", frozenset(Reference("source", i) for i in ids))
    ),
    label_sets.map(lambda labels: Scope("labels", labels=labels)),
)


@given(
    grants=st.lists(st.tuples(st.sampled_from(["source-admin", "source-read-only"]), scopes), max_size=5),
    labels=label_sets,
    identifier=st.integers(0, 3).map(str),
    action=st.sampled_from(["source.read", "source.update"]),
)
def test_the_engine_says_what_set_algebra_says(grants, labels, identifier, action):
    resource = Resource(Reference("source", identifier), labels)
    expected = any(
        action in ROLES[role].actions
        and (
            scope.kind == "all"
            or (scope.kind == "resources" and resource.reference in scope.resources)
            or (scope.kind == "labels" and all(label in labels for label in scope.labels))
        )
        for role, scope in grants
    )
    facts = Facts(tuple(Grant(ROLES[role], scope, OWN) for role, scope in grants))
    assert decide(facts, action, resource).allowed is expected


@given(scopes)
def test_a_scope_is_read_as_it_was_stored(scope):
    assert Scope.from_json(scope.as_json()) == scope


def test_the_catalogue_has_the_nineteen_roles_with_distinct_names():
    assert len(list(ROLES)) == 19
    assert len({role.name for role in ROLES}) == 19
    assert all(role.scopes <= {"all", "resources", "labels"} and role.actions for role in ROLES)


MAY = datetime(2030, 5, 1, tzinfo=UTC)
JUNE, JULY = "2030-06-01T00:00:00+00:00", "2030-07-01T00:00:00+02:00"


@pytest.mark.parametrize(
    ("ends", "within", "until", "may"),
    [
        ((None,), (), NEVER, True),
        ((JUNE,), (), MAY, True),
        ((JUNE,), (), datetime.fromisoformat(JUNE), True),
        ((JUNE,), (), datetime.fromisoformat(JULY), False),
        ((JUNE,), (), NEVER, False),
        ((JUNE,), (), None, True),
        ((JUNE, JULY), (), datetime.fromisoformat(JULY), True),
        ((JUNE, None), (), NEVER, True),
        ((None,), (JUNE,), NEVER, False),
        ((None,), (JUNE,), MAY, True),
    ],
)
def test_nobody_gives_for_longer_than_they_have(ends, within, until, may):
    role = ROLES["source-admin"]

    def held(moments):
        return tuple(Grant(role, Scope(), Path("policy", policy="p", ends=end)) for end in moments)

    giver = Facts(held(ends), Facts(held(within)) if within else None)
    assert (missing(giver, role, Scope(), until) is None) is may
