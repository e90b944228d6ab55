"""Whose request is answered, and what goes with it through everything that is done for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import g, request
from werkzeug.sansio.utils import get_current_url
from werkzeug.wsgi import get_host

from provisioning.context import Context, context
from provisioning.directory.connections import ConnectionView
from provisioning.directory.filters import Viewer
from provisioning.outbox import Actor
from provisioning.prepared import Row
from provisioning.web.guard import connection, looked_up, storable
from provisioning.web.scim.noted import Noted

if TYPE_CHECKING:  # these exist for type checkers alone
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(slots=True)
class Asking:
    """A connection's request.

    Args:
        connection: that asks.
        by: the same, as facts record it.
        viewer: through whose eyes resources are shown to it.
        held: what was read along with its credential, if there was something to read.
        noted: what is noted of the operation under way.
    """

    connection: ConnectionView
    by: Actor
    viewer: Viewer
    held: Row | None
    noted: Noted = field(default_factory=Noted)


def of(connection: ConnectionView, held: Row | None, environ: WSGIEnvironment, means: Context) -> Asking:
    """The request of a connection that was made out by its credential."""
    by = Actor("connection", str(connection.id), storable(environ.get("HTTP_X_REQUEST_ID", "")))
    viewer = Viewer(connection.kinds, connection.id, base_url(environ, means))
    return Asking(connection, by, viewer, held)


def of_request() -> Asking:
    """The request that Flask is at work on."""
    if g.asking is None:
        g.asking = of(connection(), looked_up(), request.environ, context())
    found: Asking = g.asking
    return found


def base_url(environ: WSGIEnvironment, means: Context) -> str:
    """What clients call the door: as they wrote it, where a proxy that is trusted tells, else as it is configured."""
    return f"{_as_written(environ, means) if means.trusted_proxies else means.public_url}/scim/v2"


def _as_written(environ: WSGIEnvironment, means: Context) -> str:
    prefix = environ.get("SCRIPT_NAME", "").encode("latin-1").decode(errors="replace")
    try:
        return get_current_url(environ["wsgi.url_scheme"], get_host(environ), prefix).rstrip("/")
    except ValueError:
        # A name that passes for one, and that no address can be made of.
        return means.public_url
