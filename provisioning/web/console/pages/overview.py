"""A workspace at a glance: is provisioning healthy, how much is there, and what wants somebody's attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, render_template

from provisioning.access import rules
from provisioning.audit import trail
from provisioning.database import Connection, reading
from provisioning.directory import connections, overview
from provisioning.journal import entries
from provisioning.sessions import listing
from provisioning.tokens import outlook
from provisioning.web.console.guard import by_member, by_member_watching, here, insider
from provisioning.web.console.page import Page

blueprint = Blueprint("overview", __name__)
PAGE = Page("Overview", "workspace.read", blueprint, "")
_MOST = 5


@blueprint.get("")
@by_member("workspace.read")
def index() -> str:
    """Each part is shown to those who may read it; everybody sees what they may do themselves."""
    with reading() as database:
        parts = {name: part(database) for name, (action, part) in _PARTS.items() if insider().may(action)}
    return render_template("console/overview/index.html", own=rules.effective(insider().facts), **parts)


@blueprint.get("/overview/connections")
@by_member_watching("connection.read")
def fares() -> str:
    """How the connections fare: asked by the page again and again."""
    with reading() as database:
        return render_template("console/overview/connections.html", connections=_connections(database))


def _connections(database: Connection) -> object:
    fares = entries.health(database, workspace_id=here().workspace_id)
    return [(each, fares[each.id]) for each in connections.every(database, workspace_id=here().workspace_id)]


# Of each part of the page, the action that it takes and how it is read.
_PARTS: Mapping[str, tuple[str, Callable[[Connection], object]]] = {
    "figures": ("member.read", lambda database: overview.figures(database, workspace_id=here().workspace_id)),
    "connections": ("connection.read", _connections),
    "sessions": ("session.read", lambda database: listing.count_open(database, workspace_id=here().workspace_id)),
    "tokens": (
        "token.read",
        lambda database: outlook.of_workspace(database, workspace_id=here().workspace_id, most=_MOST),
    ),
    "alarms": ("audit.read", lambda database: trail.alarms(database, workspace_id=here().workspace_id, most=_MOST)),
}
