"""Any sequence of PATCH requests leaves a User and a Group as the reference model of RFC 7644 says."""

from __future__ import annotations

import itertools
import uuid

import orjson
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import GROUP_URN, PATCH_URN, USER_URN, new_workspace
from tests.web.patch_model import WORK_URN, Refused, patched, patched_group

numbers = itertools.count()
some = settings(max_examples=100, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def ask(app, service):
    """Asks as an identity provider, over one connection."""
    idp = new_workspace(service)
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {idp.token}", "Content-Type": "application/scim+json"})

        def send(method, path, body=None):
            data = None if body is None else orjson.dumps(body)
            return session.request(method, f"{idp.base_url}/scim/v2{path}", data=data, timeout=20)

        yield send


def after(ask, path, before, operations, refused):
    """The resource after the operations, when what an answer and the versions say of the change is true."""
    response = ask("PATCH", path, {"schemas": [PATCH_URN], "Operations": operations})
    now = ask("GET", path).json()
    assert response.status_code == (400 if refused else 200), (operations, refused, before, response.text)
    if refused:
        assert now == before, operations
        if len(operations) == 1:
            assert response.json()["scimType"] == refused, (operations, response.text)
        return now
    assert response.json() == now, operations
    is_same = {**now, "meta": None} == {**before, "meta": None}
    assert (now["meta"]["version"] == before["meta"]["version"]) is is_same, (operations, before, now)
    assert now["meta"]["lastModified"] == before["meta"]["lastModified"] or not is_same, (operations, before, now)
    return now


def outcome(model, *arguments):
    """What the model says: the outcome, or why there is none."""
    try:
        return model(*arguments), None
    except Refused as refused:
        return None, str(refused)


words = st.sampled_from(["a", "b", "B", "ab"])
types = st.sampled_from(["work", "home", "WORK"])
PARTS = {"value": words, "display": words, "type": types, "primary": st.booleans()}
element = st.fixed_dictionaries({}, optional=PARTS).filter(bool)
elements = st.lists(element, max_size=3)
names = st.fixed_dictionaries({}, optional=dict.fromkeys(("givenName", "familyName", "formatted"), words)).filter(bool)
texts = words.map(lambda word: f'"{word}"')
comparison = st.sampled_from(["eq", "ne", "co", "sw"])
term = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["value", "display"]), comparison, texts),
    st.builds('type eq "{}"'.format, types),
    st.sampled_from(["primary eq true", "primary ne true", "type pr", "display pr"]),
)  # fmt: skip
several = st.tuples(term, term).filter(lambda pair: pair[0].split()[0] != pair[1].split()[0])
conditions = term | several.map(" and ".join) | st.tuples(term, term).map(" or ".join)
many = st.sampled_from(["emails", "phoneNumbers", "roles"])
work = {f"{WORK_URN}:department": words, f"{WORK_URN}:manager": st.fixed_dictionaries({"value": words})}
single = {"displayName": words, "title": words, f"{USER_URN}:title": words, "active": st.booleans(), "name": names}
single |= {"name.givenName": words, "name.familyName": words, f"{WORK_URN}:manager.value": words, **work}


def under(path, value):
    """An operation at a path."""
    removal = st.just({"op": "remove", "path": path})
    value = st.fixed_dictionaries({"op": st.sampled_from(["add", "replace"]), "path": st.just(path), "value": value})
    return value | value | removal


def selected(name, condition, sub):
    chosen = f"{name}[{condition}]" if condition else name
    return under(f"{chosen}.{sub}", PARTS[sub]) if sub else under(chosen, element if condition else elements)


