"""`provisioning forward`: addresses that are told what happens in a workspace; and the syslog, told of all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import click

from provisioning.cli.durations import DURATION
from provisioning.cli.moments import MOMENT
from provisioning.cli.options import workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import workspaces
from provisioning.forwarding import endpoints, selection, sending, syslog_places
from provisioning.forwarding.endpoints import EndpointView

_id_argument = click.argument("endpoint_id", metavar="ID", type=click.UUID)
_events_option = click.option(
    "--event", "events", multiple=True, help="The name of an event, or `noun.*`; again for more. Without any: all."
)


@click.group()
def forward() -> None:
    """Telling the outside what happens: addresses of a workspace, and the operator's syslog."""


def _facts(found: EndpointView) -> dict[str, Any]:
    return {
        "id": found.id,
        "url": found.url,
        "events": found.events,
        "state": found.state,
        "attempts": found.attempts,
        "error": found.error,
        "failing_since": found.failing_since,
        "delivered_at": found.delivered_at,
        "disabled_because": found.disabled_because,
    }


def _held(connection: Connection, workspace: str, endpoint_id: UUID) -> EndpointView:
    of = workspaces.by_slug(connection, workspace).id
    return endpoints.lock(connection, workspace_id=of, endpoint_id=endpoint_id)


@forward.command()
@workspace_option
@click.option("--url", required=True, help="An https address.")
@_events_option
@operates
def create(out: Output, workspace: str, url: str, events: tuple[str, ...]) -> None:
    """Have an address told what happens from now on; its secret is shown this once."""
    with transaction() as connection:
        made = endpoints.register(
            connection,
            workspace_id=workspaces.by_slug(connection, workspace).id,
            url=url,
            events=events or (selection.ALL,),
            sealer=context().forwarding.sealer,
            outbound=context().forwarding.outbound,
            by=OPERATOR,
        )
    out.one({**_facts(made.endpoint), "secret": made.secret})


@forward.command(name="list")
@workspace_option
@operates
def list_(out: Output, workspace: str) -> None:
    """List the endpoints of a workspace, and how each of them is."""
    with reading() as connection:
        found = endpoints.every(connection, workspace_id=workspaces.by_slug(connection, workspace).id)
    out.many("endpoints", [_facts(endpoint) for endpoint in found])


@forward.command()
@_id_argument
@workspace_option
@_events_option
@operates
def choose(out: Output, endpoint_id: UUID, workspace: str, events: tuple[str, ...]) -> None:
    """Have an endpoint told of these events, and no others."""
    wanted = events or (selection.ALL,)
    with transaction() as connection:
        held = _held(connection, workspace, endpoint_id)
        out.one(_facts(endpoints.change(connection, endpoint=held, events=wanted, enabled=None, by=OPERATOR)))


@forward.command()
@_id_argument
@workspace_option
@operates
def enable(out: Output, endpoint_id: UUID, workspace: str) -> None:
    """Switch an endpoint on again; it goes on where it was."""
    _switch(out, endpoint_id, workspace, enabled=True)


@forward.command()
@_id_argument
@workspace_option
@operates
def disable(out: Output, endpoint_id: UUID, workspace: str) -> None:
    """Switch an endpoint off; nothing is lost meanwhile."""
    _switch(out, endpoint_id, workspace, enabled=False)


def _switch(out: Output, endpoint_id: UUID, workspace: str, *, enabled: bool) -> None:
    with transaction() as connection:
        held = _held(connection, workspace, endpoint_id)
        out.one(_facts(endpoints.change(connection, endpoint=held, events=None, enabled=enabled, by=OPERATOR)))


@forward.command()
@_id_argument
@workspace_option
@click.option("--overlap", type=DURATION, default="24h", help="How long the secrets in use go on signing; 7d at most.")
@operates
def rotate(out: Output, endpoint_id: UUID, workspace: str, overlap: timedelta) -> None:
    """Give an endpoint a new secret, shown this once; those in use sign beside it until the overlap ends."""
    with transaction() as connection:
        held, sealer = _held(connection, workspace, endpoint_id), context().forwarding.sealer
        made = endpoints.rotate(connection, endpoint=held, overlap=overlap, sealer=sealer, by=OPERATOR)
    out.one({"id": made.endpoint.id, "secret": made.secret})


@forward.command()
@_id_argument
@workspace_option
@operates
def delete(out: Output, endpoint_id: UUID, workspace: str) -> None:
    """Take an endpoint away."""
    with transaction() as connection:
        endpoints.remove(connection, endpoint=_held(connection, workspace, endpoint_id), by=OPERATOR)
    out.one({"id": endpoint_id, "deleted": True})


@forward.command()
@_id_argument
@workspace_option
@operates
def test(out: Output, endpoint_id: UUID, workspace: str) -> None:
    """Send an endpoint a signed message without events, now."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        found = endpoints.by_id(connection, workspace_id=of, endpoint_id=endpoint_id)
    outcome = sending.test(found, sealer=context().forwarding.sealer, outbound=context().outbound)
    out.one({"id": found.id, "delivered": outcome.taken, "status": outcome.status, "error": outcome.error})
    if not outcome.taken:
        raise click.exceptions.Exit(1)


@forward.command()
@click.argument("endpoint_id", metavar="[ID]", type=click.UUID, required=False)
@click.option("--workspace", help="The slug of the endpoint's workspace.")
@click.option("--syslog", is_flag=True, help="The operator's syslog, told of all workspaces.")
@click.option("--since", type=MOMENT, required=True, help="From when on; a little of before may come, too.")
@operates
def replay(out: Output, endpoint_id: UUID | None, workspace: str | None, since: datetime, *, syslog: bool) -> None:
    """Have everything since a moment told again, or only that where it is still to come."""
    if syslog != (endpoint_id is None) or syslog != (workspace is None):
        raise click.UsageError("Say which: an id with --workspace, or --syslog.")
    with transaction() as connection:
        if endpoint_id is None or workspace is None:
            syslog_places.hold(connection)
            out.one({"chains": len(syslog_places.replay(connection, since=since, by=OPERATOR))})
            return
        held = _held(connection, workspace, endpoint_id)
        out.one(_facts(endpoints.replay(connection, endpoint=held, since=since, by=OPERATOR)))
