"""`provisioning connection`: identity providers' links to workspaces."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from provisioning import drift as drifting
from provisioning.cli.durations import DURATION
from provisioning.cli.options import count_option, start_index_option, workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import reading, transaction
from provisioning.differences import Of
from provisioning.directory import connections, mass_changes, workspaces
from provisioning.directory.connections import DIALECTS, ConnectionView, Settings
from provisioning.directory.paging import Window
from provisioning.journal import entries
from provisioning.journal.entries import Entry

_LONGEST_LINE = 100
_SHOWN = ("kind", "name", "says", "holds", "since", "do")


@click.group()
def connection() -> None:
    """Connections: where identity providers push users and groups."""


def _facts(found: ConnectionView) -> dict[str, Any]:
    return {
        "id": found.id,
        "workspace": found.workspace,
        "name": found.name,
        "dialect": found.dialect,
        "scim_base_url": f"{context().public_url}/scim/v2",
    }


@connection.command()
@workspace_option
@click.option("--name", required=True, help="What admins call it.")
@click.option("--dialect", type=click.Choice(DIALECTS), default="other", help="Which identity provider it is.")
@operates
def create(out: Output, workspace: str, name: str, dialect: str) -> None:
    """Create a connection; its token is shown this once."""
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        found = workspaces.by_slug(database, workspace)
        made = connections.create(
            database, workspace_id=found.id, name=name, dialect=dialect, digest=secret.digest, by=OPERATOR
        )
    out.one({**_facts(made), "token": secret.text})


@connection.command(name="list")
@click.option("--workspace", help="Only those of the workspace with this slug.")
@operates
def list_(out: Output, workspace: str | None) -> None:
    """List connections."""
    with reading() as database:
        of = None if workspace is None else workspaces.by_slug(database, workspace).id
        out.many("connections", [_facts(found) for found in connections.every(database, workspace_id=of)])


@connection.command()
@click.argument("name")
@workspace_option
@click.option(
    "--overlap", type=DURATION, default="0s", help="How long the token in use stays valid beside the new one."
)
@operates
def rotate(out: Output, name: str, workspace: str, overlap: timedelta) -> None:
    """Give a connection a new token, shown this once."""
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        found = workspaces.by_slug(database, workspace)
        rotated = connections.rotate(
            database, workspace_id=found.id, name=name, digest=secret.digest, overlap=overlap, by=OPERATOR
        )
    out.one({**_facts(rotated), "token": secret.text})


@connection.command()
@click.argument("name")
@workspace_option
@operates
def secret(out: Output, name: str, workspace: str) -> None:
    """Give a connection an OAuth client secret, shown this once; the one it had is gone."""
    made = context().keyring.mint(Kind.CLIENT_SECRET)
    with transaction() as database:
        of = workspaces.by_slug(database, workspace).id
        found = connections.by_name(database, workspace_id=of, name=name)
        connections.issue_secret(database, workspace_id=of, connection_id=found.id, digest=made.digest, by=OPERATOR)
    out.one(
        {
            **_facts(found),
            "token_url": f"{context().public_url}/oauth/token",
            "client_id": found.id,
            "client_secret": made.text,
        }
    )


def _settings_of(found: ConnectionView) -> dict[str, Any]:
    return {
        **_facts(found),
        "learned_dialect": found.learned_dialect,
        "paused": found.paused_at is not None,
        "dry_run": found.dry_run,
        "awaits_members": found.awaits_members,
        "requests_per_minute": found.requests_per_minute,
        "alarm_percent": found.alarm_percent,
        "holds_mass_changes": found.holds_mass_changes,
    }


def _configured(out: Output, name: str, workspace: str, settings: Settings) -> None:
    with transaction() as database:
        of = workspaces.by_slug(database, workspace).id
        found = connections.by_name(database, workspace_id=of, name=name)
        out.one(
            _settings_of(
                connections.configure(database, workspace_id=of, connection_id=found.id, settings=settings, by=OPERATOR)
            )
        )


@connection.command(name="set")
@click.argument("name")
@workspace_option
@click.option("--dialect", type=click.Choice(DIALECTS), help="Which identity provider it is.")
@click.option("--dry-run/--no-dry-run", default=None, help="Answer as if, and write nothing but the log.")
@click.option("--await-members/--refuse-members", default=None, help="People in groups who are still to come.")
@click.option("--requests-per-minute", type=int, help="How many are answered; 0 for the service's own limit.")
@click.option("--alarm-percent", type=int, help="The share of members that may lose something in an hour.")
@click.option("--hold/--no-hold", default=None, help="Hold what goes beyond that until somebody confirms it.")
@operates
def set_(
    out: Output,
    name: str,
    workspace: str,
    dialect: str | None,
    requests_per_minute: int | None,
    alarm_percent: int | None,
    *,
    dry_run: bool | None,
    await_members: bool | None,
    hold: bool | None,
) -> None:
    """Set something of a connection; it holds from the next request on."""
    settings = Settings(
        dialect=dialect,
        dry_run=dry_run,
        awaits_members=await_members,
        requests_per_minute=requests_per_minute,
        alarm_percent=alarm_percent,
        holds_mass_changes=hold,
    )
    _configured(out, name, workspace, settings)


@connection.command()
@click.argument("name")
@workspace_option
@operates
def pause(out: Output, name: str, workspace: str) -> None:
    """Put off every request of a connection: 503, with the time to come again."""
    _configured(out, name, workspace, Settings(paused=True))


@connection.command()
@click.argument("name")
@workspace_option
@operates
def resume(out: Output, name: str, workspace: str) -> None:
    """Answer a paused connection again."""
    _configured(out, name, workspace, Settings(paused=False))


@connection.command()
@click.argument("name")
@workspace_option
@operates
def held(out: Output, name: str, workspace: str) -> None:
    """Show what a connection asked for and that waits for somebody to look at it."""
    with reading() as database:
        of = workspaces.by_slug(database, workspace).id
        found = connections.by_name(database, workspace_id=of, name=name)
        waiting = mass_changes.held(database, workspace_id=of, connection_id=found.id)
    out.many("changes", [dataclasses.asdict(change) for change in waiting])


@connection.command()
@click.argument("name")
@workspace_option
@click.option("--confirm/--drop", required=True, help="Do what waits, or drop it.")
@operates
def settle(out: Output, name: str, workspace: str, *, confirm: bool) -> None:
    """Do what waits, or drop it, once you have looked at it."""
    with transaction() as database:
        of = workspaces.by_slug(database, workspace).id
        found = connections.by_name(database, workspace_id=of, name=name)
        settled = mass_changes.settle(database, workspace_id=of, connection_id=found.id, confirmed=confirm, by=OPERATOR)
    out.one({"settled": settled, "confirmed": confirm})


@connection.command()
@click.argument("name")
@workspace_option
@operates
def check(out: Output, name: str, workspace: str) -> None:
    """Look at a connection: has it come in, has it pushed anybody, and what went wrong lately."""
    with reading() as database:
        of = workspaces.by_slug(database, workspace).id
        found = connections.by_name(database, workspace_id=of, name=name)
        out.one(dataclasses.asdict(entries.check(database, workspace_id=of, connection_id=found.id)))


@connection.command()
@click.argument("name", required=False)
@workspace_option
@click.option("--kind", type=click.Choice(sorted(drifting.ADVICE)), help="Only those of this kind.")
@start_index_option
@count_option
@operates
def drift(out: Output, name: str | None, workspace: str, kind: str | None, start_index: int, count: int) -> None:
    """Show what is not as a connection's identity provider says; without a name, of the whole workspace."""
    with reading() as database:
        of = workspaces.by_slug(database, workspace).id
        which = None if name is None else connections.by_name(database, workspace_id=of, name=name).id
        page = drifting.report(database, of=Of(of, which), window=Window(count, start_index), kind=kind)
    told = [{**dataclasses.asdict(found), "do": drifting.ADVICE[found.kind]} for found in page.items]
    shown = told if out.as_json else [{name: one[name] for name in _SHOWN} for one in told]
    out.many("differences", shown, total=page.total)


