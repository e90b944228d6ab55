"""What the tests of the OAuth door share: a program with its credentials, and assertions as anybody may write them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

import requests
from joserfc.jwk import ECKey, Key
from joserfc.jws import JWSRegistry

from provisioning.tokens.assertions import TYPE

_numbers = itertools.count()


@dataclass(frozen=True)
class Program:
    """An OAuth client, as the program that has its credentials."""

    base_url: str
    id: str
    secret: str = ""
    key: Key | None = None

    def post(self, endpoint: str, *, named: bool = True, **form: Any) -> requests.Response:
        """One request, with the secret in the header."""
        auth = (self.id, self.secret) if named else None
        return requests.post(f"{self.base_url}/oauth/{endpoint}", data=form, auth=auth, timeout=20)

    def token(self, **form: Any) -> str:
        """An access token, which must be given."""
        answer = self.post("token", grant_type="client_credentials", **form)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def introspect(self, token: str, **form: Any) -> dict[str, Any]:
        """What is told of a token, which must be told."""
        answer = self.post("introspect", token=token, **form)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What an assertion says, but for what is changed; a claim that is None is left out."""
        now = int(time.time())
        usual = {"iss": self.id, "sub": self.id, "aud": f"{self.base_url}/oauth/token", "iat": now, "exp": now + 60}
        said = {**usual, "jti": f"{time.time_ns()}-{next(_numbers)}", **changed}
        return {name: value for name, value in said.items() if value is not None}

    def assertion(self, *, key: Key | bytes | None = None, header: Any = None, **changed: Any) -> str:
        """A signed assertion, by its own key where no other is given."""
        return signed({"alg": "ES256", "typ": "JWT", **(header or {})}, self.claims(**changed), key or self.key)

    def prove(self, assertion: str, endpoint: str = "token", **form: Any) -> requests.Response:
        """One request with an assertion."""
        proof = {"client_assertion_type": TYPE, "client_assertion": assertion}
        return self.post(endpoint, named=False, **proof, **({"grant_type": "client_credentials"} | form))


def signed(header: dict[str, Any], claims: Any, key: Key | bytes | None) -> str:
    """A JWS of whatever one likes: libraries refuse to write some of what has to be refused here."""
    parts = [_base64(json.dumps(part).encode()) for part in (header, claims)]
    message = b".".join(parts)
    if isinstance(key, bytes):
        signature = hmac.digest(key, message, hashlib.sha256)
    else:
        signature = b"" if key is None else JWSRegistry.algorithms[header["alg"]].sign(message, key)
    return b".".join([*parts, _base64(signature)]).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def bearer(token: str) -> dict[str, str]:
    """The header that presents a token."""
    return {"Authorization": f"Bearer {token}"}


def new_key() -> ECKey:
    """A key pair of a client."""
    return ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
