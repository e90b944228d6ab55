"""`provisioning config`: what is in force, with secrets masked."""

from __future__ import annotations

import os

import click

from config import settings
from provisioning.cli.output import Output
from provisioning.cli.service import data_dir_option, json_option


@click.command()
@data_dir_option
@json_option
def config() -> None:
    """Show the settings in force; secrets are masked, lengths of time are in seconds."""
    meta = click.get_current_context().meta
    environ = dict(os.environ)
    if meta["data_dir"] is not None:
        environ["PROVISIONING_DATA_DIR"] = meta["data_dir"]
    Output(as_json=meta["json"]).one(settings.masked(settings.load(environ)))
