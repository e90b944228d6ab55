"""`provisioning member`: who is in a workspace, and what they may do there."""

from __future__ import annotations

from typing import Any

import click

from provisioning.access import export, facts, rules
from provisioning.access.rules import Access
from provisioning.cli.options import workspace_option
from provisioning.cli.output import Output
from provisioning.cli.recorded import record
from provisioning.cli.service import OPERATOR, operates
from provisioning.cli.who_can import because
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.directory import extensions, listing, members, owners, roster, workspaces
from provisioning.directory.filters import Viewer
from provisioning.directory.listing import Selection
from provisioning.directory.paging import Window
from provisioning.directory.profile import Profile
from provisioning.directory.roster import MemberView
from provisioning.scim.filter import parse_filter


@click.group()
def member() -> None:
    """Team members: people in a workspace."""


def _facts(found: MemberView) -> dict[str, Any]:
    return {
        "id": found.id,
        "user_name": found.user_name,
        "display_name": found.display_name,
        "active": found.active,
        "owner": found.owner,
        "origin": found.origin,
        "groups": [group.display_name for group in found.groups],
    }


@member.command(name="list")
@workspace_option
@click.option("--filter", "condition", help='A SCIM filter, such as: userName eq "ada@corp.example".')
@click.option("--start-index", type=click.IntRange(min=1), default=1, help="The place of the first one, from 1.")
@click.option("--count", type=click.IntRange(0, 10_000), default=100, help="How many at the most.")
@operates
def list_(out: Output, workspace: str, condition: str | None, start_index: int, count: int) -> None:
    """List members."""
    tree = None if condition is None else parse_filter(condition)
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        viewer = Viewer(extensions.kinds(connection, workspace_id=of))
        wanted = Selection(Window(count, start_index), tree, viewer=viewer)
        page = listing.of_members(connection, workspace_id=of, selection=wanted)
    out.many("members", [_facts(found) for found in page.items], total=page.total)


@member.command()
@click.argument("email")
@workspace_option
@operates
def show(out: Output, email: str, workspace: str) -> None:
    """Show one member."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.one(_facts(roster.by_email(connection, workspace_id=of, email=email)))


@member.command()
@click.argument("email")
@workspace_option
@click.option("--owner", is_flag=True, help="Make them an owner.")
@operates
def add(out: Output, email: str, workspace: str, *, owner: bool) -> None:
    """Add a member by hand."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        profile = Profile.of({"userName": email, "active": True})
        added = members.create(connection, workspace_id=of, profile=profile, connection_id=None, by=OPERATOR)
        if owner:
            added = owners.appoint(connection, member=added, by=OPERATOR)
    out.one(_facts(added))


@member.command()
@click.argument("email")
@workspace_option
@operates
def appoint(out: Output, email: str, workspace: str) -> None:
    """Make a member an owner; the operator can always do so."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        found = roster.by_email(connection, workspace_id=of, email=email)
        out.one(_facts(owners.appoint(connection, member=found, by=OPERATOR)))


@member.command()
@click.argument("email")
@workspace_option
@click.option("--off", is_flag=True, help="Within reach again.")
@operates
def protect(out: Output, email: str, workspace: str, *, off: bool) -> None:
    """Put a member out of the identity providers' reach."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        found = roster.by_email(connection, workspace_id=of, email=email)
        held = roster.lock(connection, workspace_id=of, member_id=found.id)
        changed = owners.protect(connection, member=held, protected=not off, by=OPERATOR)
    out.one({**_facts(changed), "protected": changed.protected})


@member.command(name="export")
@workspace_option
@operates
def export_(out: Output, workspace: str) -> None:  # noqa: ARG001 - a table is one in every form
    """Print everybody's roles with every path to each, as a table in CSV."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
    record("access", workspace_id=of)
    for lines in export.as_csv(reading, workspace_id=of, catalogue=context().catalogue):
        click.echo(lines, nl=False)


@member.command()
@click.argument("email")
@workspace_option
@click.option("--why", is_flag=True, help="Show every path to each role.")
@operates
def access(out: Output, email: str, workspace: str, *, why: bool) -> None:
    """Show what a member may do."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        found = roster.by_email(connection, workspace_id=of, email=email)
        catalogue = context().catalogue
        case = facts.of_member(connection, workspace_id=of, member_id=found.id, catalogue=catalogue)
    record("access", workspace_id=of, member_id=found.id)
    lines = rules.effective(case.facts)
    if out.as_json:
        out.document({"member": _facts(found), "access": [_line(line) for line in lines]})
        return
    for line in lines:
        click.echo(f"{line.role.name} on {_scope(line)}")
        for path in line.paths if why else ():
            click.echo(f"  because of {because(path.as_json())}")
    if not lines:
        click.echo(f"{found.user_name} is suspended: no access")


def _line(line: Access) -> dict[str, Any]:
    return {"role": line.role.key, "scope": line.scope.as_json(), "paths": [path.as_json() for path in line.paths]}


def _scope(line: Access) -> str:
    scope = line.scope.as_json()
    return " and ".join(scope.get("labels", scope.get("resources", ["everything of its kind"])))
