"""What `provisioning up` does once, on an empty database, and what it says each time it is ready."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from config.settings import Settings
from provisioning import migration, revision
from provisioning.access.founding import found_workspace
from provisioning.cli.service import OPERATOR
from provisioning.context import context
from provisioning.credentials import Kind
from provisioning.database import db, reading, transaction
from provisioning.directory import connections, members, owners, users, workspaces
from provisioning.directory.profile import Profile
from provisioning.sessions import links

_SLUG, _NAME = "main", "My workspace"
_CONNECTION = "first"
_OWNER = "owner@localhost.localdomain"


@dataclass(frozen=True, slots=True)
class _Made:
    """What exists after the first start only, once."""

    token: str


def migrate(app: Flask) -> None:
    """Bring the database up to date, and leave no connection open: processes are forked after this."""
    with app.app_context():
        with reading() as connection:
            current = revision.is_current(connection)
        if not current:
            migration.migrate()
        db.engine.dispose()


def welcome(app: Flask, running: Settings) -> str:
    """The block that tells a newcomer where everything is; on the very first start with a new connection's token."""
    with app.app_context():
        made = _make_first()
        link = _sign_in_link()
    scim = f"{running.public_url}/scim/v2"
    lines = ["", "Provisioning is ready.", ""]
    lines += [f"  SCIM base URL  {scim}"]
    if made is not None:
        lines += [f"  SCIM token     {made.token}", f"                 (of the workspace {_SLUG}; shown this once)"]
    if link is not None:
        lines += [
            f"  Console        {running.public_url}/sign-in/link#{link}",
            "                 (works once, within ten minutes)",
        ]
    lines += [f"  API docs       {running.public_url}/docs", ""]
    at = "" if running.data_dir == Path(".data").absolute() else f" --data-dir {running.data_dir}"
    lines += [f"  Try next:  .venv/bin/provisioning simulate okta{at}"]
    return "\n".join([*lines, "  Stop with Ctrl-C; the data stays.", ""])


def _make_first() -> _Made | None:
    """A first workspace with an owner and a connection, unless there is any workspace."""
    secret = context().keyring.mint(Kind.CONNECTION)
    with transaction() as database:
        if workspaces.every(database):
            return None
        workspace = found_workspace(database, slug=_SLUG, name=_NAME, hipaa_eligible=False, by=OPERATOR)
        connections.create(
            database,
            workspace_id=workspace.id,
            name=_CONNECTION,
            dialect="other",
            digest=secret.digest,
            by=OPERATOR,
        )
        profile = Profile.of({"userName": _OWNER, "displayName": "Owner", "active": True})
        owner = members.create(database, workspace_id=workspace.id, profile=profile, connection_id=None, by=OPERATOR)
        owners.appoint(database, member=owner, by=OPERATOR)
    return _Made(secret.text)


def _sign_in_link() -> str | None:
    """A link for the first owner, while there is one."""
    secret = context().keyring.mint(Kind.SIGN_IN_LINK)
    with transaction() as database:
        account = users.by_email(database, _OWNER)
        if account is None:
            return None
        links.issue(database, user_id=account[0], digest=secret.digest, by=OPERATOR)
    return secret.text