valid = st.one_of(
    st.sampled_from(list(single)).flatmap(lambda path: under(path, single[path])),
    st.builds(selected, many, st.none() | conditions, st.none() | st.sampled_from(list(PARTS))).flatmap(lambda op: op),
    st.builds(selected, st.just("emails"), conditions, st.just("primary")).flatmap(lambda op: op),
    st.builds(lambda name, value: {"op": "remove", "path": name, "value": value}, many, elements),
    st.builds(lambda path: {"op": "replace", "path": path, "value": None}, many | st.sampled_from(list(single))),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "replace"]),
            "value": st.fixed_dictionaries(
                {},
                optional={
                    **{name: value for name, value in single.items() if not name.startswith("urn:")},
                    **dict.fromkeys(("emails", "roles"), elements),
                    "unknown": words,
                    WORK_URN: st.fixed_dictionaries(
                        {}, optional={name.removeprefix(f"{WORK_URN}:"): value for name, value in work.items()}
                    ),
                },
            ),
        }
    ),
)
invalid = st.sampled_from(
    [
        {"op": "move", "path": "title", "value": "x"},
        {"op": "remove"},
        {"op": "add", "path": "title"},
        {"op": "add", "value": "text"},
        {"op": "add", "path": "nope", "value": "x"},
        {"op": "replace", "path": "name.nope", "value": "x"},
        {"op": "replace", "path": "title.value", "value": "x"},
        {"op": "replace", "path": 'name[value eq "x"].value', "value": "x"},
        {"op": "replace", "path": "title", "value": 5},
        {"op": "replace", "path": "active", "value": 1},
        {"op": "replace", "path": "name", "value": "Ada"},
        {"op": "add", "path": "emails", "value": [7]},
        {"op": "add", "path": "emails", "value": [{"value": 7}]},
        {"op": "add", "path": "emails", "value": [{"primary": True, "value": "x"}, {"primary": True, "value": "y"}]},
        {"op": "replace", "path": 'emails[type eq "work"].primary', "value": 5},
        {"op": "remove", "path": "userName"},
        {"op": "replace", "path": "userName", "value": ""},
    ]
)


def requests_of(operation, wrong):
    """Requests, most of them without anything wrong in them."""
    good = st.lists(operation, min_size=1, max_size=4)
    bad = st.builds(lambda left, middle, right: [*left, middle, *right], good, wrong, st.lists(operation, max_size=1))
    return st.lists(good | good | good | bad | wrong.map(lambda one: [one]), min_size=1, max_size=5)


def writable(shown):
    return {name: value for name, value in shown.items() if name not in {"schemas", "id", "meta", "userName"}}


def check_user(ask, start, sent):
    body = {"schemas": [USER_URN], "userName": f"p{next(numbers)}@corp.example", **start}
    made = ask("POST", "/Users", body)
    assert made.status_code == 201, made.text
    now, expected = made.json(), {"active": True, **start}
    for operations in sent:
        wanted, refused = outcome(patched, expected, operations)
        before, expected = now, expected if refused else wanted
        now = after(ask, f"/Users/{made.json()['id']}", before, operations, refused)
        assert writable(now) == expected, (operations, before)
        assert now["schemas"] == [USER_URN, *([WORK_URN] if WORK_URN in expected else [])]


ADA = {
    "displayName": "Ada",
    "name": {"givenName": "a", "familyName": "b"},
    "emails": [{"value": "a", "type": "work", "primary": True}, {"value": "b", "type": "home"}],
    "roles": [{"value": "ab"}],
    WORK_URN: {"department": "a"},
}


@given(start=st.sampled_from([ADA, {}]), sent=requests_of(valid, invalid))
@some
def test_a_user_ends_up_as_the_model_says(ask, start, sent):
    check_user(ask, start, sent)


WORK = {"value": "w", "type": "work", "primary": True}
HOME = {"value": "h", "type": "home"}
NAME = {"givenName": "G", "familyName": "F"}
AT_HOME = 'emails[type eq "home"]'


