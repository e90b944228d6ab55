"""Assertions that prove nothing (RFC 7523, section 3; RFC 8725): each is refused, and none is used up by trying."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import func, select

from provisioning.database import reading
from provisioning.tokens.models import UsedAssertion
from tests.waiting import eventually
from tests.web.oauth import Program, new_key, signed

NOW, DAY = int(time.time()), 86400
THIEF = new_key()
PUBLIC_THIEF = THIEF.as_dict(private=False)


@pytest.fixture
def keyed(idp, new_program) -> Program:
    """A client that proves who it is by a key."""
    return new_program(idp, keyed=True)


def refused(answer, words=""):
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
    assert words in answer.json()["error_description"]


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": PUBLIC_THIEF},
        {"jku": "https://thief.example/jwks.json"},
        {"x5u": "https://thief.example/chain.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "abc"},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"b64": True},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"anything": 1},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("key", [None, THIEF], ids=["own key", "thief's key"])
def test_whatever_a_header_says_of_its_own_verification_is_refused(keyed, header, key):
    refused(keyed.prove(keyed.assertion(header=header, key=key)))


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", 5, ""])
def test_a_token_of_another_type_is_no_assertion(keyed, kind):
    refused(keyed.prove(keyed.assertion(header={"typ": kind})))


def test_a_public_key_is_no_shared_secret_and_none_is_no_algorithm(keyed):
    pem = keyed.key.as_pem(private=False)
    for name, key in (("HS256", pem), ("HS256", pem.strip()), ("HS256", b""), ("none", None), ("None", None)):
        for header in ({"alg": name}, {"alg": name, "kid": keyed.key.kid}):
            refused(keyed.prove(signed(header, keyed.claims(), key)))


def _named(kid):
    """The same in each process of the tests, whatever the thief's key is."""
    return "the thief's" if kid == THIEF.kid else repr(kid)


@pytest.mark.parametrize(
    "kid", [THIEF.kid, "../../dev/null", "file:///dev/null", "' OR 1=1 --", "", 5, None, ["a"]], ids=_named
)
def test_a_kid_names_a_registered_key_or_nothing(keyed, kid):
    refused(keyed.prove(keyed.assertion(header={"kid": kid})))
    refused(keyed.prove(keyed.assertion(header={"kid": kid}, key=THIEF)))


def test_another_algorithm_of_the_keys_own_type_is_taken_only_where_it_is_listed(idp, new_admin):
    admin, key = new_admin(idp.workspace.slug), RSAKey.generate_key(2048, auto_kid=True)
    public = {**key.as_dict(private=False), "alg": "PS256"}
    client = admin.request("POST", "/oauth-clients", {"name": "x", "key": public}).json()["data"]["client"]
    program = Program(idp.base_url, client["id"], key=key)
    for name, status in (("RS256", 401), ("RS512", 401), ("PS256", 200)):
        assert program.prove(signed({"alg": name}, program.claims(), key)).status_code == status, name


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"aud": None}, "aud"),
        ({"aud": "https://elsewhere.example"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": ["https://elsewhere.example"]}, "aud"),
        ({"aud": 5}, "aud"),
        ({"aud": {"a": 1}}, "aud"),
        ({"iss": None}, "iss"),
        ({"iss": "somebody"}, "iss"),
        ({"exp": None}, "exp"),
        ({"exp": NOW - 60}, "exp"),
        ({"exp": NOW + 2 * 3600}, "exp"),
        ({"exp": 10**30}, "exp"),
        ({"exp": -(10**30)}, "exp"),
        ({"exp": str(NOW + 60)}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": [NOW + 60]}, "exp"),
        ({"iat": NOW + DAY}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"nbf": NOW + DAY}, "nbf"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 5}, "jti"),
        ({"jti": "x" * 256}, "jti"),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else "-".join(f"{k} {type(v).__name__}" for k, v in value.items())
    ),
)
def test_a_claim_that_is_wrong_is_named(keyed, changed, words):
    refused(keyed.prove(keyed.assertion(**changed)), words)


def test_an_audience_is_ours_alone(keyed):
    issuer = keyed.base_url
    for aud in (issuer, f"{issuer}/oauth/token", [issuer, f"{issuer}/oauth/token"]):
        assert keyed.prove(keyed.assertion(aud=aud)).status_code == 200, aud
    for aud in ([issuer, "https://elsewhere.example"], f"{issuer}/", f"{issuer}/oauth", f"{issuer}/oauth/revoke"):
        refused(keyed.prove(keyed.assertion(aud=aud)), "aud")
    own = keyed.assertion(aud=f"{issuer}/oauth/introspect")
    assert keyed.prove(own, "introspect", token="x").json() == {"active": False}


