"""Migrations: bring the database to the tables that this version needs."""

from __future__ import annotations

from pathlib import Path

from flask import current_app
from flask_migrate import Migrate, upgrade

from provisioning.database import db
from provisioning.revision import HEAD

_FOLDER = str(Path(__file__).parent / "migrations")


def migrate() -> str:
    """Apply what is missing; several machines may do so at once, and one does the work.

    Returns:
        The revision that the database has now.
    """
    Migrate(current_app, db, directory=_FOLDER, compare_type=True, render_as_batch=False)
    upgrade(directory=_FOLDER)
    return HEAD
