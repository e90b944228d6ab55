"""The `provisioning` command: its parts, and how it says no (one line on standard error; exit 2 or 1)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from config.settings import InvalidSettings
from provisioning.cli import (
    access_requests,
    audit,
    clients,
    configuration,
    connections,
    doctor,
    events,
    extensions,
    forwarding,
    groups,
    invitations,
    keys,
    mail,
    mapping_proposals,
    mappings,
    members,
    migrating,
    sessions,
    sign_in,
    simulate,
    tokens,
    up,
    who_can,
    workspaces,
)
from provisioning.cli.service import NothingRuns
from provisioning.database import DatabaseFailure, Trouble, trouble_of
from provisioning.refusals import Refusal
from provisioning.scim.errors import ScimError

WRONG_USE, REFUSED, INTERRUPTED = 2, 1, 130
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
    extensions.schema,
    mappings.mapping,
    mapping_proposals.mapping_proposal,
    who_can.who_can,
    access_requests.access_request,
    sessions.session,
    sessions.sign_in_link,
    sign_in.sign_in,
    tokens.token,
    invitations.invitation,
    mail.mail,
    clients.client,
    keys.keys,
    events.events,
    doctor.doctor,
    audit.audit,
    forwarding.forward,
    simulate.simulate,
):
    provisioning.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit: 0 when done, 2 for wrong use, 1 for refusal or failure."""
    try:
        outcome = provisioning.main(arguments, prog_name="provisioning", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.format_message(), err=True)
        sys.exit(WRONG_USE)
    except (click.Abort, click.ClickException, InvalidSettings, NothingRuns, Refusal, ScimError) as error:
        _end(*_said(error))
    except DatabaseFailure as error:
        trouble = trouble_of(error)
        if trouble is Trouble.UNFORESEEN:
            raise
        _end(_ADVICE.get(trouble, trouble.value), REFUSED)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _said(error: Exception) -> tuple[str, int]:
    """What an exception says in one sentence, and the exit code that belongs to it."""
    match error:
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else "provisioning"
            return f"{error.format_message()} (see: {where} --help)", WRONG_USE
        case InvalidSettings():
            return str(error), WRONG_USE
        case click.ClickException():
            return error.format_message(), REFUSED
        case click.Abort():
            return "stopped", INTERRUPTED
        case _:
            return str(error), REFUSED


def _end(sentence: str, code: int) -> NoReturn:
    click.echo(f"provisioning: {' '.join(sentence.split())}", err=True)
    sys.exit(code)
