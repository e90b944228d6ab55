"""How an identity provider knows us: by a secret that it gave, or by a key that we sign with (`private_key_jwt`)."""

from __future__ import annotations

import json
from typing import Any

from joserfc.jwk import ECKey

from provisioning.refusals import Invalid

ALGORITHM = "ES256"
_BY_KEY, _BY_SECRET = "private_key_jwt", ("client_secret_basic", "client_secret_post")


def chosen(secret: str | None, method: str | None) -> tuple[str, str]:
    """The way of proving who we are that an admin has chosen, and the credential for it: without a secret, a new key.

    Raises:
        Invalid: the way needs a secret and there is none, or the other way round.
    """
    if secret is None and method in {None, _BY_KEY}:
        return _BY_KEY, new()
    if secret and method in {None, *_BY_SECRET}:
        return method or _BY_SECRET[0], secret
    raise Invalid(f"A secret goes with {' or '.join(_BY_SECRET)}, and they with a secret.", field="clientSecret")


def new() -> str:
    """A new private key, as JSON (RFC 7517); whoever stores it seals it first."""
    key = ECKey.generate_key("P-256", private=True, auto_kid=True)
    return json.dumps(key.as_dict(private=True))


def read(stored: str) -> ECKey:
    """The key that `new` made."""
    return ECKey.import_key(json.loads(stored))


def public(stored: str) -> dict[str, Any]:
    """What the provider may know of it."""
    return {**read(stored).as_dict(private=False), "use": "sig", "alg": ALGORITHM}
