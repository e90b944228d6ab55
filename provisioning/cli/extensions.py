"""`provisioning schema`: attributes of a workspace's own for Users and Groups."""

from __future__ import annotations

from typing import IO, Any

import click
import orjson

from provisioning.cli.options import workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.database import reading, transaction
from provisioning.directory import extensions, workspaces
from provisioning.directory.extensions import ExtensionView


@click.group()
def schema() -> None:
    """Schema extensions (RFC 7643, section 3.3): attributes of one's own for Users and Groups."""


def _facts(found: ExtensionView) -> dict[str, Any]:
    return {
        "id": found.definition["id"],
        "name": found.definition["name"],
        "resource_type": found.resource_type,
        "attributes": [attribute["name"] for attribute in found.definition["attributes"]],
    }


def _definition(_context: click.Context, _parameter: click.Parameter, file: IO[bytes]) -> Any:
    with file:
        try:
            return orjson.loads(file.read())
        except orjson.JSONDecodeError as error:
            raise click.BadParameter(f"{file.name} is not JSON: {error}") from None


_file = click.argument("definition", metavar="FILE", type=click.File("rb"), callback=_definition)


@schema.command()
@_file
@workspace_option
@click.option("--for", "resource_type", type=click.Choice(["User", "Group"]), default="User", help="What it extends.")
@operates
def register(out: Output, definition: Any, workspace: str, resource_type: str) -> None:
    """Register the Schema in FILE (RFC 7643, section 7; `-` reads standard input)."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        made = extensions.register(
            connection, workspace_id=of, resource_type=resource_type, definition=definition, by=OPERATOR
        )
    out.one(_facts(made))


@schema.command()
@_file
@workspace_option
@operates
def change(out: Output, definition: Any, workspace: str) -> None:
    """Replace a definition by the one in FILE; values that are stored under it must stay good."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        urn = str(definition.get("id", "")) if isinstance(definition, dict) else ""
        changed = extensions.change(connection, workspace_id=of, urn=urn, definition=definition, by=OPERATOR)
    out.one(_facts(changed))


@schema.command(name="list")
@workspace_option
@operates
def list_(out: Output, workspace: str) -> None:
    """List a workspace's own extensions."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.many("schemas", [_facts(found) for found in extensions.every(connection, workspace_id=of)])


@schema.command()
@click.argument("urn")
@workspace_option
@operates
def show(out: Output, urn: str, workspace: str) -> None:
    """Show a definition, as it can be registered and changed."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.document(extensions.by_urn(connection, workspace_id=of, urn=urn).definition)


@schema.command()
@click.argument("urn")
@workspace_option
@operates
def remove(out: Output, urn: str, workspace: str) -> None:
    """Take an extension away that nobody has values under."""
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        extensions.remove(connection, workspace_id=of, urn=urn, by=OPERATOR)
    out.one({"removed": urn})
