from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.dialects import normalise_patch
from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.edit import apply
from provisioning.scim.errors import (
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
    ScimError,
)
from provisioning.scim.patch import PATCH_URN, MembersDelta, parse_patch

ENTERPRISE = USER.extensions[0].id
WORK = {"value": "w@x.example", "type": "work", "primary": True}
HOME = {"value": "h@x.example", "type": "home"}
ADA = {"userName": "ada", "displayName": "Ada", "emails": [WORK, HOME], "name": {"givenName": "Ada", "familyName": "L"}}


def patch(*operations, resource_type=USER):
    return parse_patch({"schemas": [PATCH_URN], "Operations": list(operations)}, resource_type)


def after(*operations, document=ADA):
    before = copy.deepcopy(document)
    changed = apply(patch(*operations), document, USER)
    assert document == before, "the stored document was touched"
    return changed


def op(kind, path=None, value=None):
    return {"op": kind, **({} if path is None else {"path": path}), **({} if value is None else {"value": value})}


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        (op("replace", "displayName", "B"), {"displayName": "B"}),
        (op("add", "title", "T"), {"title": "T"}),
        (op("add", "name.middleName", "M"), {"name": {**ADA["name"], "middleName": "M"}}),
        (op("add", "name", {"middleName": "M"}), {"name": {**ADA["name"], "middleName": "M"}}),
        (op("replace", "name", {"middleName": "M"}), {"name": {**ADA["name"], "middleName": "M"}}),
        ({"op": "replace", "path": 'emails[type eq "fax"].value', "value": None}, {}),
        ({"op": "replace", "path": "phoneNumbers.value", "value": None}, {}),
        ({"op": "add", "path": "displayName", "value": None}, {}),
        (op("replace", value={"title": "T", "unknown": 1, "no.such": 2}), {"title": "T"}),
        (op("remove", "name.givenName"), {"name": {"familyName": "L"}}),
        (op("remove", "name"), {"name": None}),
        (op("remove", "title"), {}),
        (op("add", "emails", [HOME]), {}),
        (op("add", "emails", [{"value": "n@x.example"}]), {"emails": [WORK, HOME, {"value": "n@x.example"}]}),
        (op("replace", "emails", [HOME]), {"emails": [HOME]}),
        (op("replace", "emails", []), {"emails": None}),
        (op("remove", 'emails[type eq "work"]'), {"emails": [HOME]}),
        (op("remove", 'emails[type eq "fax"]'), {}),
        (op("remove", "emails", [{"value": "h@x.example"}]), {"emails": [WORK]}),
        (op("replace", 'emails[type eq "home"].value', "z"), {"emails": [WORK, {**HOME, "value": "z"}]}),
        (op("remove", 'emails[type eq "home"].type'), {"emails": [WORK, {"value": "h@x.example"}]}),
        (
            op("replace", 'emails[value co "x.example"].display', "D"),
            {"emails": [{**WORK, "display": "D"}, {**HOME, "display": "D"}]},
        ),
        (
            op("replace", 'emails[type eq "home"].primary', value=True),
            {"emails": [{**WORK, "primary": False}, {**HOME, "primary": True}]},
        ),
        (
            op("add", "emails", [{"value": "n", "primary": True}]),
            {"emails": [{**WORK, "primary": False}, HOME, {"value": "n", "primary": True}]},
        ),
        (
            op("add", 'emails[type eq "other"].value', "o"),
            {"emails": [WORK, HOME, {"type": "other", "value": "o"}]},
        ),
        (op("add", f"{ENTERPRISE}:department", "R&D"), {ENTERPRISE: {"department": "R&D"}}),
        (
            op("replace", value={ENTERPRISE: {"department": "R&D"}, "title": "T"}),
            {ENTERPRISE: {"department": "R&D"}, "title": "T"},
        ),
        (op("replace", "DISPLAYNAME", "B"), {"displayName": "B"}),
        (op("add", value={}), {}),
    ],
)
def test_one_operation(operation, changed):
    expected = {name: value for name, value in {**ADA, **changed}.items() if value is not None}
    assert after(operation) == expected


def test_an_extension_that_is_emptied_is_gone():
    document = {**ADA, ENTERPRISE: {"department": "R&D"}}
    assert after(op("remove", f"{ENTERPRISE}:department"), document=document) == ADA


