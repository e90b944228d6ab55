"""`provisioning doctor`: whether the service is well, part by part. It always ends within seconds."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version

import click

from provisioning import doctor as rounds
from provisioning.app import without_doors
from provisioning.cli.output import Output
from provisioning.cli.service import NothingRuns, data_dir_option, json_option, settings_of
from provisioning.context import context
from provisioning.database import db
from provisioning.doctor import Line


@click.command()
@data_dir_option
@json_option
@click.pass_context
def doctor(called: click.Context) -> None:
    """Look the service over, and report; exit 1 when something is amiss."""
    lines = [Line("version", ok=True, seen=f"{version('provisioning')} on Python {platform.python_version()}")]
    try:
        app = without_doors(settings_of(called.meta["data_dir"]))
    except NothingRuns as error:
        lines.append(Line("service", ok=False, seen=str(error)))
    else:
        with app.app_context():
            try:
                lines += rounds.examine(policy=context().session_policy, syslog=context().forwarding.syslog is not None)
            finally:
                db.engine.dispose()
    _report(Output(as_json=called.meta["json"]), lines)
    if not all(line.ok for line in lines):
        raise click.exceptions.Exit(1)


def _report(out: Output, lines: Sequence[Line]) -> None:
    if out.as_json:
        out.document({"ok": all(line.ok for line in lines), "checks": [asdict(line) for line in lines]})
        return
    width = max(len(line.name) for line in lines)
    for line in lines:
        click.echo(f"{'ok   ' if line.ok else 'AMISS'}  {line.name.replace('_', ' ').ljust(width)}  {line.seen}")
