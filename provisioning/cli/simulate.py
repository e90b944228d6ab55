"""`provisioning simulate`: an identity provider to try things with, against this service or any other."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from provisioning.cli.output import Output
from provisioning.cli.service import OPERATOR, at_work, data_dir_option, json_option
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import transaction
from provisioning.directory import connections, workspaces
from provisioning.simulator import IDPS, VARIANTS, Plan, Report, play
from provisioning.simulator.client import Unreachable

_SHOWN_VIOLATIONS = 10
_OFFERED = "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in sorted(VARIANTS.items()) if kinds)


@click.command()
@click.argument("idp", type=click.Choice(sorted(IDPS)))
@click.option("--variant", help=f"As some admins set it up. {_OFFERED}.")
@click.option("--users", type=click.IntRange(1, 1_000_000), default=50, help="How many people it pushes at first.")
@click.option("--groups", type=click.IntRange(0, 100_000), default=5, help="How many groups it pushes at first.")
@click.option("--url", envvar="PROVISIONING_SCIM_URL", help="The SCIM base URL (PROVISIONING_SCIM_URL).")
@click.option("--token", envvar="PROVISIONING_SCIM_TOKEN", help="Its token (PROVISIONING_SCIM_TOKEN).")
@click.option("--workspace", default="main", help="Without --url: the workspace of the running service to push to.")
@click.option("--seed", type=int, default=1, help="Decides who works there; the same seed plays the same company.")
@click.option("--concurrency", type=click.IntRange(1, 64), default=4, help="How many requests are under way at once.")
@click.option(
    "--round", "rounds", type=click.Choice(["full", "both"]), default="both", help="Without a day of changes, or with."
)
@data_dir_option
@json_option
def simulate(
    *, url: str | None, token: str | None, workspace: str, idp: str, variant: str | None, **options: Any
) -> None:
    """Play an identity provider: connection test, full cycle, a day of changes, and a look at the outcome.

    Every answer is judged as strictly as that identity provider judges it; exit 1 if one would not have passed.
    Without --url and --token it pushes to the running service, through a connection of its own.
    """
    if (url is None) != (token is None):
        raise click.UsageError("Give --url and --token both, or neither.")
    if variant is not None and variant not in VARIANTS[idp]:
        offered = f"these: {', '.join(VARIANTS[idp])}" if VARIANTS[idp] else "none"
        raise click.UsageError(f"{idp} has no variant {variant!r}; it has {offered}.")
    meta = click.get_current_context().meta
    if url is None or token is None:
        label = (IDPS[idp] if variant is None else VARIANTS[idp][variant]).label()
        url, token = _own_connection(meta["data_dir"], workspace=workspace, idp=idp, label=label)
    plan = Plan(idp=idp, variant=variant, base_url=url, token=token, **options)
    try:
        report = _with_progress(plan)
    except Unreachable as error:
        raise click.ClickException(str(error)) from None
    if meta["json"]:
        sizes = {"idp": plan.idp, "variant": plan.variant, "users": plan.users, "groups": plan.groups}
        Output(as_json=True).document({**sizes, **report.as_json()})
    else:
        _print(report)
    if report.violations:
        raise click.exceptions.Exit(1)


def _own_connection(data_dir: str | None, *, workspace: str, idp: str, label: str) -> tuple[str, str]:
    """A connection of the running service for this simulation: made on first use, later given a new token.

    Returns:
        The SCIM base URL and the token.
    """
    name = f"simulated-{label}"
    with at_work(data_dir):
        secret = context().keyring.mint(Kind.CONNECTION)
        digest = secret.digest
        with transaction() as database:
            of = workspaces.by_slug(database, workspace).id
            if name in {found.name for found in connections.every(database, workspace_id=of)}:
                now = timedelta(0)
                connections.rotate(database, workspace_id=of, name=name, digest=digest, overlap=now, by=OPERATOR)
            else:
                connections.create(database, workspace_id=of, name=name, dialect=idp, digest=digest, by=OPERATOR)
        return f"{context().public_url}/scim/v2", secret.text


def _with_progress(plan: Plan) -> Report:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task(plan.kind.label(), total=None)

        def done(sample: Any) -> None:
            progress.update(task, advance=1, description=sample.operation)

        return play(plan, done=done)


def _print(report: Report) -> None:
    table = Table("request", "requests", "errors", "p50 ms", "p95 ms")
    for column in table.columns[1:]:
        column.justify = "right"
    whole = report.as_json()
    rows = {**report.by_operation(), "all": whole}
    for kind, row in rows.items():
        cells = [str(row[name]) for name in ("requests", "errors", "p50_ms", "p95_ms")]
        table.add_row(kind, *cells, style="bold" if kind == "all" else "")
    Console().print(table)
    click.echo(
        f"{whole['requests']} requests in {whole['seconds']} s: {whole['rate']} a second, {whole['errors']} errors"
    )
    for violation in report.violations[:_SHOWN_VIOLATIONS]:
        click.echo(f"  {violation}", err=True)
