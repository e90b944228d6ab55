"""`provisioning mail`: the letters that were put into the data folder, for want of a mail server."""

from __future__ import annotations

import os
from email.utils import parsedate_to_datetime
from typing import Any

import click

from config import settings
from provisioning.cli.output import Output
from provisioning.cli.service import data_dir_option, json_option
from provisioning.post import folder
from provisioning.post.folder import Kept
from provisioning.refusals import NotFound


@click.group(invoke_without_command=True)
@data_dir_option
@json_option
@click.pass_context
def mail(called: click.Context) -> None:
    """List the letters in the data folder, oldest first; with PROVISIONING_SMTP_URL set there are none."""
    if called.invoked_subcommand is None:
        Output(as_json=called.meta["json"]).many("letters", [_facts(kept) for kept in _letters(called)])


@mail.command()
@click.argument("number", type=click.IntRange(min=1))
@data_dir_option
@json_option
@click.pass_context
def show(called: click.Context, number: int) -> None:
    """Print one letter, by its number in the list."""
    found = _letters(called)
    if number > len(found):
        raise NotFound(f"There is no letter {number}: the folder has {len(found)}.")
    kept = found[number - 1]
    if called.meta["json"]:
        Output(as_json=True).document({**_facts(kept), "from": kept.message["From"], "body": kept.body})
        return
    for name in ("From", "To", "Date", "Subject"):
        click.echo(f"{name}: {kept.message[name]}")
    click.echo(f"\n{kept.body}", nl=False)


def _letters(called: click.Context) -> list[Kept]:
    environ = dict(os.environ)
    if called.meta["data_dir"] is not None:
        environ["PROVISIONING_DATA_DIR"] = called.meta["data_dir"]
    return list(folder.every(settings.load(environ).mail_dir))


def _facts(kept: Kept) -> dict[str, Any]:
    return {
        "number": kept.number,
        "date": parsedate_to_datetime(kept.message["Date"]),
        "to": str(kept.message["To"]),
        "subject": str(kept.message["Subject"]),
        "file": str(kept.file),
    }
