"""`provisioning keys`: the keys by which the service signs."""

from __future__ import annotations

from typing import Any

import click

from provisioning import signing_keys
from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, operates
from provisioning.context import context
from provisioning.database import reading, transaction
from provisioning.signing_keys import KeyView


@click.group()
def keys() -> None:
    """The keys by which the service signs, as published at /.well-known/jwks.json."""


def _facts(found: KeyView) -> dict[str, Any]:
    return {"kid": found.kid, "state": found.state, "created_at": found.created_at}


@keys.command(name="list")
@operates
def list_(out: Output) -> None:
    """List the keys: the next, the current, and former ones."""
    with reading() as connection:
        out.many("keys", [_facts(found) for found in signing_keys.published(connection)])


@keys.command()
@operates
def rotate(out: Output) -> None:
    """Let the next key sign from now on; verifiers know it already, and find the former one for a week."""
    with transaction() as connection:
        out.one(_facts(signing_keys.rotate(connection, sealer=context().signing, by=OPERATOR)))
