"""`provisioning sign-in`: how people sign in through a connection's identity provider."""

from __future__ import annotations

from datetime import timedelta
from typing import IO, Any

import click

from provisioning.cli.durations import DURATION, in_seconds
from provisioning.cli.options import workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.database import Connection, reading, transaction
from provisioning.directory import connections, workspaces
from provisioning.directory.connections import ConnectionView
from provisioning.identities import domains, providers, setting_up
from provisioning.identities.models import AUTH_METHODS
from provisioning.identities.providers import ProviderView
from provisioning.web.sign_in import addresses


@click.group(name="sign-in")
def sign_in() -> None:
    """Signing in through a connection's identity provider (OpenID Connect)."""


def _connection(database: Connection, workspace: str, name: str) -> ConnectionView:
    of = workspaces.by_slug(database, workspace).id
    return connections.by_name(database, workspace_id=of, name=name)


def _facts(database: Connection, found: ProviderView) -> dict[str, Any]:
    where = {"workspace_id": found.workspace_id, "connection_id": found.connection_id}
    return {
        "connection": found.connection,
        "workspace": found.workspace,
        "issuer": found.issuer,
        "client_id": found.client_id,
        "auth_method": found.auth_method,
        "external_id_claim": found.external_id_claim,
        "creates_members": found.creates_members,
        "max_age": found.max_age,
        "domains": domains.of(database, **where),
        **addresses.of(found.connection_id),
    }


@sign_in.command(name="set")
@click.argument("name")
@workspace_option
@click.option("--issuer", required=True, help="The provider's issuer, an https address.")
@click.option("--client-id", required=True, help="What the provider calls this service.")
@click.option(
    "--client-secret-file",
    type=click.File(),
    help="The file that holds the client's secret, `-` for standard input. Without it a private key is made.",
)
@click.option(
    "--auth-method",
    type=click.Choice(AUTH_METHODS),
    help="How this service proves who it is; by default by secret in a header, or by a signature where it has a key.",
)
@click.option("--external-id-claim", default="sub", help="The claim that holds what SCIM calls externalId.")
@click.option("--create-members/--no-create-members", default=False, help="Whether who is new becomes a member.")
@click.option("--max-age", type=DURATION, help="How long ago people may have proved who they are.")
@operates
def set_(
    out: Output,
    name: str,
    workspace: str,
    issuer: str,
    client_id: str,
    client_secret_file: IO[str] | None,
    auth_method: str | None,
    external_id_claim: str,
    create_members: bool,  # noqa: FBT001 - click's way
    max_age: timedelta | None,
) -> None:
    """Have people sign in through the connection NAME; what to tell the provider is printed."""
    secret = None if client_secret_file is None else client_secret_file.read().strip()
    terms = setting_up.terms(
        issuer=issuer,
        client_id=client_id,
        secret=secret,
        auth_method=auth_method,
        outbound=context().outbound,
        sealer=context().credentials,
        external_id_claim=external_id_claim,
        creates_members=create_members,
        max_age=in_seconds(max_age),
    )
    with transaction() as database:
        found = _connection(database, workspace, name)
        where = {"workspace_id": found.workspace_id, "connection_id": found.id}
        out.one(_facts(database, providers.set_(database, terms=terms, by=OPERATOR, **where)))


@sign_in.command()
@click.argument("name")
@workspace_option
@operates
def show(out: Output, name: str, workspace: str) -> None:
    """Show how people sign in through the connection NAME, and what the provider has to be told."""
    with reading() as database:
        found = _connection(database, workspace, name)
        where = {"workspace_id": found.workspace_id, "connection_id": found.id}
        out.one(_facts(database, providers.of(database, **where)))


@sign_in.command()
@click.argument("name")
@workspace_option
@operates
def remove(out: Output, name: str, workspace: str) -> None:
    """Have nobody sign in through the connection NAME any more; the sessions that began so end."""
    with transaction() as database:
        found = _connection(database, workspace, name)
        providers.remove(database, workspace_id=found.workspace_id, connection_id=found.id, by=OPERATOR)
        out.one({"connection": name, "workspace": workspace, "removed": True})


@sign_in.command(name="domains")
@click.argument("name")
@click.argument("domain", nargs=-1)
@workspace_option
@operates
def domains_(out: Output, name: str, domain: tuple[str, ...], workspace: str) -> None:
    """Say that the addresses of each DOMAIN, and no others, are those that the provider of NAME speaks for."""
    with transaction() as database:
        found = _connection(database, workspace, name)
        where = {"workspace_id": found.workspace_id, "connection_id": found.id}
        now = domains.set_(database, domains=domain, by=OPERATOR, **where)
        out.one({"connection": name, "workspace": workspace, "domains": now})