@pytest.mark.parametrize(
    ("operations", "refusal"),
    [
        ([], InvalidSyntax),
        ([op("move", "title", "x")], InvalidSyntax),
        (["text"], InvalidSyntax),
        ([op("remove")], NoTarget),
        ([op("replace", 'emails[value co "nobody"].display', "x")], NoTarget),
        ([op("replace", "nope", "x")], InvalidPath),
        ([op("replace", "name.nope", "x")], InvalidPath),
        ([op("replace", "emails[type eq", "x")], InvalidPath),
        ([op("replace", 'emails[nope eq "x"].value', "x")], InvalidFilter),
        ([op("add", "title")], InvalidValue),
        ([op("replace", "title")], InvalidValue),
        ([op("replace", "schemas", ["x"])], Mutability),
        ([op("replace", "displayName", "a\ud800")], InvalidValue),
        ([op("replace", 'displayName[type eq "x"]', "x")], InvalidPath),
        ([op("replace", "id", "x")], Mutability),
        ([op("replace", "meta.created", "x")], Mutability),
        ([op("add", "groups", [{"value": "x"}])], Mutability),
        ([op("remove", "userName")], Mutability),
        ([op("replace", "userName", "")], InvalidValue),
        ([op("replace", "displayName", 5)], InvalidValue),
        ([op("replace", "active", "perhaps")], InvalidValue),
        ([op("replace", "emails", [{**WORK}, {**HOME, "primary": True}])], InvalidValue),
        ([op("add", value="text")], InvalidValue),
        ([op("replace", "externalId", 5)], InvalidValue),
    ],
)
def test_what_cannot_be_done_is_told_apart(operations, refusal):
    with pytest.raises(refusal):
        after(*operations)


@pytest.mark.parametrize(
    "path", ["members.value", 'members[value eq "a"].display', 'members[display eq "x"]', 'members[value ne "a"]']
)
def test_members_are_named_by_their_id(path):
    with pytest.raises((InvalidFilter, InvalidPath, Mutability)):
        patch(op("remove", path), resource_type=GROUP)


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "members", ""),
        op("remove", "members", [{"display": "A"}]),
        op("replace", "members", ""),
        op("replace", "members", [{"display": "A"}]),
        op("add", "members", [{}, {"type": "User"}]),
    ],
)
def test_members_that_are_not_named_empty_no_group(operation):
    body = normalise_patch({"schemas": [PATCH_URN], "Operations": [operation]}, GROUP).body
    with pytest.raises(InvalidValue):
        parse_patch(body, GROUP)


def test_members_that_are_null_beside_other_attributes_name_nobody():
    renamed = {"op": "replace", "value": {"displayName": "H", "members": None}}
    assert patch(renamed, resource_type=GROUP).members is None
    emptied = {"op": "replace", "value": {"displayName": "H", "members": []}}
    assert patch(emptied, resource_type=GROUP).members == MembersDelta(cleared=True)


def test_an_extension_that_is_set_to_null_is_gone():
    document = {**ADA, ENTERPRISE: {"department": "R", "manager": {"value": "1"}}}
    assert after({"op": "replace", "value": {ENTERPRISE: None}}, document=document) == ADA


def test_the_depth_of_garbage_does_no_harm():
    deep: list = []
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(InvalidSyntax):
        patch(op(deep, "title", "x"))


ids = st.sampled_from("abcd")
lists = st.lists(ids, max_size=3).map(lambda who: [{"value": w} for w in who])
member_operations = st.one_of(
    st.builds(lambda value: op("add", "members", value), lists),
    st.builds(lambda value: op("replace", "members", value), lists),
    st.builds(lambda value: op("remove", "members", value), lists),
    st.builds(lambda who: op("remove", f'members[value eq "{who}" or value eq "z"]'), ids),
    st.just(op("remove", "members")),
    st.builds(lambda value: op("add", value={"members": value, "displayName": "G"}), lists),
)


@given(st.lists(member_operations, min_size=1, max_size=6), st.sets(ids))
def test_members_end_up_as_if_each_operation_had_been_done_by_itself(operations, current):
    expected = set(current)
    for operation in operations:
        value = operation.get("value")
        named = {m["value"] for m in (value["members"] if isinstance(value, dict) else value or [])}
        if operation["op"] == "replace" or (
            operation["op"] == "remove" and operation.get("path") == "members" and value is None
        ):
            expected = named
        elif operation["op"] == "add":
            expected |= named
        else:
            expected -= named or set(operation["path"].split('"')[1]) if "[" in operation["path"] else named
    delta = patch(*operations, resource_type=GROUP).members or MembersDelta()
    assert not set(delta.added) & set(delta.removed)
    base = set() if delta.cleared else set(current)
    assert (base - set(delta.removed)) | set(delta.added) == expected


simple = st.sampled_from(["displayName", "title", "nickName", "locale"])


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "replace", "remove"]), simple, st.text(min_size=1, max_size=5)), min_size=1
    )
)
def test_simple_attributes_behave_as_a_dictionary(operations):
    expected = {"userName": "ada"}
    for kind, name, value in operations:
        if kind == "remove":
            expected.pop(name, None)
        else:
            expected[name] = value
    sent = [op(kind, name, None if kind == "remove" else value) for kind, name, value in operations]
    try:
        assert after(*sent, document={"userName": "ada"}) == expected
    except InvalidValue:
        assert any("\0" in value for _, _, value in operations)


keys = st.sampled_from(["op", "path", "value", "emails", "name", "x"])
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["add", "remove", "emails"]) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(json)
def test_garbage_is_refused_and_nothing_else_is_raised(body):
    for sent in (body, {"schemas": [PATCH_URN], "Operations": body}, {"schemas": [PATCH_URN], "Operations": [body]}):
        try:
            apply(parse_patch(sent, USER), ADA, USER)
        except ScimError:
            continue
