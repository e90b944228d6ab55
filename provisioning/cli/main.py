"""The `provisioning` command: its parts, and how it says no (one line on standard error; exit 2 or 1)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from config.settings import InvalidSettings
from provisioning.cli import (
    configuration,
    connections,
    groups,
    mappings,
    members,
    migrating,
    sessions,
    simulate,
    tokens,
    up,
    workspaces,
)
from provisioning.cli.service import NothingRuns
from provisioning.database import DatabaseFailure, Trouble, trouble_of
from provisioning.refusals import Refusal
from provisioning.scim.errors import ScimError

WRONG_USE, REFUSED = 2, 1
_ADVICE = {
    Trouble.AWAY: "the database does not answer: is the service running?",
    Trouble.LACKING: "the database lacks tables: run `provisioning migrate`",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="provisioning")
def provisioning() -> None:
    """Access management and identity provisioning that a company runs itself."""


for command in (
    up.up,
    migrating.migrate,
    configuration.config,
    workspaces.workspace,
    connections.connection,
    members.member,
    groups.group,
    mappings.mapping,
    sessions.session,
    sessions.sign_in_link,
    tokens.token,
    simulate.simulate,
):
    provisioning.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit: 0 when done, 2 for wrong use, 1 for refusal or failure."""
    try:
        outcome = provisioning.main(arguments, prog_name="provisioning", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        _end("stopped", 130)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "provisioning"
        _end(f"{error.format_message()} (see: {where} --help)", WRONG_USE)
    except InvalidSettings as error:
        _end(str(error), WRONG_USE)
    except (click.ClickException, NothingRuns) as error:
        _end(error.format_message() if isinstance(error, click.ClickException) else str(error), REFUSED)
    except Refusal as refusal:
        _end(refusal.sentence, REFUSED)
    except ScimError as error:
        _end(error.detail, REFUSED)
    except DatabaseFailure as error:
        trouble = trouble_of(error)
        if trouble is Trouble.UNFORESEEN:
            raise
        _end(_ADVICE.get(trouble, trouble.value), REFUSED)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _end(sentence: str, code: int) -> None:
    click.echo(f"provisioning: {' '.join(sentence.split())}", err=True)
    sys.exit(code)
