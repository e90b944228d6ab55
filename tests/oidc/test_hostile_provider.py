"""What an identity provider, or somebody who poses as one, can't do: rows of known failures of others, one by one."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.identities import providers
from provisioning.identities.providers import Terms
from provisioning.sessions import lifecycle
from provisioning.sessions.models import Session
from tests.conftest import TEST
from tests.oidc import hostile
from tests.oidc.conftest import carried
from tests.oidc.hostile import Hostile, another_key, by_key, by_secret, elliptic_key, raw

CLIENT = "client-1"
IN_2100 = 4102444800


@pytest.fixture
def liar():
    with hostile.running() as told:
        yield told


@dataclass
class Attempt:
    """A sign-in that is under way: what our side asked for, and the way back."""

    state: str
    nonce: str
    cookies: dict[str, str]
    back: str
    sent: dict[str, list[str]]

    def return_with(self, *, cookies: dict[str, str] | None = None, **query: str) -> requests.Response:
        """Come back from the provider."""
        sent = {"code": "c", "state": self.state, **query}
        held = self.cookies if cookies is None else cookies
        return requests.get(self.back, params=sent, headers=held, timeout=20, allow_redirects=False)


@pytest.fixture
def person() -> str:
    return uuid.uuid4().hex[:12]


@pytest.fixture
def through(service, app, liar, idp, person):
    """Begins sign-ins through the liar, which is set up for a workspace with one member."""
    idp.create_user(f"{person}@corp.example", externalId=person)

    def set_up(**terms: Any) -> None:
        wanted = Terms(
            issuer=liar.issuer,
            client_id=CLIENT,
            auth_method="client_secret_basic",
            credential=context().credentials.seal(b"secret"),
            **terms,
        )
        with transaction() as database:
            where = {"workspace_id": idp.workspace.id, "connection_id": idp.connection.id}
            providers.set_(database, terms=wanted, by=TEST, **where)

    def begin(**terms: Any) -> Attempt:
        set_up(**terms)
        sent = requests.get(f"{service.base_url}/sign-in/with/{idp.connection.id}", timeout=20, allow_redirects=False)
        assert sent.status_code == 302, sent.text
        asked = parse_qs(urlsplit(sent.headers["Location"]).query)
        back = f"{service.base_url}/sign-in/back/{idp.connection.id}"
        return Attempt(asked["state"][0], asked["nonce"][0], carried(sent), back, asked)

    return begin


def claims(liar: Hostile, attempt: Attempt, person: str, **others: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": liar.issuer, "aud": CLIENT, "sub": person, "nonce": attempt.nonce, "iat": now, "exp": now + 300}
    return {name: value for name, value in {**said, **others}.items() if value is not None}


def sessions_of(idp) -> int:
    with reading() as database:
        wanted = select(Session.id).where(Session.connection_id == idp.connection.id)
        return len(database.execute(wanted).all())


def is_refused(answer: requests.Response, idp) -> None:
    assert answer.status_code == 403, answer.text
    assert "__Host-session" not in answer.cookies
    assert sessions_of(idp) == 0


def test_what_is_in_order_is_let_in_and_asked_for_as_the_standard_has_it(liar, through, idp, person):
    attempt = through(max_age=600)
    assert attempt.sent["code_challenge_method"] == ["S256"]
    assert attempt.sent["response_type"] == ["code"]
    assert attempt.sent["max_age"] == ["600"]
    liar.id_token = liar.sign(claims(liar, attempt, person, auth_time=int(time.time()) - 600))
    answer = attempt.return_with()
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == "/console/"
    assert sessions_of(idp) == 1
    # The very same answer again is nobody's: the browser's state was used up.
    assert attempt.return_with(cookies=carried(answer)).status_code == 403
    assert sessions_of(idp) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "client-2"},
        {"aud": None},
        {"aud": [CLIENT, "client-2"]},
        {"aud": [CLIENT, "client-2"], "azp": "client-2"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": IN_2100},
        {"nbf": IN_2100},
        {"sub": None},
        {"sub": ""},
        {"sub": 1},
        {"sub": "x" * 256},
        {"sub": ["a"]},
    ],
    ids=str,
)
def test_an_id_token_with_a_wrong_claim_is_refused(liar, through, idp, person, wrong):
    attempt = through()
    liar.id_token = liar.sign(claims(liar, attempt, person, **wrong))
    is_refused(attempt.return_with(), idp)


@pytest.mark.parametrize("auth_time", [None, 1, IN_2100, "now", True, 1e300])
def test_who_proved_it_too_long_ago_is_refused(liar, through, idp, person, auth_time):
    attempt = through(max_age=600)
    liar.id_token = liar.sign(claims(liar, attempt, person, auth_time=auth_time))
    is_refused(attempt.return_with(), idp)


FORGERIES = {
    "another's key": lambda liar, said: liar.sign(said, key=another_key()),
    "a key of another name": lambda liar, said: liar.sign(said, {"alg": "RS256", "kid": "x"}, another_key("x")),
    "no signature": lambda _liar, said: raw({"alg": "none", "kid": "known"}, said, lambda _body: b""),
    "the public key as a secret": lambda liar, said: raw(
        {"alg": "HS256", "kid": "known"}, said, by_secret(liar.key.as_pem(private=False))
    ),
    "the client's secret as a key": lambda _liar, said: raw(
        {"alg": "HS256", "kid": "known"}, said, by_secret(b"secret")
    ),
    "another kind of key": lambda liar, said: liar.sign(said, {"alg": "ES256", "kid": "known"}, elliptic_key()),
    "a key that it brings itself": lambda liar, said: liar.sign(
        said, {"alg": "RS256", "jwk": (own := another_key("own")).as_dict(private=False)}, own
    ),
    "an address of keys": lambda liar, said: liar.sign(
        said, {"alg": "RS256", "kid": "x", "jku": f"{liar.issuer}/stolen"}, another_key("x")
    ),
    "a path for a name": lambda liar, said: liar.sign(
        said, {"alg": "RS256", "kid": "../../known"}, another_key("../../known")
    ),
    "what must be understood and isn't": lambda liar, said: raw(
        {"alg": "RS256", "kid": "known", "crit": ["bork"], "bork": 1}, said, by_key(liar.key)
    ),
    "nothing at all": lambda _liar, _said: "",
    "no token": lambda _liar, _said: "a.b.c",
    "a changed one": lambda liar, said: liar.sign(said)[:-4] + "AAAA",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_id_token_is_refused(liar, through, idp, person, forgery):
    attempt = through()
    liar.last_subject = person
    liar.id_token = FORGERIES[forgery](liar, claims(liar, attempt, person))
    is_refused(attempt.return_with(), idp)
    assert "/stolen" not in liar.asked


def test_an_answer_is_taken_from_the_browser_that_asked_alone(liar, through, idp, person):
    attempt = through()
    liar.id_token = liar.sign(claims(liar, attempt, person))
    is_refused(attempt.return_with(cookies={}), idp)
    is_refused(attempt.return_with(cookies={"Cookie": "__Host-sign-in=gAAAAA"}), idp)
    is_refused(attempt.return_with(state="another"), idp)
    is_refused(attempt.return_with(state=""), idp)


def test_an_answer_of_another_issuer_is_refused(liar, through, idp, person):
    attempt = through()
    liar.id_token = liar.sign(claims(liar, attempt, person))
    is_refused(attempt.return_with(iss="https://other.example"), idp)
    liar.metadata = {"authorization_response_iss_parameter_supported": True}
    is_refused(attempt.return_with(), idp)


def test_an_answer_is_not_taken_at_another_connections_door(liar, through, idp, person, facts_of, service):
    attempt = through()
    facts_of("connection", "create", "--workspace", idp.workspace.slug, "--name", "second")
    with reading() as database:
        second = providers.connections.by_name(database, workspace_id=idp.workspace.id, name="second")
    liar.id_token = liar.sign(claims(liar, attempt, person))
    attempt.back = f"{service.base_url}/sign-in/back/{second.id}"
    assert attempt.return_with().status_code == 404
    with transaction() as database:
        wanted = providers.find(database, idp.connection.id)
        terms = Terms(wanted.issuer, wanted.client_id, wanted.auth_method, wanted.credential)
        where = {"workspace_id": idp.workspace.id, "connection_id": second.id}
        providers.set_(database, terms=terms, by=TEST, **where)
    is_refused(attempt.return_with(), idp)


def test_the_providers_own_no_is_told_as_a_page(liar, through, idp):
    attempt = through()
    answer = attempt.return_with(error="access_denied", error_description="<b>no</b>")
    is_refused(answer, idp)
    assert "<b>" not in answer.text


def test_the_userinfo_of_somebody_else_is_refused(liar, through, idp, person):
    attempt = through()
    liar.id_token = liar.sign(claims(liar, attempt, person))
    liar.userinfo = {"sub": "somebody else", "email": f"{person}@corp.example", "email_verified": True}
    is_refused(attempt.return_with(), idp)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"jwks_uri": 1},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_a_provider_that_points_elsewhere_is_not_followed(liar, through, idp, service, metadata):
    through()
    liar.metadata = metadata
    answer = requests.get(f"{service.base_url}/sign-in/with/{idp.connection.id}", timeout=20, allow_redirects=False)
    assert (answer.status_code, "does not answer as it should" in answer.text) == (502, True)


def test_a_provider_that_redirects_or_talks_without_end_is_not_followed(liar, through, idp, service):
    through()
    address = f"{service.base_url}/sign-in/with/{idp.connection.id}"
    liar.redirects_to = f"{liar.issuer}/elsewhere"
    assert requests.get(address, timeout=20, allow_redirects=False).status_code == 502
    assert "/elsewhere" not in liar.asked
    liar.redirects_to, liar.padding = None, 2_000_000
    assert requests.get(address, timeout=20, allow_redirects=False).status_code == 502


def test_headers_of_the_request_never_make_an_address(liar, through, idp, service):
    through()
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.example"}
    answer = requests.get(
        f"{service.base_url}/sign-in/with/{idp.connection.id}",
        headers={**lies, "Host": "evil.example"},
        timeout=20,
        allow_redirects=False,
    )
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{service.base_url}/sign-in/back/{idp.connection.id}"]


EVENT = {"http://schemas.openid.net/event/backchannel-logout": {}}


@pytest.fixture
def session(liar, through, idp, person) -> str:
    attempt = through()
    liar.id_token = liar.sign(claims(liar, attempt, person, sid="s1"))
    return attempt.return_with().cookies["__Host-session"]


@pytest.fixture
def deliver(service, idp):
    """Sends a text to our back channel as a logout token."""

    def send(token: str) -> requests.Response:
        address = f"{service.base_url}/sign-in/back-channel/{idp.connection.id}"
        return requests.post(address, data={"logout_token": token}, timeout=20)

    return send


def logout_claims(liar: Hostile, **others: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": liar.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": uuid.uuid4().hex}
    said |= {"events": EVENT, "sid": "s1", **others}
    return {name: value for name, value in said.items() if value is not None}


@pytest.fixture
def tell(deliver, liar):
    """Sends a logout token that says this."""

    def send(header: dict[str, Any] | None = None, key: Any = None, **others: Any) -> requests.Response:
        said = logout_claims(liar, **others)
        return deliver(liar.sign(said, header or {"alg": "RS256", "kid": "known", "typ": "logout+jwt"}, key))

    return send


def is_alive(text: str) -> bool:
    digest = context().keyring.recognise(text, Kind.SESSION)
    with reading() as database:
        return lifecycle.judge(database, digest=digest, policy=context().session_policy)[0].active


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "n"},
        {"events": None},
        {"events": {"other": {}}},
        {"events": "http://schemas.openid.net/event/backchannel-logout"},
        {"aud": "client-2"},
        {"iss": "https://other.example"},
        {"exp": 1},
        {"exp": None},
        {"jti": None},
        {"sid": None},
        {"sid": 1},
        {"header": {"alg": "RS256", "kid": "known", "typ": "at+jwt"}},
        {"forged": True},
    ],
    ids=str,
)
def test_a_wrong_logout_token_ends_nothing(session, tell, wrong):
    wrong = dict(wrong)
    answer = tell(key=another_key() if wrong.pop("forged", False) else None, **wrong)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert is_alive(session)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_logout_token_ends_nothing(session, deliver, liar, forgery):
    assert deliver(FORGERIES[forgery](liar, logout_claims(liar))).status_code == 400
    assert is_alive(session)
    assert deliver(liar.sign(logout_claims(liar))).status_code == 200
    assert not is_alive(session)


def test_an_id_token_is_no_logout_token(session, deliver, liar):
    for text in (liar.id_token, "", "x" * 20_000):
        assert deliver(text).status_code == 400
    assert is_alive(session)


def test_a_logout_token_that_is_heard_again_ends_nothing_that_began_since(session, tell, liar, through, person):
    now = int(time.time())
    once = {"jti": "once", "iat": now, "exp": now + 120, "sid": None, "sub": person}
    assert tell(**once).status_code == 200
    assert not is_alive(session)
    attempt = through()
    liar.id_token = liar.sign(claims(liar, attempt, person, sid="s2"))
    again = attempt.return_with().cookies["__Host-session"]
    assert tell(**once).status_code == 400
    assert is_alive(again)


def test_signing_out_of_one_session_there_leaves_the_others_be(session, tell, liar, through, person):
    attempt = through()
    liar.id_token = liar.sign(claims(liar, attempt, person, sid="s2"))
    other = attempt.return_with().cookies["__Host-session"]
    assert tell(sid="s1", sub=person).status_code == 200
    assert (is_alive(session), is_alive(other)) == (False, True)
    assert tell(sid="unknown").status_code == 200
    assert is_alive(other)
