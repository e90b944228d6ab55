"""`provisioning client`: programs that ask for access tokens at /oauth/token."""

from __future__ import annotations

from datetime import timedelta
from typing import IO, Any
from uuid import UUID

import click
import orjson

from provisioning.access import policies
from provisioning.access.policies import Subject, Terms
from provisioning.cli.changes import operator
from provisioning.cli.durations import DURATION
from provisioning.cli.options import label_option, resource_option, workspace_option
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import Connection, reading, transaction
from provisioning.directory import connections, roster, workspaces
from provisioning.tokens import clients, public_keys
from provisioning.tokens.clients import ClientView
from provisioning.tokens.public_keys import Holder


@click.group()
def client() -> None:
    """OAuth clients: programs that ask for access tokens, and have what they are given policies for."""


def _facts(found: ClientView) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "active": found.stands,
        "created_at": found.created_at,
    }


_key_file = click.File("r", encoding="utf-8")


def _jwk(file: IO[str]) -> dict[str, Any]:
    """The public key of a file: a JWK, or PEM."""
    sent = file.read()
    try:
        read = orjson.loads(sent)
    except orjson.JSONDecodeError:
        return public_keys.read(sent)
    return public_keys.read(read if isinstance(read, dict) else sent)


@client.command()
@workspace_option
@click.option("--name", required=True, help="What it is for.")
@click.option("--role", required=True, help="The key of a role, such as workspace-owner.")
@label_option
@resource_option
@click.option("--owner", help="The address of a member with whose membership it ends.")
@click.option("--key", type=_key_file, help="A file with its public key, PEM or JWK; then it gets no secret.")
@click.option("--tokens-live", type=DURATION, help="How long its access tokens live: 15m, 12h, 30d ...")
@operates
def create(
    out: Output,
    workspace: str,
    name: str,
    role: str,
    labels: tuple[str, ...],
    resources: tuple[str, ...],
    owner: str | None,
    key: IO[str] | None,
    tokens_live: timedelta | None,
) -> None:
    """Create a client; its secret is shown this once."""
    secret, jwk = context().keyring.mint(Kind.CLIENT_SECRET), None if key is None else _jwk(key)
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        owner_id = None if owner is None else roster.by_email(connection, workspace_id=of, email=owner).id
        made = clients.create(
            connection, workspace_id=of, name=name, owner_id=owner_id, token_lifetime=tokens_live, by=OPERATOR
        )
        subject, terms = Subject("client", made.id), Terms(role, labels, resources)
        policies.give(connection, workspace_id=of, subject=subject, terms=terms, giver=operator(connection, of))
        if jwk is None:
            clients.add_secret(connection, client=made, digest=secret.digest, by=OPERATOR)
        else:
            public_keys.add(connection, holder=Holder("client", made.id, of), jwk=jwk, by=OPERATOR)
    shown = {"client_id": made.id, "name": name, "token_url": f"{context().public_url}/oauth/token"}
    out.one(shown | ({"client_secret": secret.text} if jwk is None else {"kid": jwk["kid"]}))


@client.command(name="list")
@workspace_option
@operates
def list_(out: Output, workspace: str) -> None:
    """List clients."""
    with reading() as connection:
        of = workspaces.by_slug(connection, workspace).id
        out.many("clients", [_facts(found) for found in clients.every(connection, workspace_id=of)])


@client.command()
@click.argument("client_id", type=click.UUID)
@workspace_option
@operates
def show(out: Output, client_id: UUID, workspace: str) -> None:
    """Show a client, with the ids of its secrets and keys."""
    with reading() as connection:
        found = clients.by_id(
            connection, workspace_id=workspaces.by_slug(connection, workspace).id, client_id=client_id
        )
        keys = public_keys.every(connection, holder=Holder("client", found.id, found.workspace_id))
        secrets = clients.secrets(connection, client=found)
    shown = {"secrets": [str(one.id) for one in secrets], "keys": [f"{one.id} ({one.jwk['kid']})" for one in keys]}
    out.one(_facts(found) | shown)


@client.command()
@click.argument("client_id", type=click.UUID)
@workspace_option
@click.option("--remove", type=click.UUID, help="The id of a secret to take away, instead of giving another.")
@operates
def secret(out: Output, client_id: UUID, workspace: str, remove: UUID | None) -> None:
    """Give a client another secret, shown this once, or take one away; two may be valid at once."""
    minted = context().keyring.mint(Kind.CLIENT_SECRET)
    with transaction() as connection:
        held = _held(connection, workspace, client_id)
        if remove is None:
            made = clients.add_secret(connection, client=held, digest=minted.digest, by=OPERATOR)
            shown = {"client_id": held.id, "id": made.id, "client_secret": minted.text}
        else:
            clients.remove_secret(connection, client=held, secret_id=remove, by=OPERATOR)
            shown = {"client_id": held.id, "id": remove, "removed": True}
    out.one(shown)


@client.command()
@click.argument("client_id", type=click.UUID)
@workspace_option
@click.option("--add", type=_key_file, help="A file with a public key, PEM or JWK.")
@click.option("--remove", type=click.UUID, help="The id of a key to take away.")
@click.option("--of-connection", is_flag=True, help="CLIENT_ID is that of a connection.")
@operates
def key(
    out: Output, client_id: UUID, workspace: str, add: IO[str] | None, remove: UUID | None, *, of_connection: bool
) -> None:
    """Register or take away a public key of a client or connection; two may be valid at once."""
    jwk = None if add is None else _jwk(add)
    with transaction() as connection:
        of = workspaces.by_slug(connection, workspace).id
        if of_connection:
            connections.lock(connection, workspace_id=of, connection_id=client_id)
        else:
            _held(connection, workspace, client_id)
        holder = Holder("connection" if of_connection else "client", client_id, of)
        if remove is not None:
            public_keys.remove(connection, holder=holder, key_id=remove, by=OPERATOR)
        if jwk is not None:
            public_keys.add(connection, holder=holder, jwk=jwk, by=OPERATOR)
        there = public_keys.every(connection, holder=holder)
    out.many("keys", [{"id": one.id, "kid": one.jwk["kid"], "created_at": one.created_at} for one in there])


@client.command()
@click.argument("client_id", type=click.UUID)
@workspace_option
@operates
def revoke(out: Output, client_id: UUID, workspace: str) -> None:
    """Take a client away; its access tokens are refused from that moment on."""
    with transaction() as connection:
        clients.remove(connection, client=_held(connection, workspace, client_id), by=OPERATOR)
    out.one({"client_id": client_id, "revoked": True})


def _held(connection: Connection, workspace: str, client_id: UUID) -> ClientView:
    of = workspaces.by_slug(connection, workspace).id
    return clients.lock(connection, workspace_id=of, client_id=client_id)
