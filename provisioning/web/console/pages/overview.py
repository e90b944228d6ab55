"""A workspace at a glance: is provisioning healthy, how much is there, and what wants somebody's attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, render_template, request

from provisioning.access import rules
from provisioning.audit import trail
from provisioning.database import Connection, reading
from provisioning.directory import connections, overview
from provisioning.journal import entries
from provisioning.journal.entries import Stretch
from provisioning.sessions import listing
from provisioning.tokens import outlook
from provisioning.web.console.guard import by_member, by_member_watching, here, insider
from provisioning.web.console.page import Page
from provisioning.web.recorded import record

blueprint = Blueprint("overview", __name__)
PAGE = Page("Overview", "workspace.read", blueprint, "")
_MOST = 5


@blueprint.get("")
@by_member("workspace.read")
def index() -> str:
    """Each part is shown to those who may read it; everybody sees what they may do themselves."""
    with reading() as database:
        parts = {name: part(database) for name, (action, part) in _PARTS.items() if insider().may(action)}
    if parts.get("alarms"):
        record("trail", workspace_id=here().workspace_id, asked={"part": "alarms"})
    return render_template("console/overview/index.html", own=rules.effective(insider().facts), **parts)


@blueprint.get("/overview/connections")
@by_member_watching("connection.read")
def fares() -> str:
    """How the connections fare: asked by the page again and again."""
    with reading() as database:
        return render_template("console/overview/connections.html", connections=_connections(database))


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in a chart: where its bars stand, in hundredths of the chart's height, and what they tell."""

    told: Stretch
    left: int
    done: float
    failed: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What connections did lately."""

    days: bool
    bars: Sequence[Bar]
    requests: int
    errors: int


_STEP, _HEIGHT = 10, 100


def _chart(database: Connection) -> Chart:
    """A day by hours, or a week by days: as the address says."""
    days = request.args.get("chart") == "week"
    stretch, count = (timedelta(days=1), 7) if days else (timedelta(hours=1), 24)
    told = entries.activity(database, workspace_id=here().workspace_id, stretch=stretch, count=count)
    most = max(1, *(each.requests for each in told))
    bars = [
        Bar(each, place * _STEP, _share(each.requests - each.errors, most), _share(each.errors, most))
        for place, each in enumerate(told)
    ]
    return Chart(days, bars, sum(each.requests for each in told), sum(each.errors for each in told))


def _share(count: int, most: int) -> float:
    return round(count * _HEIGHT / most, 1)


def _connections(database: Connection) -> object:
    fares = entries.health(database, workspace_id=here().workspace_id)
    return [(each, fares[each.id]) for each in connections.every(database, workspace_id=here().workspace_id)]


# Of each part of the page, the action that it takes and how it is read.
_PARTS: Mapping[str, tuple[str, Callable[[Connection], object]]] = {
    "figures": ("member.read", lambda database: overview.figures(database, workspace_id=here().workspace_id)),
    "connections": ("connection.read", _connections),
    "chart": ("connection.read", _chart),
    "sessions": ("session.read", lambda database: listing.count_open(database, workspace_id=here().workspace_id)),
    "tokens": (
        "token.read",
        lambda database: outlook.of_workspace(database, workspace_id=here().workspace_id, most=_MOST),
    ),
    "alarms": ("audit.read", lambda database: trail.alarms(database, workspace_id=here().workspace_id, most=_MOST)),
}
