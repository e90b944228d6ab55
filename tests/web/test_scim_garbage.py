"""Whatever is sent, the SCIM door answers: done, or refused in SCIM's own shape; never a failure of its own."""

from __future__ import annotations

import copy
import json
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import ERROR_URN, GROUP_URN, PATCH_URN, USER_URN, new_workspace

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LEAKS = ("Traceback", "psycopg", "sqlalchemy", "SELECT")
some = settings(max_examples=300, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def ask(app, service):
    """Asks with a live credential; looks at the answer. `{user}` and `{group}` in a path are real ids."""
    idp = new_workspace(service)
    user = idp.create_user("a@corp.example", emails=[{"value": "a@corp.example", "type": "work", "primary": True}])
    ids = {"{user}": user["id"], "{group}": idp.create_group("G", user["id"])["id"]}
    with requests.Session() as session:

        def send(method, path, data=None, params=None, **headers):
            for name, real in ids.items():
                path = path.replace(name, real)
            sent = {"Authorization": f"Bearer {idp.token}", "Content-Type": "application/scim+json", **headers}
            asked = requests.Request(method, "http://x/", data=data, params=params, headers=sent).prepare()
            asked.url = f"{service.base_url}/scim/v2{path}{asked.url.removeprefix('http://x/')}"
            response = session.send(asked, timeout=20, allow_redirects=False)
            judge(response)
            return response

        yield send


def judge(response) -> None:
    told = (response.request.method, response.request.url, response.request.body, response.status_code, response.text)
    assert response.status_code < 500 or (response.status_code == 501 and "/Me" in response.request.url), told
    if response.status_code < 400 or response.request.method == "HEAD":
        return
    assert response.headers["Content-Type"].partition(";")[0] in {"application/scim+json", "application/json"}, told
    body = response.json()
    assert (body["schemas"], body["status"]) == ([ERROR_URN], str(response.status_code)), told
    assert isinstance(body["detail"], str), told
    assert body["detail"].strip(), told
    assert not any(leak in response.text for leak in LEAKS), told


USER_BODY = {
    "schemas": [USER_URN, ENTERPRISE_URN],
    "userName": "b@corp.example",
    "externalId": "e1",
    "displayName": "B",
    "active": True,
    "name": {"givenName": "G", "familyName": "F"},
    "emails": [{"value": "b@x.example", "type": "work", "primary": True}, {"value": "c@x.example"}],
    "addresses": [{"locality": "L", "primary": False}],
    "x509Certificates": [{"value": "QUJD"}],
    "meta": {"resourceType": "User"},
    ENTERPRISE_URN: {"department": "D", "manager": {"value": "m"}},
}
OPERATIONS = [
    {"op": "add", "path": 'emails[type eq "home"].value', "value": "h@x.example"},
    {"op": "replace", "value": {"displayName": "C", "name": {"givenName": "H"}, f"{ENTERPRISE_URN}:department": "E"}},
    {"op": "remove", "path": "phoneNumbers", "value": [{"value": "1"}]},
    {"op": "replace", "path": f"{ENTERPRISE_URN}:manager", "value": {"value": "n"}},
]
ON_MEMBERS = [
    {"op": "add", "path": "members", "value": [{"value": "x"}]},
    {"op": "remove", "path": 'members[value eq "x"]'},
]
BODIES = [
    ("POST", "/Users", USER_BODY),
    ("PUT", "/Users/{user}", {**USER_BODY, "userName": "a@corp.example"}),
    ("PATCH", "/Users/{user}", {"schemas": [PATCH_URN], "Operations": OPERATIONS}),
    ("POST", "/Groups", {"schemas": [GROUP_URN], "displayName": "H", "members": [{"value": "x", "type": "User"}]}),
    ("PUT", "/Groups/{group}", {"schemas": [GROUP_URN], "displayName": "G", "members": []}),
    ("PATCH", "/Groups/{group}", {"schemas": [PATCH_URN], "Operations": ON_MEMBERS}),
    *(
        ("POST", f"/{kind}/.search", {"schemas": [SEARCH_URN], "filter": "id pr", "attributes": ["id"], "count": 1,
         "startIndex": 1, "sortBy": "displayName", "sortOrder": "ascending", "excludedAttributes": []})
        for kind in ("Users", "Groups")
    ),
]  # fmt: skip

WORDS = ["", "\0", "\ufeff", "\uffff", "ß\u0301", "😀" * 3, "x" * 3000, "id", "emails", "members", "add", "true", "{",
         "[", '{"value": {}}', "urn:", USER_URN, ENTERPRISE_URN, f"{ENTERPRISE_URN}:manager",
         "2020-01-01T00:00:00+23:59", "emails[", 'emails[type eq "\\u0000"]', 'emails[primary eq "x"].value', "a.b.c",
         ".", "$ref"]  # fmt: skip
texts = st.sampled_from(WORDS) | st.text(max_size=12)
numbers = st.sampled_from([2**31, 2**63, 2**64 - 1, -(2**63), 1e308, -1e-308, 0.1]) | st.integers(-(2**63), 2**64 - 1)


def nested(inner, times, in_list):
    for _ in range(times):
        inner = [inner] if in_list else {"value": inner}
    return inner


deep = st.builds(nested, texts, st.integers(1, 300), st.booleans())
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts | deep,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
# JSON text that no library writes: escapes of half surrogates, numbers beyond all types, not numbers, keys given twice.
RAW = [b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b"9" * 400, b"1e999", b"-0", b"NaN", b'{"value":1,"value":[]}',
       b'{"type":"work","TYPE":"home"}', b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b"[" * 2000, b""]  # fmt: skip


def dumped(value):
    return json.dumps(value, ensure_ascii=False).encode()


def places(value, place=()):
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inside:
        yield from places(below, (*place, key))


@st.composite
def mutated(draw):
    """A valid body in which some nodes are other JSON, keys have another name, or raw bytes stand for a node."""
    method, path, body = draw(st.sampled_from(BODIES))
    body = {"": copy.deepcopy(body)}
    for mark in ["MARK", None, None][: draw(st.integers(1, 3))]:
        *above, last = draw(st.sampled_from(list(places(body))[1:]))
        holder = body
        for key in above:
            holder = holder[key]
        if mark is None and isinstance(holder, dict) and above and draw(st.booleans()):
            holder[draw(texts)] = holder.pop(last)
        else:
            holder[last] = mark if mark and draw(st.booleans()) else draw(anything)
    return method, path, dumped(body[""]).replace(b'"MARK"', draw(st.sampled_from(RAW)))


@given(sent=mutated())
@example(sent=("POST", "/Users/.search", b'{"schemas": 5}'))
@example(sent=("POST", "/Groups/.search", dumped({"schemas": [SEARCH_URN], "attributes": 5})))
@some
def test_a_valid_body_with_something_odd_in_it_does_no_harm(ask, sent):
    ask(*sent)


@given(target=st.sampled_from(BODIES), body=anything.map(dumped) | st.binary(max_size=200))
@some
def test_a_body_of_any_json_or_bytes_does_no_harm(ask, target, body):
    ask(*target[:2], body)


FILTER_WORDS = ["userName", "emails", "emails.value", "members", "members.value", "groups", "groups.display",
                "meta.created", "meta.location", "meta.version", "id", "active", "name", "schemas", "externalId",
                "members.$ref", f"{ENTERPRISE_URN}:manager", ENTERPRISE_URN, "x509Certificates", "eq", "ne", "co", "sw",
                "ew", "gt", "le", "pr", "and", "or", "not", "(", ")", "[", "]", ".value", "true", "null", "1",
                "-1e99", '"x"', '"',
                '"\\u0000"', '"\\ud800"', '"%"', '"2020-01-01T00:00:00+23:59"', '"0001-01-01T00:00:00+14:00"',
                '"9999-12-31T23:59:59-14:00"', "99999999999999999999"]  # fmt: skip
comparisons = st.tuples(*map(st.sampled_from, (FILTER_WORDS[:19], FILTER_WORDS[19:27], FILTER_WORDS[35:]))).map(
    " ".join
)
filters = comparisons | st.lists(st.sampled_from(FILTER_WORDS) | comparisons, max_size=8).map(" ".join) | texts
queries = st.fixed_dictionaries(
    {},
    optional={
        "filter": filters,
        "sortBy": st.sampled_from(FILTER_WORDS) | texts,
        "sortOrder": st.sampled_from(["ascending", "descending", "Descending"]) | texts,
        "attributes": st.lists(st.sampled_from(FILTER_WORDS) | texts, max_size=3).map(",".join),
        "excludedAttributes": st.lists(st.sampled_from(FILTER_WORDS) | texts, max_size=3).map(",".join),
        **dict.fromkeys(("startIndex", "count"), st.integers().map(str) | st.sampled_from(["٣", "1_0", "+1"]) | texts),
        "cursor": texts,
    },
)
LISTS = ["/Users", "/Groups", "/Users/{user}", "/Groups/{group}", "/Schemas", "/ResourceTypes"]


@given(path=st.sampled_from([*LISTS[:2] * 3, *LISTS]), query=queries, in_body=st.booleans())
@example(path="/Users", query={"filter": 'userName eq "\\u0000"'}, in_body=False)
@some
def test_a_query_of_any_text_does_no_harm(ask, path, query, in_body):
    if in_body and path in {"/Users", "/Groups"}:
        ask("POST", f"{path}/.search", dumped({"schemas": [SEARCH_URN], **query}))
    else:
        ask("GET", path, params=query)


visible = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
ODD_HEADERS = {
    "Content-Type": ["", "application/json; charset=x", "application/json;" * 9, 'a/b; c="', "multipart/mixed", "/"],
    "Content-Encoding": ["gzip", "identity", ",", "utf-8"],
    "Accept": ["text/html", "*/*;q=nan", "application/scim+json;q=-1", ";;;", "image/*, */*;q=0"],
    "If-Match": ["*", "W/", '"', 'W/"1"', '"1", *', ",,,", 'W/"' + "9" * 500 + '"'],
    "If-None-Match": ["*", "W/", '"', 'W/"1"', '"1", *', ",,,"],
    "If-Modified-Since": ["never", "Thu, 01 Jan 0000 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"],
    "Range": ["bytes=0-", "bytes=9-1", "x"],
    "Accept-Language": [";q=", "x" * 100],
    "Cookie": ["=;=", "session=~"],
    "X-Request-Id": ["x" * 3000, "{}", "%00"],
    "X-Forwarded-Host": ["", "a b", "[::1"],
    "X-Http-Method-Override": ["DELETE"],
}  # fmt: skip
headers = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(odd) | visible.map(str.strip) for name, odd in ODD_HEADERS.items()}
)
ids = (texts | st.sampled_from(["{user}", "{group}", ".search", "..", "Users", "0" * 32, "{" + "0" * 32 + "}"])).map(
    lambda text: text if text in {"{user}", "{group}"} else quote(text, safe="")
)
raw_ids = st.sampled_from(["%00", "%ff", "%ed%a0%80", "%2f", "%25", "%zz", "%", "%c0%ae", ";", "a%0d%0ab", ".%2e"])
roots = st.sampled_from(["/Users", "/Groups", "/Schemas", "/ResourceTypes", "/Me", "/Bulk", "/ServiceProviderConfig"])
paths = st.builds(lambda root, below: "/".join([root, *below]), roots, st.lists(ids | raw_ids, max_size=2))
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "QUERY", "get", "X"])


@given(method=methods, path=paths, body=st.none() | st.binary(max_size=50) | st.just(b"{}"), headers=headers)
@some
def test_odd_methods_paths_and_headers_do_no_harm(ask, method, path, body, headers):
    ask(method, path, body, **headers)