@connection.command()
@click.argument("name")
@workspace_option
@click.option("--errors", is_flag=True, help="Only what was refused or failed.")
@click.option("--search", "words", help="Only entries that hold this text: an address, an id, a part of a refusal.")
@click.option("--before", type=UUID, help="Only entries older than the one of this id.")
@click.option("--count", type=click.IntRange(1, 1000), default=50, help="How many at the most.")
@operates
def log(
    out: Output, name: str, workspace: str, words: str | None, before: UUID | None, count: int, *, errors: bool
) -> None:
    """Show what a connection asked and what became of it, newest first."""
    with reading() as database:
        of = workspaces.by_slug(database, workspace).id
        found = connections.by_name(database, workspace_id=of, name=name)
        told = entries.search(
            database,
            workspace_id=of,
            connection_id=found.id,
            errors=errors,
            words=words,
            before=before,
            count=count,
        )
    if out.as_json:
        out.many("entries", [entry._asdict() for entry in told])
    else:
        out.many("entries", [_line(entry) for entry in told])


def _line(entry: Entry) -> dict[str, Any]:
    what = entry.detail or ", ".join(entry.changes) or entry.filter or ""
    return {
        "at": entry.at,
        "request": f"{entry.method} {entry.path}",
        "status": entry.status,
        "ms": entry.milliseconds,
        "what": what[:_LONGEST_LINE],
        "notes": ", ".join(entry.notes)[:_LONGEST_LINE],
    }