@pytest.mark.parametrize(
    ("start", "operation"),
    [
        ({"name": NAME}, {"op": "replace", "path": "name", "value": {"givenName": None, "familyName": "X"}}),
        ({"name": NAME}, {"op": "replace", "path": "name", "value": {"givenName": None}}),
        ({"name": NAME}, {"op": "replace", "value": {"name": {"givenName": None}}}),
        ({"name": NAME}, {"op": "replace", "path": "name", "value": {"unknown": "x"}}),
        ({"emails": [{"type": "home"}, WORK]}, {"op": "remove", "path": f"{AT_HOME}.type"}),
        ({"emails": [{"value": "a"}]}, {"op": "remove", "path": "emails.value"}),
        ({"emails": [WORK]}, {"op": "add", "path": AT_HOME, "value": {"value": "n", "primary": True}}),
        ({"emails": [WORK]}, {"op": "replace", "path": f"{AT_HOME}.primary", "value": True}),
        ({"emails": [WORK, HOME]}, {"op": "replace", "path": f"{AT_HOME}.primary", "value": True}),
        ({"emails": [WORK]}, {"op": "replace", "path": 'emails[display eq "x" or type pr].value', "value": "x"}),
        ({"emails": [WORK]}, {"op": "replace", "path": "emails[display pr].value", "value": "x"}),
    ],
)
def test_one_operation_does_what_the_model_says(ask, start, operation):
    check_user(ask, start, [[operation]])


@pytest.fixture(scope="module")
def people(ask):
    new = ({"schemas": [USER_URN], "userName": f"m{number}@corp.example"} for number in range(4))
    return [ask("POST", "/Users", body).json()["id"] for body in new]


STRANGER = str(uuid.UUID(int=7))
who = st.sampled_from([0, 1, 2, 3, 0, 1, 2, 3, 4])
listed = st.lists(who, max_size=3)
group_operations = st.one_of(
    st.tuples(st.sampled_from(["add", "replace", "remove"]), st.just("members"), listed),
    st.tuples(st.just("remove"), st.sampled_from(["members[]", "members"]), st.lists(who, min_size=1, max_size=2)),
    st.tuples(st.just("remove"), st.just("members"), st.none()),
    st.tuples(st.sampled_from(["add", "replace"]), st.just("displayName"), words),
    st.tuples(st.sampled_from(["add", "replace"]), st.none(), st.tuples(words, listed)),
)
group_mistakes = st.sampled_from(
    [("remove", "displayName", None), ("replace", "displayName", ""), ("replace", "members[]", [0]),
     ("remove", "nope", None), ("remove", None, None), ("move", "members", [0]), ("replace", "displayName", 5)]
)  # fmt: skip


def as_sent(op, path, value, prefix, ids):
    """A short form of an operation as it is sent."""
    if path == "members[]":
        chosen = " or ".join(f'value eq "{ids[number]}"' for number in value)
        return {"op": op, "path": f"members[{chosen}]", **({} if op == "remove" else {"value": {"value": ids[0]}})}
    if isinstance(value, tuple):
        value = {"displayName": prefix + value[0], "members": [{"value": ids[number]} for number in value[1]]}
    elif isinstance(value, list):
        value = [{"value": ids[number]} for number in value]
    elif isinstance(value, str) and value:
        value = prefix + value
    return {"op": op, **({} if path is None else {"path": path}), **({} if value is None else {"value": value})}


@given(sent=requests_of(group_operations, group_mistakes))
@some
def test_a_group_ends_up_as_the_model_says(ask, people, sent):
    prefix = f"G{next(numbers)} "
    body = {"schemas": [GROUP_URN], "displayName": prefix, "members": [{"value": people[0]}, {"value": people[1]}]}
    now, name, members = ask("POST", "/Groups", body).json(), prefix, set(people[:2])
    for short in sent:
        operations = [as_sent(*operation, prefix, [*people, STRANGER]) for operation in short]
        wanted, refused = outcome(patched_group, name, members, operations, set(people))
        name, members = (name, members) if refused else wanted
        now = after(ask, f"/Groups/{now['id']}", now, operations, refused)
        shown = [member["value"] for member in now.get("members", [])]
        assert (now["displayName"], set(shown), len(shown)) == (name, members, len(members)), operations
