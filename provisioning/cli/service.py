"""How a command gets at the service's database: settings, the running instance, an application context, an output."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import click

from config import settings
from config.settings import Settings
from provisioning.app import without_doors
from provisioning.cli import instance
from provisioning.cli.output import Output
from provisioning.database import db
from provisioning.outbox import Actor

P = ParamSpec("P")
OPERATOR = Actor("operator")


class NothingRuns(Exception):
    """There is no service whose database the command could work on."""


def settings_of(data_dir: str | None) -> Settings:
    """The settings of a command: the environment's, and those of the instance that runs from the data folder.

    Raises:
        InvalidSettings: the environment asks for something that can't be.
        NothingRuns: neither a database is set nor an instance running.
    """
    environ = dict(os.environ)
    if data_dir is not None:
        environ["PROVISIONING_DATA_DIR"] = data_dir
    found = settings.load(environ)
    if found.database_url is not None:
        return found
    running = instance.read(found.data_dir)
    if running is None:
        raise NothingRuns(f"nothing runs from {found.data_dir}: start `provisioning up`, or set DATABASE_URL")
    environ.update(DATABASE_URL=running.database_url, PROVISIONING_BASE_URL=running.base_url)
    if running.redis_url:
        environ["REDIS_URL"] = running.redis_url
    return settings.load(environ)


def _given_to(name: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def remember(found: click.Context, _parameter: click.Parameter, value: Any) -> None:
        found.meta[name] = value

    return remember


data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False),
    expose_value=False,
    callback=_given_to("data_dir"),
    help="The folder that the service runs from (PROVISIONING_DATA_DIR).",
)
json_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_given_to("json"), help="Print one JSON document."
)


@contextmanager
def at_work(data_dir: str | None) -> Iterator[None]:
    """Be in an application context of the service until the block ends; no connection is left open behind it."""
    with without_doors(settings_of(data_dir)).app_context():
        try:
            yield
        finally:
            db.engine.dispose()


def operates(command: Callable[Concatenate[Output, P], None]) -> Callable[P, None]:
    """Make a command one that works on the service: it gets an `Output`, and runs in an application context."""

    @data_dir_option
    @json_option
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        meta = click.get_current_context().meta
        with at_work(meta["data_dir"]):
            command(Output(as_json=meta["json"]), *args, **kwargs)

    return run
