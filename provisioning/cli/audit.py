"""`provisioning audit`: whether the trail is what was written, and the trail itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

import click
import orjson

from provisioning.audit import export, signatures, verification
from provisioning.audit.export import Wanted
from provisioning.audit.signatures import Known
from provisioning.audit.verification import Trouble, Verdict
from provisioning.cli.moments import MOMENT
from provisioning.cli.options import workspace_option
from provisioning.cli.output import Output
from provisioning.cli.recorded import record
from provisioning.cli.service import operates
from provisioning.context import context
from provisioning.database import reading, snapshot
from provisioning.directory import workspaces

# What was noted outside of the database: hashes of seals, by chain and number.
Anchors = Mapping[UUID, Mapping[int, str]]


@click.group()
def audit() -> None:
    """The audit trail: check that nobody changed it, and take it along."""


@audit.command()
@click.option("--workspace", help="The slug of one workspace; without it all are checked, deleted ones too.")
@click.option("--anchors", type=click.File("rb"), help="A file that `audit anchor --json` wrote earlier.")
@click.option("--trust", multiple=True, metavar="KID", help="A key that a former secret key vouched for.")
@operates
def verify(out: Output, workspace: str | None, anchors: BinaryIO | None, trust: tuple[str, ...]) -> None:
    """Check every seal and every fact under one, and name what was changed, is missing or was put in."""
    noted = {} if anchors is None else _noted(anchors.read())
    with reading() as connection:
        believed = signatures.known(connection, vouching=context().notary.vouching, trusted=trust)
        asked = _asked(connection, workspace) or sorted({*verification.chains(connection), *noted})
    verdicts = [_verdict(chain, believed, noted) for chain in asked]
    troubled = any(verdict.trouble_count for verdict in verdicts)
    if out.as_json:
        told = [asdict(verdict) for verdict in verdicts]
        out.document({"ok": not troubled, "chains": told, "keys_not_vouched_for": list(believed.unvouched)})
    else:
        _tell(verdicts, believed)
    if troubled:
        raise click.exceptions.Exit(1)


def _verdict(chain: UUID, believed: Known, noted: Anchors) -> Verdict:
    with snapshot() as connection:
        return verification.verify(connection, chain=chain, known=believed, anchors=noted.get(chain))


def _asked(connection: Any, workspace: str | None) -> list[UUID]:
    return [] if workspace is None else [workspaces.by_slug(connection, workspace).id]


def _tell(verdicts: list[Verdict], believed: Known) -> None:
    for verdict in verdicts:
        dropped = f", {verdict.dropped} facts dropped by retention" if verdict.dropped else ""
        tail = f"{verdict.unsealed} not sealed yet"
        tail += f" (since {verdict.unsealed_since:%Y-%m-%d %H:%M:%S}Z)" if verdict.unsealed_since else ""
        state = "in order" if not verdict.trouble_count else f"{verdict.trouble_count} TROUBLES"
        click.echo(f"{verdict.chain}  {state}: {verdict.seals} seals, {verdict.facts} facts{dropped}, {tail}")
        for trouble in verdict.troubles:
            click.echo(f"  {_said(trouble)}")
    for kid in believed.unvouched:
        click.echo(f"key {kid} is not vouched for by the secret key in force: was that changed? (see --trust)")


def _said(trouble: Trouble) -> str:
    words = [] if trouble.seal is None else [f"seal {trouble.seal}:"]
    if trouble.seq is not None:
        words += [f"fact {trouble.seq}"] + ([] if trouble.event_id is None else [f"({trouble.event_id})"])
    return " ".join([*words, trouble.what])


def _noted(written: bytes) -> Anchors:
    noted: dict[UUID, dict[int, str]] = {}
    try:
        for anchor in orjson.loads(written)["anchors"]:
            noted.setdefault(UUID(anchor["chain"]), {})[int(anchor["number"])] = str(anchor["hash"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.BadParameter("it is not what `audit anchor --json` writes", param_hint="--anchors") from None
    return noted


@audit.command()
@operates
def anchor(out: Output) -> None:
    """Print the last seal of each chain, to be kept where whoever changes the database can't reach it."""
    with snapshot() as connection:
        found = verification.ends(connection)
    out.many("anchors", [{"chain": end.chain, "number": end.number, "hash": end.hash} for end in found])


@audit.command(name="export")
@workspace_option
@click.option("--format", "form", type=click.Choice(export.FORMATS), default="ndjson", show_default=True)
@click.option("--since", type=MOMENT, help="Not before this moment.")
@click.option("--until", type=MOMENT, help="Before this moment.")
@operates
def export_(out: Output, workspace: str, form: str, since: datetime | None, until: datetime | None) -> None:  # noqa: ARG001 - lines are lines in every form
    """Print a workspace's trail, oldest first; how far it is stands on standard error where that is a terminal."""
    with reading() as connection:
        wanted = Wanted(workspaces.by_slug(connection, workspace).id, since, until)
        total = export.count(connection, wanted)
    record("trail", workspace_id=wanted.workspace_id, since=since, until=until)
    done, shown = 0, sys.stderr.isatty()
    for piece in export.pieces(reading, wanted, form=form):
        click.echo(piece.text, nl=False)
        done += piece.facts
        if shown:
            click.echo(f"\r{done} of {total} facts", nl=False, err=True)
    if shown:
        click.echo(err=True)
