"""Migrations: bring the database to the tables that this version needs, and tell whether it has them."""

from __future__ import annotations

import functools
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate, upgrade
from sqlalchemy.engine import Connection

from provisioning.database import db

_FOLDER = str(Path(__file__).parent / "migrations")


def init_app(app: Flask) -> None:
    """Let Alembic find an application's database."""
    Migrate(app, db, directory=_FOLDER, compare_type=True, render_as_batch=False)


def migrate() -> str:
    """Apply what is missing; several machines may do so at once, and one does the work.

    Returns:
        The revision that the database has now.
    """
    upgrade(directory=_FOLDER)
    return head()


@functools.cache
def head() -> str:
    """The revision that this version needs."""
    return str(ScriptDirectory(_FOLDER).get_current_head())


def is_current(connection: Connection) -> bool:
    """Whether the database has the tables that this version needs."""
    return MigrationContext.configure(connection).get_current_revision() == head()
