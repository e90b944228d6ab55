from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.errors import InvalidFilter, ScimError, TooMany
from provisioning.scim.filter import (
    OPERATORS,
    And,
    Comparison,
    Not,
    Or,
    Present,
    ValuePath,
    parse_filter,
    to_text,
)
from provisioning.scim.match import matches
from provisioning.scim.path import AttributePath

USER_URN, ENTERPRISE_URN = USER.schema.id, USER.extensions[0].id


def path(name: str, sub: str | None = None, urn: str | None = None) -> AttributePath:
    return AttributePath(urn, name, sub)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('userName eq "bjensen"', Comparison(path("userName"), "eq", "bjensen")),
        ('userName EQ "a\\"b\\u00e9"', Comparison(path("userName"), "eq", 'a"bé')),
        ("title pr", Present(path("title"))),
        ("active eq True", Comparison(path("active"), "eq", value=True)),
        ("x eq null", Comparison(path("x"), "eq", None)),
        ("x eq 0.00012345678901234567", Comparison(path("x"), "eq", 0.00012345678901234567)),
        ("x gt -1.5e3", Comparison(path("x"), "gt", -1500.0)),
        ("externalId eq ada", Comparison(path("externalId"), "eq", "ada")),
        ("meta.created gt 2015-10-10T14:38:21.8617979-07:00", None),
        (f'{USER_URN}:name.familyName co "x"', Comparison(path("name", "familyName", USER_URN), "co", "x")),
        ("a pr and b pr or c pr", Or((And((Present(path("a")), Present(path("b")))), Present(path("c"))))),
        ("a pr and (b pr or c pr)", And((Present(path("a")), Or((Present(path("b")), Present(path("c"))))))),
        ("not (a pr)", Not(Present(path("a")))),
        ('emails[type eq "work"]', ValuePath(path("emails"), Comparison(path("type"), "eq", "work"))),
        (
            'emails[type eq "work"].value eq "x"',
            ValuePath(
                path("emails"),
                And((Comparison(path("type"), "eq", "work"), Comparison(path("value"), "eq", "x"))),
            ),
        ),
        ('  userName   sw\t"J"  ', Comparison(path("userName"), "sw", "J")),
    ],
)
def test_the_grammar(text, tree):
    parsed = parse_filter(text)
    assert tree is None or parsed == tree
    assert parse_filter(to_text(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1),
        ("userName", 9),
        ("userName eq", 12),
        ('userName eq "a', 12),
        ('userName = "a"', 10),
        ('userName eq "a" "b"', 17),
        ('(userName eq "a"', 17),
        ('userName eq "a")', 16),
        ('emails[type eq "a"', 19),
        ("1name pr", 1),
        ("not userName pr", 5),
        ('userName eq "\\ud800"', 13),
        ("and pr and", 11),
    ],
)
def test_a_wrong_filter_is_refused_at_its_place(text, place):
    with pytest.raises(InvalidFilter, match=f"character {place} "):
        parse_filter(text)


@pytest.mark.parametrize("text", ["(" * 10_000, "not (" * 10_000, "a[" * 5000, "x pr or " * 300 + "x pr", '"' * 9000])
def test_no_filter_is_too_much(text):
    with pytest.raises((TooMany, InvalidFilter)):
        parse_filter(text)


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name.lower() != "not")
paths = st.builds(AttributePath, st.sampled_from([None, USER_URN, ENTERPRISE_URN]), names, st.none() | names)
plain_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
values = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | plain_text
leaves = st.builds(Present, paths) | st.builds(Comparison, paths, st.sampled_from(sorted(OPERATORS)), values)


def flat(terms, kind):
    """`a and (b and c)` is `a and b and c`."""
    return tuple(t for term in terms for t in (term.terms if isinstance(term, kind) else (term,)))


def grown(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    ands = several.map(
        lambda terms: And(tuple(t for term in terms for t in (term.terms if isinstance(term, And) else (term,))))
    )
    ors = several.map(
        lambda terms: Or(tuple(t for term in terms for t in (term.terms if isinstance(term, Or) else (term,))))
    )
    return ands | ors | st.builds(Not, inner) | st.builds(ValuePath, paths, inner)


@given(st.recursive(leaves, grown, max_leaves=8))
@settings(max_examples=300)
def test_what_is_printed_is_read_as_what_it_was(tree):
    assert parse_filter(to_text(tree)) == tree


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["a", " eq ", '"x"', "(", ")", "[", "]", " and ", "not ", "."])).map("".join)
)
@settings(max_examples=500)
def test_garbage_is_refused_and_nothing_else_is_raised(text):
    try:
        matches({}, parse_filter(text), USER)
    except ScimError:
        return


ADA = {
    "id": "1",
    "userName": "Ada@Corp.example",
    "externalId": "E1",
    "active": True,
    "name": {"familyName": "Löwe"},
    "emails": [{"value": "a@x.example", "type": "work", "primary": True}, {"value": "b@y.example", "type": "home"}],
    ENTERPRISE_URN: {"department": "R&D"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "ADA@corp.example"', True),
        ('externalId eq "e1"', False),
        ('externalId eq "E1"', True),
        ('active eq "True"', True),
        ("active ne false", True),
        ('name.familyName sw "LÖ"', True),
        ('emails co "@y."', True),
        ('emails.value ew ".example" and emails.type eq "home"', True),
        ('emails[type eq "work" and value co "@y"]', False),
        ('emails[type eq "home" and value co "@y"]', True),
        ('emails[primary eq "true"].value eq "a@x.example"', True),
        ("nickName pr", False),
        ('userName sw "ada "', False),
        ('userName co " "', False),
        ('nickName ne "x"', True),
        ("nickName eq null", True),
        ("userName ne null", True),
        (f'{ENTERPRISE_URN}:department eq "r&d"', True),
        ('department eq "R&D"', InvalidFilter),
        ('no.such eq "x"', InvalidFilter),
        ("active gt true", InvalidFilter),
        ("userName eq 5", InvalidFilter),
        ("userName gt null", InvalidFilter),
        ('name eq "x"', InvalidFilter),
        ('emails[nope eq "x"]', InvalidFilter),
        ('active eq true or nope eq "x"', InvalidFilter),
        ('meta.created gt "yesterday"', InvalidFilter),
    ],
)
def test_what_a_filter_means(text, expected):
    tree = parse_filter(text)
    if expected is InvalidFilter:
        for document in (ADA, {}):
            with pytest.raises(InvalidFilter):
                matches(document, tree, USER)
    else:
        assert matches(ADA, tree, USER) is expected


def test_moments_are_compared_as_moments():
    group = {"meta": {"created": "2026-01-01T12:00:00Z"}}
    assert matches(group, parse_filter('meta.created eq "2026-01-01T13:00:00.0000000+01:00"'), GROUP)
    assert matches(group, parse_filter("meta.created lt 2026-01-01T12:00:01Z"), GROUP)
