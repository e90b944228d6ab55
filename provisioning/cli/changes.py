"""Changes of access from the command line: made by the operator, or only shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import click

from provisioning.access import custom_roles
from provisioning.access.policies import Giver
from provisioning.access.previews import Comparison, Preview
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR
from provisioning.context import context
from provisioning.database import Connection, rehearsal, transaction
from provisioning.directory import workspaces

_MOST_LINES = 1000


def operator(connection: Connection, workspace_id: UUID) -> Giver:
    """The operator as one who gives roles of a workspace: nothing bounds them."""
    roles = custom_roles.of_workspace(connection, workspace_id=workspace_id, catalogue=context().catalogue)
    return Giver(OPERATOR, roles)


@contextmanager
def changing(out: Output, workspace: str, *, dry_run: bool) -> Iterator[tuple[Connection, UUID]]:
    """A connection in a transaction, and the workspace's id; in a dry run all is taken back, and told what it did."""
    if not dry_run:
        with transaction() as connection:
            yield connection, workspaces.by_slug(connection, workspace).id
        return
    with rehearsal() as connection:
        of = workspaces.by_slug(connection, workspace).id
        comparison = Comparison(connection, workspace_id=of, catalogue=context().catalogue)
        yield connection, of
        found = comparison.difference(start=1, count=_MOST_LINES)
    _tell(out, found)


def _tell(out: Output, found: Preview) -> None:
    if out.as_json:
        out.document(dataclasses.asdict(found))
        return
    for line in found.lines:
        where = "everything of its kind" if line.resource == "*" else line.resource
        click.echo(f"{line.email} {line.change} {line.role} on {where}")
    if found.total > len(found.lines):
        click.echo(f"... and {found.total - len(found.lines)} more")
    people = f"{found.people_gaining} people would gain, {found.people_losing} lose; {found.people_unchanged} keep"
    click.echo(f"{people} what they have. Nothing was saved.")