@pytest.mark.parametrize("sub", [None, "", "nobody", 5, ["a"], {"a": 1}, "00000000-0000-7000-8000-000000000000"])
def test_nobody_is_told_whether_a_client_is_unknown(keyed, sub):
    unknown = keyed.prove(keyed.assertion(sub=sub, iss=sub))
    wrong = keyed.prove(keyed.assertion(key=THIEF))
    assert (unknown.status_code, unknown.text) == (wrong.status_code, wrong.text)


def test_one_client_proves_nothing_for_another(keyed, idp, new_idp, new_program):
    others = (new_program(idp, keyed=True), new_program(new_idp(), keyed=True))
    for other in others:
        refused(other.prove(other.assertion(key=keyed.key)))
        refused(keyed.prove(keyed.assertion(sub=other.id)))
        refused(keyed.prove(keyed.assertion(), client_id=other.id))
    assert keyed.prove(keyed.assertion(), client_id=keyed.id).status_code == 200


def test_an_assertion_is_good_once_wherever_it_is_shown(keyed):
    assertion = keyed.assertion(aud=keyed.base_url)
    assert keyed.prove(assertion).status_code == 200
    for endpoint in ("token", "introspect", "revoke"):
        refused(keyed.prove(assertion, endpoint, token="x"), "used before")


def test_of_many_at_once_exactly_one_is_good(keyed):
    assertion = keyed.assertion()
    with ThreadPoolExecutor(8) as several:
        statuses = list(several.map(lambda _: keyed.prove(assertion).status_code, range(8)))
    assert sorted(statuses) == [200] + [401] * 7


def test_one_that_is_refused_is_not_used_up(keyed, idp):
    assertion = keyed.assertion()
    refused(keyed.prove(assertion[:-4] + "AAAA"))
    refused(keyed.prove(assertion, client_id=str(idp.connection.id)))
    assert keyed.prove(assertion).status_code == 200


def test_two_clients_may_use_the_same_jti(keyed, idp, new_program):
    other = new_program(idp, keyed=True)
    for program in (keyed, other):
        assert program.prove(program.assertion(jti="one")).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "..",
        "a.b.c",
        "e30.e30.",
        "bnVsbA.bnVsbA.AAAA",
        "W10.W10.AAAA",
        signed({"alg": "ES256"}, [1], THIEF),
        signed({"alg": "ES256"}, "text", THIEF),
        signed({"typ": "JWT"}, {}, None),
        signed({"alg": 5}, {"sub": "x"}, None),
        signed({"alg": "ES256", "typ": 5}, {"sub": "x"}, THIEF),
        signed({"alg": "ES256", "typ": "at+jwt"}, {"sub": "x"}, THIEF),
        "\ud800",
        "é.é.é",
        "A" * 8193,
        "A" * 20_000,
    ],
    ids=lambda text: ascii(text[:12]) + f"({len(text)})",
)
def test_garbage_is_refused_in_words(keyed, text):
    refused(keyed.prove(text.encode("utf-8", "surrogatepass")))


def test_nesting_and_size_cost_nothing(keyed):
    deep = "eyJhbGciOiJFUzI1NiIsImEiO" + "ltbW1tbW1tb" * 600
    began = time.monotonic()
    refused(keyed.prove(f"{deep}.{deep[:1000]}.AAAA"))
    for size in (10**5, 10**6):
        answer = keyed.prove("A" * size)
        assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")
    assert time.monotonic() - began < 5


def test_two_ways_of_proving_it_are_refused(keyed, program):
    proof = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    both = program.post("token", grant_type="client_credentials", client_assertion=keyed.assertion(), **proof)
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    twice = program.post("token", grant_type="client_credentials", client_id=program.id, client_secret=program.secret)
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    other_type = keyed.post("token", named=False, grant_type="client_credentials", client_assertion_type="x",
                            client_assertion=keyed.assertion())  # fmt: skip
    refused(other_type)


def test_an_assertion_is_forgotten_when_it_is_over_by_its_own_word(keyed, app):
    assert keyed.prove(keyed.assertion(exp=int(time.time()) + 3)).status_code == 200
    mine = select(func.count()).select_from(UsedAssertion).where(UsedAssertion.client_id == keyed.id)

    def kept():
        with reading() as database:
            return database.execute(mine).scalar_one()

    assert kept() == 1
    eventually(lambda: kept() == 0)
