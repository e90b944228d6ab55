"""What PostgreSQL finds is what the reference says matches: for any filter, over people and groups of every kind."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provisioning.database import reading, transaction
from provisioning.directory import extensions, listing
from provisioning.directory.filters import Viewer
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.scim.definitions import GROUP, USER
from provisioning.scim.errors import InvalidFilter
from provisioning.scim.extensions import STANDARD, read_schema
from provisioning.scim.filter import And, Comparison, Not, Or, Present, ValuePath, parse_filter, to_text
from provisioning.scim.match import matches
from provisioning.scim.path import AttributePath
from tests.conftest import TEST, new_workspace

ENTERPRISE = USER.extensions[0].id
BADGE = "urn:example:params:scim:badge:1.0:User"
ATTRIBUTES = [
    {"name": "level", "type": "integer"},
    {"name": "weight", "type": "decimal"},
    {"name": "until", "type": "dateTime"},
    {"name": "gates", "multiValued": True},
    {"name": "codes", "multiValued": True, "caseExact": True},
    {"name": "sizes", "multiValued": True, "type": "integer"},
    {"name": "armed", "type": "boolean"},
]
KINDS = STANDARD.extended([("User", read_schema({"id": BADGE, "attributes": ATTRIBUTES}))])
PEOPLE = [
    {"userName": "Ada@x.example", "externalId": "E1", "displayName": "Ada", "active": True, "title": "100% Boss"},
    {"userName": "bob", "displayName": "ada", "active": False, "name": {"familyName": "Löwe", "givenName": "B_b"}},
    {
        "userName": "carl\\",
        "emails": [
            {"value": "C@x.example", "type": "work", "primary": True},
            {"value": "home@y.example", "type": "home", "primary": False},
        ],
        "roles": [{"value": "Admin"}],
    },
    {
        "userName": "dora@z.example",
        "emails": [{"value": "c@X.example", "type": "home"}],
        ENTERPRISE: {"department": "R&D"},
    },
    {"userName": "eve", "externalId": "e1", "title": "", ENTERPRISE: {"manager": {"value": "M1"}, "costCenter": "7"}},
    {"userName": 'f"quote"', "nickName": "LÖWE", "x509Certificates": [{"value": "QUJD"}]},
    {
        "userName": "gus",
        BADGE: {
            "level": 9,
            "weight": 1.5,
            "until": "2026-01-01T00:30:00+02:00",
            "gates": ["Ada", "x"],
            "sizes": [1, 9],
        },
    },
    {
        "userName": "hal",
        BADGE: {"level": 10, "weight": -3, "until": "2025-12-31T22:30:00Z", "codes": ["Ada", "%"], "armed": False},
    },
]


@pytest.fixture(scope="module")
def world(app, service):
    """A workspace with these people and some groups, and the documents that SCIM shows of them."""
    idp = new_workspace(service)
    with transaction() as database:
        extensions.register(
            database,
            workspace_id=idp.workspace.id,
            resource_type="User",
            definition={"id": BADGE, "attributes": ATTRIBUTES},
            by=TEST,
        )
    people = [idp.create_user(person.pop("userName"), **person) for person in [dict(p) for p in PEOPLE]]
    idp.create_group("Équipe", people[0]["id"], people[1]["id"], externalId="G1")
    idp.create_group("Empty")
    shown = {kind: idp.request("GET", f"/{kind}").json()["Resources"] for kind in ("Users", "Groups")}
    return idp, shown["Users"], shown["Groups"]


TEXTS = ["ada", "ADA", "Ada", "e1", "E1", "c@x.example", "löwe", "LÖWE", "%", "_", "\\", '"', "", "work", "x", "R&D",
         "admin", "m1", "M1", "équipe", "g1", "100%", "QUJD"]  # fmt: skip
NAMES = [
    *(("userName", None), ("externalId", None), ("displayName", None), ("title", None), ("nickName", None)),
    *(("name", "familyName"), ("name", "givenName"), ("emails", None), ("emails", "value"), ("emails", "type")),
    *(("roles", None), ("active", None), ("emails", "primary"), ("groups", "display"), ("meta", "resourceType")),
    *(("x509Certificates", "value"), ("addresses", "locality"), ("schemas", None), ("groups", "$ref")),
    *(("meta", "location"), ("meta", "created")),
]
WORK_NAMES = (("department",), ("manager",), ("manager", "value"), ("costCenter",))
BADGE_NAMES = [attribute["name"] for attribute in ATTRIBUTES]
GROUP_NAMES = (("displayName",), ("externalId",), ("members", "display"), ("meta", "resourceType"))
user_paths = st.sampled_from(
    [AttributePath(None, *name) for name in NAMES]
    + [AttributePath(ENTERPRISE, *name) for name in WORK_NAMES]
    + [AttributePath(BADGE, name) for name in BADGE_NAMES]
)
group_paths = st.sampled_from([AttributePath(None, *name) for name in GROUP_NAMES])
operators = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
MOMENTS = ["2025-12-31T22:30:00Z", "2026-01-01T00:30:00.000+02:00", "2026-01-01T00:00:00Z"]
values = st.sampled_from(
    [*TEXTS, *MOMENTS, BADGE, USER.schema.id, "/Users/", True, False, None, 9, 10, 9.0, 1.5, -3, 0]
)
parts = st.sampled_from([AttributePath(None, name) for name in ("value", "type", "primary")])
element = st.recursive(
    st.builds(Comparison, parts, operators, values) | st.builds(Present, parts),
    lambda inner: st.builds(Not, inner) | st.builds(lambda a, b: And((a, b)), inner, inner),
    max_leaves=3,
)


def trees(paths, selections):
    leaves = st.builds(Comparison, paths, operators, values) | st.builds(Present, paths) | selections
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(lambda a, b: And((a, b)), inner, inner)
            | st.builds(lambda a, b: Or((a, b)), inner, inner)
        ),
        max_leaves=4,
    )


emails = st.just(AttributePath(None, "emails"))
user_trees = trees(user_paths, st.builds(ValuePath, emails, element))
group_trees = trees(group_paths, st.nothing())
some = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def agree(tree, documents, resource_type, page, idp) -> None:
    workspace_id, viewer = idp.workspace.id, Viewer(KINDS, idp.connection.id, f"{idp.base_url}/scim/v2")
    try:
        expected = {document["id"] for document in documents if matches(document, tree, resource_type)}
    except InvalidFilter:
        expected = None
    try:
        with reading() as connection:
            found = page(connection, workspace_id=workspace_id, selection=Selection(Window(100), tree, viewer=viewer))
    except InvalidFilter:
        found = None
    told = None if found is None else {str(item.id) for item in found.items}
    assert told == expected, to_text(tree)


@given(tree=user_trees)
@example(tree=parse_filter('emails[type eq "work" and value eq "home@y.example"]'))
@example(tree=parse_filter('emails.type eq "work" and emails.value eq "home@y.example"'))
@example(tree=parse_filter('not (emails[type eq "work"])'))
@example(tree=parse_filter("title ne null"))
@example(tree=parse_filter("title eq null or emails.display eq null"))
@some
def test_people(world, tree):
    idp, users, _ = world
    agree(tree, users, KINDS.user, listing.of_members, idp)


@given(tree=group_trees)
@some
def test_groups(world, tree):
    idp, _, found = world
    agree(tree, found, GROUP, listing.of_groups, idp)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('emails[type eq "work"].value eq "c@x.example"', 1),
        ('emails.value eq "C@X.EXAMPLE"', 2),
        ('name.familyName eq "löwe" or nickName eq "löwe"', 2),
        (f'{ENTERPRISE}:department eq "r&d"', 1),
        ("meta.created gt 2015-10-10T14:38:21.8617979-07:00", 8),
        ('meta.lastModified lt "2015-01-01T00:00:00Z"', 0),
        ('groups.display eq "ÉQUIPE"', 2),
        ('groups[display sw "é" and type eq "direct"]', 2),
        ("groups pr", 2),
        ("not (groups pr)", 6),
        ('title co "0%"', 1),
        ('userName ew "\\\\"', 1),
    ],
)
def test_what_identity_providers_ask(world, text, count):
    idp, _, _ = world
    assert len(idp.find("/Users", text)) == count


def test_an_instant_is_found_as_it_was_shown(world):
    idp, users, _ = world
    created = users[0]["meta"]["created"]
    assert users[0]["id"] in {u["id"] for u in idp.find("/Users", f'meta.created eq "{created}"')}
