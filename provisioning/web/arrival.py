"""How a browser arrives: what its request tells of where a sign-in comes from."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from provisioning.sessions.sign_in import UNTOLD, SignIn


def told(vouched: SignIn = UNTOLD) -> SignIn:
    """A sign-in with the address and the browser of the request that is being answered.

    Args:
        vouched: what an identity provider said of it, if one did.
    """
    return replace(vouched, address=request.remote_addr, user_agent=request.headers.get("User-Agent"))
