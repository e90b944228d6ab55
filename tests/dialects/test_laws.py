"""The two laws of a quirk: what conforms comes out unchanged, and twice is once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.dialects import (
    DIALECTS,
    normalise_filter,
    normalise_patch,
    normalise_replacement,
    normalise_resource,
)
from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.filter import parse_filter
from provisioning.scim.patch import PATCH_URN
from provisioning.scim.schema import Attribute, Schema

URN, ENTERPRISE = USER.schema.id, USER.extensions[0].id
text = st.text(max_size=8)
conforming_users = st.fixed_dictionaries(
    {"schemas": st.just([URN, ENTERPRISE]), "userName": text},
    optional={
        "active": st.booleans(),
        "name": st.fixed_dictionaries({}, optional={"givenName": text, "familyName": text}),
        "emails": st.lists(st.fixed_dictionaries({"value": text}, optional={"primary": st.booleans(), "type": text})),
        "roles": st.lists(st.fixed_dictionaries({"value": st.sampled_from(["admin", "a{b}"])})),
        ENTERPRISE: st.fixed_dictionaries({}, optional={"department": text, "manager": st.just({"value": "1"})}),
        "unknown": st.integers(),
    },
)
# The dialects in which something means what it means in no other, and the one that leaves it open.
MEANING = sorted(name for name, dialect in DIALECTS.items() if dialect.means or name == "other")
# What leaves no doubt names the members: an empty list, where there are none.
conforming_groups = st.fixed_dictionaries(
    {
        "schemas": st.just([GROUP.schema.id]),
        "displayName": text,
        "members": st.lists(st.fixed_dictionaries({"value": text}, optional={"type": st.just("User")})),
    },
    optional={"externalId": st.sampled_from(["0f3", " x "]), "unknown": st.integers()},
)
operations = st.one_of(
    st.fixed_dictionaries({"op": st.sampled_from(["add", "replace"]), "path": st.just("displayName"), "value": text}),
    st.fixed_dictionaries({"op": st.just("replace"), "path": st.just("active"), "value": st.booleans()}),
    st.fixed_dictionaries({"op": st.just("remove"), "path": st.just('emails[type eq "work"]')}),
    st.fixed_dictionaries(
        {"op": st.just("add"), "path": st.just("emails"), "value": st.lists(st.just({"value": "a"}), min_size=1)}
    ),
    st.fixed_dictionaries({"op": st.just("add"), "value": st.fixed_dictionaries({"displayName": text})}),
)
conforming_patches = st.fixed_dictionaries({"schemas": st.just([PATCH_URN]), "Operations": st.lists(operations)})
keys = st.sampled_from(
    ["schemas", "active", "Active", "emails", "members", "manager", "roles", "password", "id", "op", "path", "value",
     "Operations", "operations", "displayName", ENTERPRISE, "urn:scim:schemas:core:1.0"]
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["True", "", "members", '{"value":"x"}', "Add", "REMOVE"]) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


@given(conforming_users)
def test_a_conforming_resource_comes_out_as_it_is(body):
    normalised = normalise_resource(body, USER)
    assert (normalised.body, normalised.quirks) == (body, ())


@given(conforming_patches)
def test_a_conforming_patch_comes_out_as_it_is(body):
    normalised = normalise_patch(body, USER)
    assert (normalised.body, normalised.quirks) == (body, ())


@pytest.mark.parametrize("dialect", MEANING)
@given(user=conforming_users, group=conforming_groups)
def test_a_conforming_replacement_comes_out_as_it_is_in_every_dialect(dialect, user, group):
    for body, kind in ((user, USER), (group, GROUP)):
        normalised = normalise_replacement(body, kind, dialect)
        assert (normalised.body, normalised.quirks, normalised.ambiguous) == (body, (), ())


@pytest.mark.parametrize("dialect", MEANING)
@pytest.mark.parametrize("resource_type", [USER, GROUP], ids=lambda kind: kind.name)
@given(body=anything)
def test_twice_is_once_in_every_dialect(resource_type, dialect, body):
    once = normalise_replacement(body, resource_type, dialect).body
    assert normalise_replacement(once, resource_type, dialect).body == once


@pytest.mark.parametrize("resource_type", [USER, GROUP], ids=lambda kind: kind.name)
@given(body=anything)
def test_twice_is_once_and_nothing_is_raised(resource_type, body):
    for normalise in (normalise_resource, normalise_patch):
        once = normalise(body, resource_type).body
        assert normalise(once, resource_type).body == once


def test_what_is_no_list_has_no_bare_elements():
    badge = Attribute("badge", "One.", type="complex", sub_attributes=(Attribute("value", "Its number."),))
    extended = replace(USER, extensions=(Schema("urn:example:badge", "Badge", "A badge.", (badge,)),))
    body = {"schemas": [USER.schema.id], "userName": "ann", "urn:example:badge": {"badge": "7"}}
    assert normalise_resource(body, extended).body == body


@pytest.mark.parametrize(
    ("sent", "standard"),
    [
        ("externalId eq 12345", 'externalId eq "12345"'),
        ("not (userName eq true)", 'not (userName eq "true")'),
        ("emails eq 7 or emails.value eq 7", 'emails eq "7" or emails.value eq "7"'),
        ("emails[type eq 7 and primary eq true]", 'emails[type eq "7" and primary eq true]'),
        ('id eq "1" and manager eq "2"', f'id eq "1" and {ENTERPRISE}:manager eq "2"'),
        ('Manager.Value eq "2"', f'{ENTERPRISE}:Manager.Value eq "2"'),
        ("department pr and costCenter eq 7", f'{ENTERPRISE}:department pr and {ENTERPRISE}:costCenter eq "7"'),
    ],
)
def test_a_filter_is_put_right_and_the_deviation_is_named(sent, standard):
    normalised = normalise_filter(parse_filter(sent), USER)
    assert (normalised.condition, bool(normalised.quirks)) == (parse_filter(standard), True)
    again = normalise_filter(normalised.condition, USER)
    assert (again.condition, again.quirks) == (normalised.condition, ())


@pytest.mark.parametrize(
    "conforming",
    [
        'userName eq "7" and not (active eq true) or title pr',
        'emails[type eq "work" and primary eq true].value eq "x"',
        f'{ENTERPRISE}:manager eq "2" and {ENTERPRISE}:manager.value pr',
        'meta.created gt "2015-10-10T14:38:21Z"',
        "externalId eq null",
        "nobody eq 7 and nothing[x eq 1]",
        "externalId eq 1.50",
    ],
)
@pytest.mark.parametrize("resource_type", [USER, GROUP], ids=lambda kind: kind.name)
def test_a_filter_that_conforms_or_is_beyond_help_comes_out_as_it_is(conforming, resource_type):
    tree = parse_filter(conforming)
    assert normalise_filter(tree, resource_type).condition == tree
