"""How a browser arrives: what its request tells of where a sign-in comes from."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.sessions.sign_in import UNTOLD, SignIn
from provisioning.web import cookie


def told(vouched: SignIn = UNTOLD) -> SignIn:
    """A sign-in with the address and the browser of the request that is being answered.

    Args:
        vouched: what an identity provider said of it, if one did.
    """
    return replace(vouched, address=request.remote_addr, user_agent=request.headers.get("User-Agent"))


def former() -> bytes | None:
    """The digest of the session that the browser had until now, whosesoever it is: a sign-in ends it."""
    return context().keyring.recognise(cookie.brought(), Kind.SESSION)
