"""How often one address, and one OAuth client, may ask at the doors where credentials are tried.

The address is counted before anything else is done for it. A client is counted only once it has proved who it is: else
anybody could use up what is meant for another. Without Redis each process counts for itself, and none lets all through.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Literal

from flask import Flask, request

from provisioning.context import Context, context
from provisioning.refusals import TooManyRequests

Kind = Literal["sign_in", "oauth", "introspection"]
# Stands in the environment of a request whose address was counted before it came to its view. No header does.
COUNTED = "provisioning.address-counted"
# What one subscriber has of the sixth version: counted as one, for it holds more addresses than there are minutes.
_SUBSCRIBER_BITS = 64
_PATHS: Mapping[str, Kind] = {
    # One address speaks for a whole company there.
    "/sign-in/back-channel": "introspection",
    "/sign-in": "sign_in",
    "/oauth/introspect": "introspection",
    "/oauth": "oauth",
}


def init_app(app: Flask) -> None:
    """Count the requests of each address at every route of these doors, those that are still to be written, too."""
    app.before_request(_count_address)


def _count_address() -> None:
    asked = request.path + "/"
    kind = next((kind for path, kind in _PATHS.items() if asked.startswith(path + "/")), None)
    if kind is not None and not request.environ.get(COUNTED):
        _refuse(take(context(), kind, address(request.remote_addr)))


def count_client(client_id: str) -> None:
    """Count a request of a client that has proved who it is.

    Raises:
        TooManyRequests: it is one too many.
    """
    _refuse(take(context(), _PATHS.get(request.path, "oauth"), client(client_id)))


def take(means: Context, kind: Kind, who: str) -> int | None:
    """Count a request.

    Returns:
        None, or in how many seconds to come again where it was one too many.
    """
    return means.pace.take(who, getattr(means.measures, kind), of=kind)


def _refuse(wait: int | None) -> None:
    if wait is not None:
        raise TooManyRequests("That is more than is answered in a minute: slow down.", retry_after=wait)


def client(client_id: str) -> str:
    """A client as it is counted."""
    return f"client:{client_id}"


def address(of: str | None) -> str:
    """The address that a request came from as it is counted."""
    return f"address:{_subscriber(of or '')}"


def _subscriber(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, _SUBSCRIBER_BITS), strict=False))
